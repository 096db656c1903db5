"""Deployments: AWS CDK, Kubernetes."""

from __future__ import annotations

import re

from miyabi.progress.formats.row import Format, nothing, take
from miyabi.progress.found import Found

_TIME = r"\d\d?:\d\d:\d\d(?: [AP]M)?"


def _event(name: str, found: re.Match[str]) -> Found | None:
    seen = take(name, found)
    if seen is None:
        return None
    status = found["status"]
    phase = "rollback" if "ROLLBACK" in status else status.split("_")[0].lower()
    stack = found["label"]
    return seen._replace(step=found["what"].strip()[:200], phase=f"{stack}: {phase}" if stack else phase)


FORMATS = (
    Format(
        "cdk event",
        "AWS CDK: an event of a stack with its counter; an update counts past its total",
        ("_IN_PROG", "_COMPLETE", "_FAILED"),
        re.compile(
            rf"(?:(?P<label>[\w-]{{1,128}}) \|)?\s{{1,6}}(?P<n>\d+)/(?P<m>\d+) \| {_TIME} \| (?P<status>[A-Z_]+)\s*"
            r"\| (?P<what>.{0,300})"
        ),
        (
            (
                "Shop |  0/12 | 3:35:06 AM | REVIEW_IN_PROGRESS   | AWS::CloudFormation::Stack | Shop User Initiated",
                0,
                12,
                0,
            ),
            (
                " 7/45 | 10:30:50 AM | CREATE_COMPLETE      | AWS::DynamoDB::Table | Orders (Orders4574C30B)",
                7,
                45,
                15.6,
            ),
            ("OrdersStack | 7/6 | 5:02:16 PM | UPDATE_COMPLETE      | AWS::SQS::Queue | Queue6 (Queue63)", 6, 6, 100),
        ),
        _event,
    ),
    Format(
        "cdk event without a total",
        "AWS CDK: destroy and rollback, which know no total; reasons and tables of failures",
        ("_IN_PROG", "_COMPLETE", "_FAILED"),
        re.compile(rf"(?:[\w-]{{1,128}} \|)?\s*(?:\d+ \| )?{_TIME} \| [A-Z_]+"),
        (
            (
                "MetricsStack |  14 | 5:02:34 PM | DELETE_IN_PROGRESS   | AWS::SSM::Parameter | Param4 (Param4)",
                None,
                None,
                None,
            ),
        ),
        nothing,
    ),
    Format(
        "cdk bar",
        "AWS CDK with --progress bar",
        ("] (",),
        re.compile(r"\[[█▉▊▋▌▍▎▏·]+\] \((?P<n>\d+)/(?P<m>\d+)\)"),
        (("[██████████████████████████████████························] (10/17)", 10, 17, 58.8),),
    ),
    Format(
        "cdk stack",
        "AWS CDK: which stack of how many; its events count",
        ("ing... [",),
        re.compile(r"[\w-]+: (?:deploying|destroying|publishing|rolling back)\.\.\. \[\d+/\d+\]"),
        (("OrdersStack: deploying... [1/2]", None, None, None),),
        nothing,
    ),
    Format(
        "kubectl rollout",
        "kubectl rollout status: replicas",
        ("Waiting for ",),
        re.compile(r"Waiting for .*?: (?P<n>\d+) (?:out )?of (?P<m>\d+) (?:new |updated )?(?:replicas|pods)"),
        (
            (
                'Waiting for deployment "web" rollout to finish: 3 out of 7 new replicas have been updated...',
                3,
                7,
                42.9,
            ),
        ),
    ),
)
