"""Deployments: AWS CDK, Kubernetes."""

from __future__ import annotations

import re

from miyabi.progress.formats.row import Format, Memory, nothing, take
from miyabi.progress.found import Found, number

MOST_REMEMBERED = 20
_TIME = r"\d\d?:\d\d:\d\d(?: [AP]M)?"


def _event(name: str, found: re.Match[str], memory: Memory) -> Found | None:
    seen = take(name, found, memory)
    if seen is None:
        return None
    status, stack = found["status"], found["label"] or ""
    if "ROLLBACK" in status and len(memory) < MOST_REMEMBERED:
        memory[f"rollback {stack[:40]}"] = 1
    phase = "rollback" if f"rollback {stack[:40]}" in memory else status.split("_")[0].lower()
    if memory.get("stacks", 1) > 1:
        phase = f"{phase} (stack {memory['stack']:.0f} of {memory['stacks']:.0f})"
    return seen._replace(step=found["what"].strip()[:200], phase=f"{stack}: {phase}" if stack else phase)


def _stack(name: str, found: re.Match[str], memory: Memory) -> Found | None:
    memory["stack"], memory["stacks"] = number(found["k"]), number(found["of"])
    return None


def _whole(name: str, found: re.Match[str], memory: Memory) -> Found | None:
    memory[name] = 1
    return take(name, found, memory)


def _stage(name: str, found: re.Match[str], memory: Memory) -> Found | None:
    """A stage counts its own steps; where the head of the display counts all of them, only that is progress."""
    return None if "buildkit" in memory else take(name, found, memory)


FORMATS = (
    Format(
        "buildkit",
        "docker build, bake and compose on a terminal: steps of all stages",
        ("[+] ",),
        re.compile(
            r"\s*\[\+\] (?P<step>Building|Running|Pulling|Pushing|Creating|up|down)\b[^(\d]*(?:[\d.]+m?s?)?\s*\(?"
            r"(?P<n>\d+)/(?P<m>\d+)\)?"
        ),
        (
            ("[+] Building 15.2s (15/29)                              docker:default", 15, 29, 51.7),
            ("[+] Running 3/7", 3, 7, 42.9),
        ),
        _whole,
    ),
    Format(
        "buildkit detail",
        "docker build: bytes of a layer, files sent",
        ("=> => ", "sha256:"),
        re.compile(r"\s*(?:=> => |#\d+ sha256:)"),
        ((" => => sha256:6107562e90a8 2.10MB / 7.65MB      0.2s", None, None, None),),
        nothing,
    ),
    Format(
        "buildkit stage",
        "docker build: a step of a stage",
        ("=> [", "#"),
        re.compile(
            r"\s*(?:=>|#\d+) (?:CACHED )?\[(?:(?P<label>[\w.-]{1,60}) )?\s*(?P<n>\d+)/(?P<m>\d+)\] (?P<step>.{0,200})"
        ),
        (
            ("#12 [app 3/7] RUN npm ci", 3, 7, 42.9),
            (" => [build 5/9] COPY . .                                 0.1s", 5, 9, 55.6),
        ),
        _stage,
    ),
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
        re.compile(r"[\w-]+: (?:deploying|destroying|publishing|rolling back)\.\.\. \[(?P<k>\d+)/(?P<of>\d+)\]"),
        (("OrdersStack: deploying... [1/2]", None, None, None),),
        _stack,
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
