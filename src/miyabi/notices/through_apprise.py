"""All other targets, through apprise: Slack, mail, ntfy and a hundred more. It takes most of a second to import."""

from __future__ import annotations

import logging
import re
from typing import Any
from urllib.parse import unquote

import apprise

from miyabi.notices import Notice, NotTold
from miyabi.notices.sender import TELL_SECONDS
from miyabi.notices.text import text_of

SCHEMES_AT = "https://appriseit.com/services/"
_TYPES: dict[str, str] = {"completed": "success", "failed": "failure", "blocked": "warning", "stopped": "warning"}
_PARTS = re.compile(r"[/?&=@:#,]+")
_MARGIN_SECONDS = 2.0
MOST_SHOWN = 200
LEAST_SECRET = 6


class AppriseTarget:
    """What ``url`` names. Raises ``ValueError`` saying what to write instead."""

    def __init__(self, url: str, board: str | None) -> None:
        scheme = url.partition("://")[0]
        self.name = f"{scheme[:20]}://…"
        _silence()
        self._service = apprise.Apprise()
        found = apprise.Apprise.instantiate(url)
        if found is None or not self._service.add(found):
            raise ValueError(_hint(scheme if "://" in url else ""))
        self._board, self._url = board, url

    async def tell(self, notice: Notice) -> str:
        """Hand it over, in a thread of apprise's. It does not say why it failed but in words, so it is tried again."""
        text = text_of(notice, self._board)
        result: Any = await self._service.async_notify(
            title=text.title,
            body=text.body,
            notify_type=apprise.NotifyType(_TYPES.get(notice.news[0].kind if len(notice.news) == 1 else "", "info")),
            body_format=apprise.NotifyFormat.TEXT,
            timeout=TELL_SECONDS - _MARGIN_SECONDS,
        )
        if result:
            return "taken"
        raise NotTold(without_address(_why(result), self._url), again=True)


def _hint(scheme: str) -> str:
    if scheme in ("http", "https"):
        return f"no service is known at that address; for a receiver of your own write `webhook+{scheme}://host/path`"
    if not scheme.isidentifier() or len(scheme) > 20:
        return f"write an address like `ntfy://topic` ({SCHEMES_AT})"
    return f"apprise can't read it as `{scheme}://`; look up how such an address is written: {SCHEMES_AT}"


def _why(result: Any) -> str:
    """The last of what apprise said."""
    said = [str(entry.message) for entry in result.logs()]
    return said[-1][:MOST_SHOWN].rstrip(".") if said else "apprise could not deliver it"


def without_address(text: str, url: str) -> str:
    """``text`` without the parts of the address that may be secrets; its host stays where it reads like one."""
    for part in sorted(filter(None, _PARTS.split(unquote(url.partition("://")[2]))), key=len, reverse=True):
        if len(part) >= LEAST_SECRET and "." not in part:
            text = text.replace(part, "…")
    return text


def _silence() -> None:
    """What apprise logs may hold an address; what matters of it is said by us."""
    log = logging.getLogger("apprise")
    log.propagate = False
    if not log.handlers:
        log.addHandler(logging.NullHandler())
