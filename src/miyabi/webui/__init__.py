"""Service 1, the web UI: hands out the built page."""

from __future__ import annotations

from miyabi.webui.app import DIST, page

__all__ = ["DIST", "page"]
