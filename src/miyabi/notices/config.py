"""Rules as people write them: some addresses, or a file of TOML. Every bad value is refused, saying what to write."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Struct, ValidationError, convert, field

from miyabi.notices import KINDS, Kind, Language
from miyabi.notices.quiet import FORM, Quiet, read_hours
from miyabi.notices.rules import Rule

TROUBLE: frozenset[Kind] = frozenset({"failed", "blocked", "stopped"})
LONG_SECONDS = 300.0
"""What completes sooner is not told, unless a rule says so."""
_TIME = re.compile(r"(?:(\d+)d)?\s*(?:(\d+)h)?\s*(?:(\d+)m)?\s*(?:(\d+)s)?")
_SIZES = (86400, 3600, 60, 1)
_RULE = re.compile(r"\s*\[\[\s*rule\s*\]\]")


class Plan(Struct, frozen=True):
    """Rules, the address of each target by its key, and where in the settings that stands."""

    rules: Sequence[Rule]
    addresses: Mapping[str, str]
    where: Mapping[str, str]


class _Rule(Struct, frozen=True, forbid_unknown_fields=True):
    to: str | list[str]
    on: str | list[str]
    projects: str | list[str] = field(default_factory=list)
    types: str | list[str] = field(default_factory=list)
    names: str | list[str] = field(default_factory=list)
    longer_than: str = ""
    quiet: str | None = None
    timezone: str | None = None
    urgent: bool = False
    language: Language | None = None


class _File(Struct, frozen=True, forbid_unknown_fields=True):
    rule: list[_Rule]
    quiet: str = ""
    timezone: str = ""
    language: Language | None = None


def key_of(address: str) -> str:
    """What an address is called where it must not be read."""
    return blake2b(address.encode(), digest_size=8).hexdigest()


def of_addresses(text: str, language: Language, where: str) -> Plan:
    """The rules for addresses with spaces between: trouble, and what completed after a while. Raises ``ValueError``."""
    found = list(dict.fromkeys(text.split()))
    if not found:
        raise ValueError(f"{where}: there is no address in it; write one like `ntfy://topic`")
    keys = [key_of(address) for address in found]
    rules = [
        Rule(to=keys, on=TROUBLE, language=language),
        Rule(to=keys, on=frozenset({"completed"}), longer_than=LONG_SECONDS, language=language),
    ]
    places = {key: f"{where}, address {number}" for number, key in enumerate(keys, 1)}
    return Plan(rules, dict(zip(keys, found, strict=True)), places)


def of_file(text: str, language: Language, where: str) -> Plan:
    """The rules in a file's text. Raises ``ValueError`` naming the rule and its line."""
    try:
        given = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{where}: it is no TOML: {error}") from None
    lines = [number for number, line in enumerate(text.splitlines(), 1) if _RULE.match(line)]
    try:
        file = convert(given, _File)
    except ValidationError as error:
        raise ValueError(f"{where}{_place(str(error), lines)}") from None
    if not file.rule:
        raise ValueError(f"{where}: there is no rule in it; begin one with `[[rule]]`")
    rules: list[Rule] = []
    addresses: dict[str, str] = {}
    places: dict[str, str] = {}
    for number, rule in enumerate(file.rule, 1):
        at = f"{where}, {_named(number, lines)}"
        try:
            rules.append(_made(rule, file, language))
        except ValueError as error:
            raise ValueError(f"{at}: {error}") from None
        for place, address in enumerate(_words(rule.to), 1):
            addresses.setdefault(key_of(address), address)
            places.setdefault(key_of(address), f"{at}, address {place}")
    return Plan(rules, addresses, places)


def read_time(text: str) -> float:
    """Seconds of ``90s``, ``10m``, ``1h30m`` or ``2d``. Raises ``ValueError``."""
    found = _TIME.fullmatch(text.strip())
    if not found or not any(found.groups()):
        raise ValueError(f"longer_than: `{text[:40]}` is no time; write one like `10m`, `1h30m` or `90s`")
    return float(sum(int(number or 0) * size for number, size in zip(found.groups(), _SIZES, strict=True)))


def _made(rule: _Rule, file: _File, language: Language) -> Rule:
    to = _words(rule.to)
    if not to or not all(address.strip() for address in to):
        raise ValueError('to: name whom to tell, e.g. `to = "ntfy://topic"`')
    return Rule(
        to=list(dict.fromkeys(key_of(address) for address in to)),
        on=_kinds(_words(rule.on)),
        projects=_words(rule.projects),
        types=_words(rule.types),
        names=_words(rule.names),
        longer_than=read_time(rule.longer_than) if rule.longer_than else 0.0,
        quiet=_quiet(rule, file),
        urgent=rule.urgent,
        language=rule.language or file.language or language,
    )


def _kinds(words: Sequence[str]) -> frozenset[Kind]:
    kinds = {kind for kind in KINDS if kind in words}
    if wrong := [word for word in words if word not in KINDS]:
        raise ValueError(f"on: `{wrong[0][:40]}` is nothing to tell of; there are {', '.join(KINDS)}")
    if not kinds:
        raise ValueError(f"on: say what to tell of: {', '.join(KINDS)}")
    return frozenset(kinds)


def _quiet(rule: _Rule, file: _File) -> Quiet | None:
    hours = file.quiet if rule.quiet is None else rule.quiet
    zone = rule.timezone or file.timezone
    if not hours:
        return None
    try:
        start, end = read_hours(hours)
    except ValueError as error:
        raise ValueError(f"quiet: {error}") from None
    if not zone:
        raise ValueError(f"quiet: whose clock is meant by {FORM}? Write a `timezone`, e.g. `Asia/Tokyo`")
    try:
        return Quiet(start, end, ZoneInfo(zone))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        hint = "write one like `Asia/Tokyo` (where no zone is known, install `tzdata`)"
        raise ValueError(f"timezone: `{zone[:40]}` is no time zone here; {hint}") from None


def _words(given: str | Sequence[str]) -> list[str]:
    return [given] if isinstance(given, str) else list(given)


def _named(number: int, lines: Sequence[int]) -> str:
    line = f" (line {lines[number - 1]})" if number <= len(lines) else ""
    return f"rule {number}{line}"


def _place(message: str, lines: Sequence[int]) -> str:
    """msgspec's message, its path as people name it; no value is in it."""
    what, _, where = message.partition(" - at `$")
    found = re.match(r"\.?rule\[(\d+)\]\.?(\w*)", where.lstrip("."))
    if found:
        name = f"{found[2]}: " if found[2] else ""
        return f", {_named(int(found[1]) + 1, lines)}: {name}{what[0].lower()}{what[1:]}{_fields(what, _Rule)}"
    name = where.strip("`.")
    return f": {f'{name}: ' if name else ''}{what[0].lower()}{what[1:]}{_fields(what, _File)}"


def _fields(what: str, kind: type[_Rule | _File]) -> str:
    return f"; there are {', '.join(kind.__struct_fields__)}" if "unknown field" in what else ""
