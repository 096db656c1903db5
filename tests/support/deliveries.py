"""What a CloudWatch Logs subscription delivers, as its user guide shows it."""

from __future__ import annotations

import gzip
import json
from base64 import b64encode
from typing import Any

GROUP, STREAM = "/miyabi/jobs", "job"


def message(*events: object, **fields: object) -> dict[str, object]:
    """The news of one stream."""
    shape = {
        "messageType": "DATA_MESSAGE",
        "owner": "123456789012",
        "logGroup": GROUP,
        "logStream": STREAM,
        "subscriptionFilters": ["miyabi"],
        "logEvents": list(events),
    }
    return shape | fields


def packed(*messages: object) -> str:
    """Messages as a record's data."""
    return b64encode(b"".join(gzip.compress(json.dumps(one).encode()) for one in messages)).decode()


def delivery(*messages: object) -> dict[str, Any]:
    """Messages as a Lambda is handed them."""
    return {"awslogs": {"data": packed(*messages)}}


def firehose(*messages: object) -> dict[str, Any]:
    """Messages as Firehose sends them to an HTTP endpoint, a record each."""
    records = [{"data": packed(one)} for one in messages]
    return {"requestId": "ed4acda5-034f-9f42-bba1-f29aea6d7d8f", "timestamp": 1_795_000_000_000, "records": records}
