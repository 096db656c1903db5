"""What the stacks tell one another, read from outside: ``/miyabi/web/bucket`` and the like, from SSM."""

from __future__ import annotations

from collections.abc import Mapping

import boto3

from miyabi.deployment import Deployment


def read_shared(settings: Deployment) -> Mapping[str, str]:
    """Each value by its path below the prefix, as far as its stack is deployed."""
    start = f"/{settings.prefix}/"
    pages = boto3.client("ssm", region_name=settings.region).get_paginator("get_parameters_by_path")
    found = (one for page in pages.paginate(Path=start, Recursive=True) for one in page["Parameters"])
    return {one["Name"].removeprefix(start): one["Value"] for one in found}
