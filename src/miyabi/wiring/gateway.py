"""Service 2, the gateway, with the page (service 1) that it hands out."""

from __future__ import annotations

import time
from pathlib import Path
from urllib.parse import urlsplit

from starlette.types import ASGIApp

import miyabi.webui
from miyabi.gateway.app import Gateway
from miyabi.gateway.guard import Guard
from miyabi.gateway.limit import Bucket
from miyabi.gateway.upstream import Upstream
from miyabi.settings import Settings, SettingsError
from miyabi.webui.app import page

DIST = Path(miyabi.webui.__file__).parent / "dist"


def make_gateway(settings: Settings, tasks: ASGIApp) -> Gateway:
    """The gateway before the task API ``tasks``."""
    bucket = Bucket(settings.rate_limit, settings.rate_burst, time.monotonic)
    if not settings.signs_in:
        return Gateway(tasks, page(DIST), Guard(settings.host), bucket)
    from miyabi.gateway.auth import Auth
    from miyabi.wiring.auth import make_verifier, make_ways, sign_in_origins

    auth, ways = Auth(make_verifier(settings)), make_ways(settings)
    return Gateway(tasks, page(DIST, sign_in_origins(settings)), Guard(settings.host), bucket, auth, ways)


def make_upstream(settings: Settings) -> Upstream:
    """The way to one task API in another process, or to several that share the work."""
    urls = settings.tasks.split()
    for url in urls or [""]:
        if not _is_address(url):
            example = "`http://127.0.0.1:8421`, several with spaces between"
            raise SettingsError(f"MIYABI_TASKS: `{url}` is no address; write {example}.")
    return Upstream(urls)


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0 and not parts.query
    except ValueError:
        return False


async def page_is_there() -> None:
    """Service 1's probe: the built page is in the package."""
    if not (DIST / "index.html").is_file():
        raise RuntimeError("the page is not built; run `make setup`")
