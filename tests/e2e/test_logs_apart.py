"""Four processes: only the log service touches the log file, the others reach it over HTTP."""

from __future__ import annotations
