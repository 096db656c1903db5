"""The settings of a deployment on AWS: what ``infra/`` builds and ``miyabi cost`` prices. Every scaling step is one."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from msgspec import Struct, ValidationError, convert

KEPT_DAYS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)
"""What CloudWatch Logs takes as a group's retention (PutRetentionPolicy)."""
_PREFIX = re.compile(r"[a-z][a-z0-9-]{0,19}")
_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d")
_NODE = re.compile(r"cache\.[a-z0-9]+\.[a-z0-9]+")
_MAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_ORIGIN = re.compile(r"https://[a-z0-9.-]+(:\d+)?|http://(localhost|127\.0\.0\.1)(:\d+)?")


class DeploymentError(ValueError):
    """A setting that can't be used; the message says what to write instead."""


class Deployment(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Each field is a line of ``infra/deployment.toml``, or ``-c name=value`` to the CDK."""

    prefix: str = "miyabi"
    """Begins the name of everything that is made: 1 to 20 of a-z, 0-9 and ``-``."""
    region: str = "us-east-1"
    capacity: Literal["on-demand", "provisioned"] = "on-demand"
    """How DynamoDB is paid: by request, or by ``read_units`` and ``write_units``."""
    read_units: int = 5
    """Provisioned reads a second (4 KB each) of each table and of each index."""
    write_units: int = 5
    """Provisioned writes a second (1 KB each) of each table and of each index."""
    most_units: int = 0
    """How far auto scaling may raise provisioned units; 0 leaves them as they are."""
    cache_nodes: int = 1
    """1 is one Redis; more are a cluster: an even number in pairs of primary and replica, an odd one of primaries."""
    cache_node_type: str = "cache.t4g.micro"
    egress: Literal["ipv6", "endpoint"] = "ipv6"
    """The functions' way to CloudWatch Logs: IPv6 (costs nothing), or an interface endpoint in each of two zones."""
    tasks_memory: int = 256
    """MB; a function's share of a CPU grows with it."""
    tasks_concurrency: int = 100
    """Task API requests at the same time, reserved from the account's; 0 reserves none and sets no limit."""
    collector_memory: int = 256
    collector_concurrency: int = 10
    """Collector runs at the same time, reserved from the account's; 0 reserves none and sets no limit."""
    rate: int = 1000
    """Requests a second that the gateway lets through."""
    burst: int = 2000
    """Requests that the gateway lets through at once."""
    snap_start: bool = False
    """Start the task API from a snapshot of a started one."""
    provisioned_concurrency: int = 0
    """Task APIs that are kept started, paid by the hour; not together with ``snap_start``."""
    alarms_to: str | None = None
    """Mail address that alarms are sent to, after it has confirmed once."""
    issuer: str | None = None
    """OIDC issuer of the tokens, e.g. ``https://login.example.org/``; unset: a Cognito user pool is made."""
    audience: str | None = None
    """What the issuer's tokens must be for (``aud``); goes with ``issuer``."""
    client: str | None = None
    """Id of the page's public client at ``issuer``, to sign in there; unset: tokens are pasted."""
    secret_parameter: str | None = None
    """Name of an SSM SecureString with the secret of HS256 tokens, which are then let in, too."""
    notify_parameter: str | None = None
    """Name of an SSM SecureString with the addresses that notices go to, or with rules; unset: nobody is told."""
    notify_secret_parameter: str | None = None
    """Name of an SSM SecureString with the secret that signs webhooks; goes with ``notify_parameter``."""
    origins: tuple[str, ...] = ()
    """Pages of other addresses that may ask the API (CORS), e.g. ``["https://board.example.org"]``."""
    retention_days: int = 30
    """How long the product's log groups keep lines."""
    lambda_retention_days: int = 7
    """How long the functions' own log groups keep lines."""
    point_in_time_days: int = 35
    """How far back the tables can be restored: 1 to 35 days."""
    data: Literal["keep", "delete"] = "keep"
    """What becomes of tables, log groups and users when their stack is deleted."""

    def __post_init__(self) -> None:
        for wrong in self._faults():
            raise ValueError(wrong)

    def _faults(self) -> list[str]:
        checks = (*self._form(), *self._figures(), *self._together())
        return [message for good, message in checks if not good]

    def _form(self) -> tuple[tuple[bool, str], ...]:
        wrong = next((origin for origin in self.origins if not _ORIGIN.fullmatch(origin)), None)
        return (
            (
                _matches(_PREFIX, self.prefix),
                f"prefix: `{self.prefix}` must be 1 to 20 of a-z, 0-9, `-`, from a letter",
            ),
            (_matches(_REGION, self.region), f"region: `{self.region}` is no AWS region; write one like `eu-west-1`"),
            (_matches(_NODE, self.cache_node_type), "cache_node_type: write one like `cache.t4g.micro`"),
            (_matches(_MAIL, self.alarms_to), f"alarms_to: `{self.alarms_to}` is no mail address"),
            (not self.issuer or self.issuer.startswith("https://"), "issuer: must begin with https://"),
            (wrong is None, f"origins: `{wrong}` is no origin; write one like `https://board.example.org`"),
            *(
                (not (given := getattr(self, name)) or given.startswith("/"), f"{name}: must begin with /")
                for name in ("secret_parameter", "notify_parameter", "notify_secret_parameter")
            ),
        )

    def _figures(self) -> tuple[tuple[bool, str], ...]:
        return (
            *_within(self, 1, 40_000, "read_units", "write_units"),
            *_within(self, 0, 40_000, "most_units"),
            *_within(self, 1, 90, "cache_nodes"),
            *_within(self, 128, 10_240, "tasks_memory", "collector_memory"),
            *_within(self, 0, 100_000, "tasks_concurrency", "collector_concurrency", "provisioned_concurrency"),
            *_within(self, 1, 1_000_000, "rate", "burst"),
            *_within(self, 1, 35, "point_in_time_days"),
            *(
                (getattr(self, name) in KEPT_DAYS, f"{name}: CloudWatch Logs keeps lines for {KEPT_DAYS} days only")
                for name in ("retention_days", "lambda_retention_days")
            ),
        )

    def _together(self) -> tuple[tuple[bool, str], ...]:
        kept, reserved = self.provisioned_concurrency, self.tasks_concurrency
        least = max(self.read_units, self.write_units)
        return (
            (not (self.snap_start and kept), "snap_start: not together with provisioned_concurrency; choose one"),
            (not reserved or kept <= reserved, "provisioned_concurrency: must not be above tasks_concurrency"),
            ((self.issuer is None) == (self.audience is None), "issuer: goes with audience; give both or neither"),
            (self.client is None or self.issuer is not None, "client: goes with issuer; Cognito's is made"),
            (
                self.notify_secret_parameter is None or self.notify_parameter is not None,
                "notify_secret_parameter: goes with notify_parameter; give that, too",
            ),
            (not self.most_units or self.most_units >= least, f"most_units: must be 0 or at least {least}"),
        )


def load(path: Path | None = None, **given: object) -> Deployment:
    """The settings in the TOML file ``path``, with ``given`` (text, as from a command line) before them.

    Raises :class:`DeploymentError` naming the setting and what it may be.
    """
    values = {**_file(path), **{name: _parsed(name, value) for name, value in given.items() if value is not None}}
    try:
        return convert(values, Deployment, strict=False)
    except ValidationError as error:
        raise DeploymentError(_explain(str(error))) from None


def _file(path: Path | None) -> Mapping[str, object]:
    if path is None or not path.exists():
        return {}
    try:
        return tomllib.loads(path.read_text())
    except tomllib.TOMLDecodeError as error:
        raise DeploymentError(f"{path}: {error}.") from None


def _parsed(name: str, value: object) -> object:
    """``origins`` is written with commas on a command line, and nothing there is no value."""
    if name == "origins" and isinstance(value, str):
        return tuple(filter(None, value.split(",")))
    return None if value == "" else value


def _explain(message: str) -> str:
    what, _, where = message.partition(" - at `$.")
    what = what.replace("Object contains unknown field", "there is no setting").removesuffix(" - at `$`")
    return f"{where.rstrip('`')}: {what[0].lower()}{what[1:]}." if where else f"{what}."


def _matches(pattern: re.Pattern[str], value: str | None) -> bool:
    return value is None or pattern.fullmatch(value) is not None


def _within(settings: Deployment, least: int, most: int, *names: str) -> list[tuple[bool, str]]:
    return [(least <= getattr(settings, name) <= most, f"{name}: must be {least} to {most}") for name in names]
