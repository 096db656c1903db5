"""Webhooks of our own: JSON by POST, signed, with an id that stays the same however often it is sent."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Callable, Sequence
from datetime import UTC
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import aiohttp
import msgspec

from miyabi.model import iso
from miyabi.notices import Notice, NotTold
from miyabi.notices.payload import payload
from miyabi.notices.signing import signed

SCHEMES = ("webhook+https", "webhook+http")
SECONDS = 15.0
AGAIN = (408, 425, 429)
"""Refusals that may pass; of other 4xx the receiver means it."""
MOST_SHOWN = 120
_NEAR = (".local", ".internal", ".lan", ".home.arpa", ".localhost")


class Webhook:
    """A receiver at ``url`` (``webhook+https://host/path``). ``now`` gives milliseconds.

    Raises ``ValueError`` saying what to write instead.
    """

    def __init__(self, url: str, secrets: Sequence[bytes], board: str | None, now: Callable[[], int]) -> None:
        self._url, self.name = read_address(url)
        self._secrets, self._board, self._now = secrets, board, now

    async def tell(self, notice: Notice) -> str:
        """Send it. Redirections are not followed: what is signed is for this address."""
        body = msgspec.json.encode(self._payload(notice))
        headers = {"content-type": "application/json", "user-agent": "miyabi"}
        headers |= signed(self._secrets, notice.id, self._now() // 1000, body)
        timeout = aiohttp.ClientTimeout(total=SECONDS)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()) as session,
                session.post(self._url, data=body, headers=headers, allow_redirects=False) as answer,
            ):
                return self._answered(answer.status, answer.reason or "", answer.headers.get("retry-after", ""))
        except TimeoutError:
            raise NotTold(f"no answer within {SECONDS:.0f} s", again=True) from None
        except (aiohttp.ClientError, OSError) as error:
            raise NotTold(_why(error), again=True) from None

    def _payload(self, notice: Notice) -> dict[str, object]:
        made = payload(notice, self._board)
        return made if made["timestamp"] else {**made, "timestamp": iso(self._now())}

    def _answered(self, status: int, reason: str, retry_after: str) -> str:
        said = f"{status} {reason[:MOST_SHOWN]}".strip()
        if 200 <= status < 300:
            return said
        if 300 <= status < 400:
            raise NotTold(f"{said}: it has moved, and redirections are not followed", again=False)
        again = status in AGAIN or status >= 500
        raise NotTold(said, again=again, after=wait_seconds(retry_after, self._now()) if again else 0.0)


def read_address(url: str) -> tuple[str, str]:
    """The address to post to, and what of it can be shown. Raises ``ValueError``."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise ValueError("its address can't be read; write `webhook+https://host/path`") from None
    if not host or parts.fragment:
        raise ValueError("write it as `webhook+https://host/path`")
    if parts.username or parts.password:
        raise ValueError("no user stands in it, as what is sent is signed; write `webhook+https://host/path`")
    if parts.scheme == "webhook+http" and not is_near(host):
        raise ValueError(
            "without TLS only this machine and private networks are told (127.0.0.1, 10.0.0.5, a name without a dot, "
            "*.internal); write `webhook+https://host/path`"
        )
    shown = f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{f':{port}' if port else ''}/…"
    return url.removeprefix("webhook+"), shown


def is_near(host: str) -> bool:
    """Whether a host is this machine or in a private network, as far as its name tells."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return "." not in host or host.endswith(_NEAR)
    return address.is_private or address.is_loopback


def wait_seconds(header: str, now: int) -> float:
    """What ``Retry-After`` asks for, in seconds or as a date; 0 when it can't be read."""
    if header.isascii() and header.isdigit() and len(header) < 10:
        return float(header)
    try:
        at = parsedate_to_datetime(header)
    except (ValueError, TypeError):
        return 0.0
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0.0, at.timestamp() - now / 1000)


def _said(error: OSError) -> str:
    return os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror or str(error)


def _why(error: Exception) -> str:
    """In some words, without the path of the address."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return "its certificate is not trusted"
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"it can't be reached: {_said(error.os_error)}"
    return f"the connection broke ({type(error).__name__})"
