"""What tests of several kinds share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session")
def dynamodb() -> Iterator[str]:
    """The address of a DynamoDB for all tests of this process."""
    from tests.support.ministack import dynamodb_endpoint

    with dynamodb_endpoint() as endpoint:
        yield endpoint
