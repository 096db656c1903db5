"""Loaded by schemathesis: places of lists and logs are only good as a board has told them, so real ones are sent.

A place that is none is refused with 400 whatever it looks like, which no schema can say; other tests see to those.
"""

from __future__ import annotations

import json
import os

import schemathesis
from hypothesis import strategies as st

for _format, _values in json.loads(os.environ["MIYABI_TEST_PLACES"]).items():
    schemathesis.openapi.format(_format, st.sampled_from(_values))
