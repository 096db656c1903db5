"""A line of the gateway's access log."""

from __future__ import annotations

import json

ACCESS_LOG = json.dumps(
    {
        "request_id": "$context.requestId",
        "trace": "$context.xrayTraceId",
        "time": "$context.requestTimeEpoch",
        "method": "$context.httpMethod",
        "path": "$context.path",
        "status": "$context.status",
        "bytes": "$context.responseLength",
        "latency_ms": "$context.responseLatency",
        "integration_ms": "$context.integrationLatency",
        "user": "$context.authorizer.principalId",
        "ip": "$context.identity.sourceIp",
        "agent": "$context.identity.userAgent",
        "error": "$context.error.message",
    },
    separators=(",", ":"),
)
"""JSON, milliseconds; what does not apply is ``-``."""
