"""Addresses of services apart, as the settings name them."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

from miyabi.masked import kind_of
from miyabi.settings import SettingsError


def addresses_of(variable: str, setting: str, example: str) -> list[str]:
    """The addresses in ``setting``, with spaces between. Raises ``SettingsError`` saying to write ``example``."""
    found = setting.split()
    for number, url in enumerate(found or [""], 1):
        if not _is_address(url):
            which = f"address {number}, `{kind_of(url)}`," if len(found) > 1 else f"`{kind_of(url)}`"
            raise SettingsError(f"{variable}: {which} is no address; write {example} and no user in it.")
    return found


def board_address(url: str) -> SplitResult:
    """A board's address, whose scheme may be missing; without a user, who would be shown. Raises ``SettingsError``."""
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        good = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        good = False
    if not good:
        shown = kind_of(url) if "@" in url else url
        raise SettingsError(f"`{shown}` is no address of a board; write it like http://127.0.0.1:8420")
    return parts._replace(netloc=parts.netloc.rpartition("@")[2])


def _is_address(url: str) -> bool:
    """Whether requests can be sent there. None with a user: addresses stand in logs, and in answers to who signs in."""
    try:
        parts = urlsplit(url)
        return (
            parts.scheme in ("http", "https")
            and bool(parts.hostname)
            and parts.port != 0
            and not parts.query
            and not parts.fragment
            and "@" not in parts.netloc
        )
    except ValueError:
        return False
