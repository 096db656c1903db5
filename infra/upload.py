"""The built page into its bucket: ``python -m infra.upload`` after the stacks are there.

Files that are named after their content are kept by browsers for ever, the others are asked for each time. New files
come first and ``index.html`` last, so that no page ever names a file that is not there. Files of older pages stay, for
those who have one open.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import boto3

from infra import SETTINGS
from infra.shared_values import read_shared
from miyabi.deployment import Deployment, load
from miyabi.webui.app import DIST, HASHED, INDEX
from miyabi.webui.files import File
from miyabi.webui.files import load as load_files

FOR_EVER = "public, max-age=31536000, immutable"
ASK = "no-cache"


def upload(settings: Deployment, dist: Path = DIST) -> int:
    """Put all files of ``dist`` and let CloudFront forget what it has of the others; the number of files.

    Raises ``FileNotFoundError`` when the page is not built.
    """
    files = load_files(dist)
    if INDEX not in files:
        raise FileNotFoundError(f"There is no page in {dist}; build it with `make setup`.")
    shared = read_shared(settings)
    storage = boto3.client("s3", region_name=settings.region)
    for path in sorted(files, key=lambda path: (path == INDEX, path)):
        _put(storage, shared["web/bucket"], path, files[path])
    _forget(shared["web/distribution"], [path for path in files if not path.startswith(HASHED)])
    return len(files)


def empty(settings: Deployment) -> None:
    """Delete all files, as a bucket must be before it can be deleted."""
    bucket = read_shared(settings).get("web/bucket")
    if bucket is None:
        return
    storage = boto3.client("s3", region_name=settings.region)
    for page in storage.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        keys = [{"Key": found["Key"]} for found in page.get("Contents", ())]
        if keys:
            storage.delete_objects(Bucket=bucket, Delete={"Objects": keys})


def _put(storage: Any, bucket: str, path: str, file: File) -> None:
    kept = FOR_EVER if path.startswith(HASHED) else ASK
    storage.put_object(
        Bucket=bucket, Key=path.removeprefix("/"), Body=file.body, ContentType=file.content_type, CacheControl=kept
    )


def _forget(distribution: str, paths: Sequence[str]) -> None:
    """CloudFront keeps what views ask for under the name of the index."""
    batch: Mapping[str, Any] = {
        "Paths": {"Quantity": len(paths), "Items": sorted(paths)},
        "CallerReference": str(time.time_ns()),
    }
    boto3.client("cloudfront").create_invalidation(DistributionId=distribution, InvalidationBatch=batch)


def main(arguments: Sequence[str] | None = None) -> None:
    """Upload the page."""
    parser = argparse.ArgumentParser(prog="python -m infra.upload", description=__doc__)
    parser.parse_args(arguments)
    count = upload(load(SETTINGS))
    sys.stdout.write(f"{count} files of the page are uploaded.\n")


if __name__ == "__main__":
    main()
