"""``miyabi`` with each of its waits for AWS logged, and ``HURRY`` times as long."""

from __future__ import annotations

import logging
import os
import sys
from functools import partial

from miyabi.cli import main
from miyabi.database import dynamodb_aiohttp
from miyabi.database.dynamodb import Timing
from miyabi.database.dynamodb_calls import GIVE_UP_SECONDS, Patience
from miyabi.logs import cloudwatch_retry

if __name__ == "__main__":
    hurry = float(os.environ["HURRY"])
    cloudwatch_retry.FIRST_WAIT *= hurry
    timing = Timing(patience=Patience(seconds=GIVE_UP_SECONDS * hurry))
    dynamodb_aiohttp.open_database = partial(dynamodb_aiohttp.open_database, timing=timing)
    logging.getLogger("miyabi").setLevel(logging.INFO)
    sys.argv = sys.argv[1:]
    main()
