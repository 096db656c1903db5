"""Notices as a Lambda function of its own, outside the network of the others: who is told is anywhere on the internet.

An event says no more than that something may have changed: the collector has run, or some minutes have passed.
"""

from __future__ import annotations

import logging
from typing import Any

from miyabi.settings import Settings, SettingsError
from miyabi.wiring import open_database
from miyabi.wiring.aws_lambda.runtime import Event, Process
from miyabi.wiring.notices import Notices, open_notices

log = logging.getLogger("miyabi.notices")


async def _make(settings: Settings) -> Notices:
    return open_notices(settings, await open_database(settings, light=True))


_process = Process("notices", _make)


def handler(event: Event, context: Any) -> None:
    """Tell what has become due. Settings that can't be used are raised and read again by the next call."""
    try:
        _process.serve(event, context, lambda tell: _process.loop.run_until_complete(tell()))
    except SettingsError as error:
        log.error("nobody is told anything: %s", error)
        raise
