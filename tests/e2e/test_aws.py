"""All stacks on a stand-in for AWS, by the pinned CDK: brought up, asked, and taken down."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.support.aws import Aws, deployed, destroy

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def aws() -> Iterator[Aws]:
    with deployed() as aws:
        yield aws


def stacks(aws: Aws) -> set[str]:
    found = aws.client("cloudformation").list_stacks()["StackSummaries"]
    names = {one["StackName"] for one in found if one["StackStatus"].endswith(("CREATE_COMPLETE", "UPDATE_COMPLETE"))}
    return names - {"CDKToolkit"}


def test_all_services_are_up(aws: Aws) -> None:
    services = "network logs database cache tasks collector gateway web auth operations"
    assert stacks(aws) == {f"miyabi-{name}" for name in services.split()}


@pytest.mark.parametrize("path", ["/", "/tasks/cdk.deploy-1", "/projects/web"])
def test_views_of_the_page_come_from_the_bucket_by_https(aws: Aws, path: str) -> None:
    answer = aws.ask(path)
    assert answer.status == 200
    assert b"<title>Miyabi" in answer.body
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert aws.ask(path, scheme="http").status == 301


def test_hashed_files_are_kept_by_browsers_and_the_index_is_not(aws: Aws) -> None:
    page = aws.ask("/").body.decode()
    script = page.partition('src="/assets/')[2].partition('"')[0]
    assert "immutable" in aws.ask(f"/assets/{script}").headers["cache-control"]
    assert aws.ask("/").headers["cache-control"] == "no-cache"
    assert aws.ask("/assets/gone.js").status in (403, 404)


@pytest.mark.parametrize("path", ["/api/tasks", "/api/tasks/a", "/api/tasks/a/logs", "/api/projects", "/api/events"])
def test_nobody_passes_the_gateway_without_a_token(aws: Aws, path: str) -> None:
    answer = aws.ask(path)
    assert answer.status == 401
    assert b"<title>" not in answer.body


def test_what_is_taken_down_leaves_its_data_until_that_is_asked_for(aws: Aws) -> None:
    """The last test here: nothing is up after it."""
    destroy(aws)
    assert stacks(aws) == set()
    assert aws.client("dynamodb").list_tables()["TableNames"] == ["miyabi-projects", "miyabi-tasks"]
    groups = {one["logGroupName"] for one in aws.client("logs").describe_log_groups()["logGroups"]}
    assert {"/miyabi/agents", "/miyabi/cdk-deploy", "/miyabi/system"} <= groups
