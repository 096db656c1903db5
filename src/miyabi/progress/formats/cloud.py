"""Deployments: AWS CDK, Kubernetes."""

from __future__ import annotations

import re
from zlib import crc32

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
        seen, place = _among_stacks(seen, stack, memory)
        phase = f"{phase} ({place})"
    return seen._replace(step=found["what"].strip()[:200], phase=f"{stack}: {phase}" if stack else phase)


def _among_stacks(seen: Found, stack: str, memory: Memory) -> tuple[Found, str]:
    """One of several stacks: by itself while they come one after the other, all together once they come at once."""
    name, known = stack[:40], crc32(stack.encode())
    again = f"done {name}" in memory
    if again or len(memory) + 2 <= MOST_REMEMBERED:
        memory[f"done {name}"], memory[f"all {name}"] = seen.current or 0, seen.total or 1
    if again and memory.get("newest", known) != known and memory.get("unfinished"):
        memory["at once"] = 1
    memory["newest"], memory["unfinished"] = known, float((seen.current or 0) < (seen.total or 1))
    if "at once" not in memory:
        return seen, f"stack {memory['stack']:.0f} of {memory['stacks']:.0f}"
    stacks = [key[5:] for key in memory if key.startswith("done ")]
    done, total = sum(memory[f"done {one}"] for one in stacks), sum(memory[f"all {one}"] for one in stacks)
    ready = sum(memory[f"done {one}"] >= memory[f"all {one}"] for one in stacks)
    return seen._replace(current=done, total=total, label="stacks"), f"{ready} of {memory['stacks']:.0f} stacks done"


def _stack(name: str, found: re.Match[str], memory: Memory) -> Found | None:
    memory["stack"], memory["stacks"] = number(found["k"]), number(found["of"])
    return None


def _whole(name: str, found: re.Match[str], memory: Memory) -> Found | None:
    memory[name] = 1
    return take(name, found, memory)


def _stage(name: str, found: re.Match[str], memory: Memory) -> Found | None:
    """A stage counts its own steps; where the head of the display counts all of them, only that is progress."""
    return None if "buildkit" in memory else take(name, found, memory)


def _of_two(name: str, found: re.Match[str], memory: Memory) -> Found | None:
    """Two halves, each with its own percentage."""
    return Found(name, percentage=(number(found["a"]) + number(found["b"])) / 2, label=name)


def _step_of_stage(name: str, found: re.Match[str], memory: Memory) -> Found | None:
    """Stages with steps of their own."""
    stage, stages, step, steps = (number(found[group]) for group in ("s", "S", "n", "m"))
    if not (1 <= stage <= stages and 1 <= step <= steps):
        return None
    return Found(name, percentage=round(100 * (stage - 1 + step / steps) / stages, 2), label=name, step=found["step"])


FORMATS = (
    Format(
        "MapReduce",
        "Hadoop and Hive: mappers and reducers",
        ("reduce ",),
        re.compile(r".{0,120}?\bmap(?: = | )(?P<a>\d{1,3})%,? +reduce(?: = | )(?P<b>\d{1,3})%"),
        (
            ("24/05/20 09:41:52 INFO mapreduce.Job:  map 68% reduce 12%", None, None, 40),
            ("2024-05-20 11:16:15,003 Stage-1 map = 100%,  reduce = 33%, Cumulative CPU 48.9 sec", None, None, 66.5),
        ),
        _of_two,
    ),
    Format(
        "Tez",
        "Hive on Tez: all vertices",
        ("VERTICES: ",),
        re.compile(r"VERTICES: \d+/\d+ +\[[=>-]+\] +(?P<p>\d{1,3})%"),
        (("VERTICES: 00/02  [========>>------------------] 34%   ELAPSED TIME: 11.72 s", None, None, 34),),
    ),
    Format(
        "Podman",
        "podman build, buildah: steps of each stage",
        ("] STEP ",),
        re.compile(r"\[(?P<s>\d{1,3})/(?P<S>\d{1,3})\] STEP (?P<n>\d{1,4})/(?P<m>\d{1,4}): (?P<step>.{0,200})"),
        (("[2/2] STEP 3/4: USER 65532:65532", None, None, 87.5),),
        _step_of_stage,
    ),
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
