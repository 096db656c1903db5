"""What a deployment did to each resource, and how long it took."""

from __future__ import annotations

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.corpus import CAPTURES, DATA, segments

from miyabi.progress.resources import Resource, Resources

T = 1_795_000_000_000


def told(*lines: str, every: int = 1000) -> list[Resource]:
    """The resources of lines that come a second apart."""
    resources = Resources()
    for number, line in enumerate(lines):
        resources.read(T + every * number, line)
    return resources.all


def short(resources: list[Resource]) -> list[tuple[str, str, str, float | None]]:
    return [(r.name, r.action, r.state, r.seconds) for r in resources]


def test_cdk_events_give_each_resource_with_its_duration_and_the_reason_of_a_failure() -> None:
    found = told(
        "Shop |  0/12 | 3:35:06 AM | CREATE_IN_PROGRESS   | AWS::CloudFormation::Stack | Shop User Initiated",
        "Shop |  0/12 | 3:35:07 AM | CREATE_IN_PROGRESS   | AWS::SQS::Queue | Api/Queue (ApiQueue1F)",
        "Shop |  0/12 | 3:35:08 AM | CREATE_IN_PROGRESS   | AWS::SQS::Queue | Api/Queue (ApiQueue1F) Initiated",
        "Shop |  1/12 | 3:35:09 AM | \x1b[32mCREATE_COMPLETE     \x1b[0m | AWS::SQS::Queue | Api/Queue (ApiQueue1F)",
        "Shop |  1/12 | 3:35:10 AM | CREATE_IN_PROGRESS   | AWS::S3::Bucket | Site (Site9A)",
        "Shop |  2/12 | 3:35:11 AM | CREATE_FAILED        | AWS::S3::Bucket | Site (Site9A) a | b already exists",
        "Shop |  1/12 | 3:35:12 AM | DELETE_IN_PROGRESS   | AWS::SQS::Queue | Api/Queue (ApiQueue1F)",
        "Shop |   0 | 3:35:13 AM | DELETE_COMPLETE      | AWS::SQS::Queue | Api/Queue (ApiQueue1F)",
    )
    assert short(found)[1:] == [
        ("Api/Queue", "create", "completed", 2.0),
        ("Site", "create", "failed", 1.0),
        ("Api/Queue", "delete", "completed", 1.0),
    ]
    assert (found[2].reason, found[2].kind, found[2].stack) == ("a | b already exists", "AWS::S3::Bucket", "Shop")


def test_plain_cloudformation_tables_are_read_too() -> None:
    found = told(
        "CREATE_IN_PROGRESS          AWS::Lambda::Function       HandlerFn                   -",
        "CREATE_COMPLETE             AWS::Lambda::Function       HandlerFn                   -",
        "CREATE_FAILED               AWS::DynamoDB::Table        Orders                      Already exists: orders",
    )
    assert short(found) == [("HandlerFn", "create", "completed", 1.0), ("Orders", "create", "failed", 0.0)]
    assert found[1].reason == "Already exists: orders"


def test_terraform_says_itself_how_long_each_took() -> None:
    found = told(
        "module.net.aws_vpc.main: Creating...",
        'aws_s3_bucket.b["eu"]: Creating...',
        "module.net.aws_vpc.main: Still creating... [10s elapsed]",
        "module.net.aws_vpc.main: Creation complete after 1m12s [id=vpc-0a]",
        "aws_iam_role.old: Destroying... [id=old]",
        "aws_iam_role.old: Destruction complete after 1s",
        "╷",
        "│ Error: creating S3 Bucket (shop): BucketAlreadyExists",
        "│ ",
        '│   with aws_s3_bucket.b["eu"],',
        '│   on main.tf line 3, in resource "aws_s3_bucket" "b":',
    )
    assert short(found) == [
        ("module.net.aws_vpc.main", "create", "completed", 72.0),
        ('aws_s3_bucket.b["eu"]', "create", "failed", 8.0),
        ("aws_iam_role.old", "delete", "completed", 1.0),
    ]
    assert found[1].reason == "creating S3 Bucket (shop): BucketAlreadyExists"
    assert [r.kind for r in found] == ["aws_vpc", "aws_s3_bucket", "aws_iam_role"]


def test_pulumi_rows_are_read() -> None:
    found = told(
        " +  aws:s3/bucket:Bucket site creating (0s)",
        " +  aws:s3/bucket:Bucket site created (3.2s)",
        " ~  aws:lambda:Function api updating (0s)",
        " ~  aws:lambda:Function api **updating failed**",
        " -  aws:iam/role:Role old deleted (1s)",
    )
    assert short(found) == [
        ("site", "create", "completed", 3.2),
        ("api", "update", "failed", 1.0),
        ("old", "delete", "completed", 1.0),
    ]


@pytest.mark.parametrize("case", ["cdk-deploy-pipe", "cdk-deploy-bar-pty", "cdk-destroy-pipe", "cdk-rollback-pasted"])
def test_real_cdk_logs_give_resources_that_all_have_an_end(case: str) -> None:
    raw = gzip.decompress((DATA / "cases" / f"{case}.log.gz").read_bytes())
    found = [r for r in told(*(message for message, _ in segments(raw)), every=10) if "Stack" not in r.kind]
    assert len(found) > 5
    assert {r.state for r in found if r.state == "running"} == set()
    assert any(r.state == "failed" and r.reason for r in found) == ("rollback" in case)


def test_terraform_s_log_gives_its_resources() -> None:
    raw = gzip.decompress((CAPTURES / "cases" / "terraform-mixed-pasted.log.gz").read_bytes())
    found = told(*(message for message, _ in segments(raw)))
    assert found
    assert all(r.seconds is not None for r in found if r.state == "completed")


def test_a_failed_update_that_is_rolled_back_stays_failed_and_a_second_one_begins_anew() -> None:
    line = "Shop | 1/3 | 3:35:07 AM | UPDATE_{state:<14} | AWS::SQS::Queue | Queue (Queue1F){reason}"
    steps = (("IN_PROGRESS", ""), ("FAILED", " Bad runtime"), ("IN_PROGRESS", ""), ("COMPLETE", ""))
    (found,) = told(*(line.format(state=state, reason=reason) for state, reason in steps))
    assert (found.state, found.reason, found.seconds) == ("failed", "Bad runtime", 1.0)
    again = (("IN_PROGRESS", ""), ("COMPLETE", ""), ("IN_PROGRESS", ""), ("COMPLETE", ""))
    (found,) = told(*(line.format(state=state, reason=reason) for state, reason in again), every=100_000)
    assert (found.state, found.began, found.seconds) == ("completed", T + 200_000, 100.0)


@given(st.lists(st.text(max_size=120), max_size=20))
def test_no_line_breaks_it(lines: list[str]) -> None:
    told(*lines)
