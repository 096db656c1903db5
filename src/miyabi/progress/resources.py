"""What a deployment did to each resource and how long that took: CDK, CloudFormation, SAM, Terraform, OpenTofu, Pulumi.

Lines with their times in, resources out. The times are the lines', but where a tool says how long it took.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple, get_args

from msgspec import Struct

from miyabi.progress.found import clip
from miyabi.progress.terminal import visible

Action = Literal["create", "update", "delete", "import"]
State = Literal["running", "completed", "failed"]

LONGEST = 4000
"""Characters of a line that are looked at."""
AGAIN = 60_000
"""Ms; a beginning that comes sooner after the end is one that was told late."""
MOST = 5000
"""Resources of one run that are told of."""


class Resource(Struct):
    """One action on one resource. ``began`` and ``ended`` in ms; ``seconds`` as the tool says, else between the two."""

    name: str
    kind: str
    action: Action
    state: State
    began: int
    stack: str | None = None
    ended: int | None = None
    seconds: float | None = None
    reason: str | None = None


class _Seen(NamedTuple):
    name: str
    kind: str
    action: Action
    state: State
    stack: str | None = None
    seconds: float | None = None
    reason: str | None = None


_ACTIONS: dict[str, Action] = {
    "CREATE": "create",
    "UPDATE": "update",
    "DELETE": "delete",
    "IMPORT": "import",
    "ROLLBACK": "delete",
    "creat": "create",
    "updat": "update",
    "modify": "update",
    "modifi": "update",
    "replac": "update",
    "delet": "delete",
    "destroy": "delete",
    "destruct": "delete",
    "import": "import",
}
_CLOUDFORMATION = re.compile(
    r"(?:(?P<stack>[\w-]{1,128}) +\| +)?(?:\d+(?:/\d+)? \| )?(?:[\d:]{7,8}(?: [AP]M)? \| )?\|? *"
    r"(?P<action>CREATE|UPDATE|DELETE|IMPORT)_(?P<state>IN_PROG|COMPLETE|FAILED)[A-Z_]*[ |]+"
    r"(?P<kind>(?:[A-Z]\w{1,60}::)+[\w:]{1,100}?)[ |]+(?P<rest>\S.{0,600})"
)
_CDK_NAME = re.compile(r"(?P<path>.{1,300}?) \((?P<id>[A-Za-z0-9]{1,255})\)(?: (?P<reason>.*))?$")
_TERRAFORM = re.compile(
    r"(?P<name>[\w.\-\[\]\"/]{3,300}): (?:(?P<on>Creating|Modifying|Destroying|Importing)\.\.\.|(?P<still>Still )"
    r"|(?P<over>Creation|Modifications|Destruction|Import) complete(?: after (?P<took>[\dhms]{2,12}))?)"
)
_TERRAFORM_ERROR = re.compile(r"│? {0,4}Error: (?P<reason>\S.{0,400})")
_TERRAFORM_WITH = re.compile(r"│? {1,6}with (?P<name>[\w.\-\[\]\"/]{3,300}),")
_PULUMI = re.compile(
    r"[ @]{0,4}(?:\+\+|\+-|-\+|[+~=-])? +(?P<kind>[\w-]{1,60}:[\w/.-]{1,80}:\w{1,80}|pulumi:[\w:]{1,60}) "
    r"(?P<name>\S{1,200}) +"
    r"(?:\*\*)?(?P<what>creat|updat|delet|replac|import)(?P<end>ing|ed)(?P<failed> failed)?(?:\*\*)?"
    r"(?: \((?P<took>[\d.]{1,8})s\))?"
)


class Resources:
    """The resources of a run, line after line."""

    def __init__(self) -> None:
        self._found: dict[tuple[str | None, str, Action], Resource] = {}
        self._error: str | None = None

    @property
    def all(self) -> list[Resource]:
        """By the order in which they began."""
        return list(self._found.values())

    def read(self, time: int, message: str) -> None:
        """A line that came at ``time`` (ms)."""
        text = visible(message[:LONGEST]).rstrip("\r")
        broken = _TERRAFORM_ERROR.match(text)
        if broken:
            self._error = clip(broken["reason"])
            return
        blamed = _TERRAFORM_WITH.match(text) if self._error else None
        if blamed:
            self._fail(blamed["name"], time)
            return
        for seen in _seen(text):
            self._take(seen, time)

    def _take(self, seen: _Seen, time: int) -> None:
        key = seen.stack, seen.name, seen.action
        resource = self._found.get(key)
        again = resource is not None and resource.state == "completed" and time - (resource.ended or 0) > AGAIN
        if resource is None or (again and seen.state == "running"):
            if len(self._found) >= MOST:
                return
            resource = self._found[key] = Resource(seen.name, seen.kind, seen.action, "running", time, seen.stack)
        if seen.state != "running" and resource.state != "failed":
            _end(resource, seen, time)

    def _fail(self, name: str, time: int) -> None:
        for action in get_args(Action):
            resource = self._found.get((None, name, action))
            if resource is not None and resource.state == "running":
                _end(resource, _Seen(name, resource.kind, action, "failed", reason=self._error), time)
        self._error = None


def _end(resource: Resource, seen: _Seen, time: int) -> None:
    resource.state, resource.ended, resource.reason = seen.state, time, seen.reason
    resource.seconds = seen.seconds if seen.seconds is not None else max(0, time - resource.began) / 1000


def _seen(text: str) -> Iterator[_Seen]:
    for read_line in (_cloudformation, _terraform, _pulumi):
        seen = read_line(text)
        if seen is not None:
            yield seen
            return


def _cloudformation(text: str) -> _Seen | None:
    found = _CLOUDFORMATION.match(text.strip()) if "_" in text and "::" in text else None
    if found is None:
        return None
    rest = found["rest"].strip(" |")
    named = _CDK_NAME.match(rest)
    name, reason = (named["path"], named["reason"]) if named else (rest.split()[0], " ".join(rest.split()[1:]))
    states: dict[str, State] = {"IN_PROG": "running", "COMPLETE": "completed", "FAILED": "failed"}
    state = states[found["state"]]
    why = clip(reason.strip(" |-")) if reason and state == "failed" else None
    return _Seen(name, found["kind"], _ACTIONS[found["action"]], state, found["stack"], reason=why or None)


def _terraform(text: str) -> _Seen | None:
    found = _TERRAFORM.match(text.strip()) if ": " in text else None
    if found is None or found["still"]:
        return None
    word = (found["on"] or found["over"]).lower()
    action = next(action for start, action in _ACTIONS.items() if word.startswith(start))
    kind = next((part for part in reversed(found["name"].split(".")[:-1]) if "_" in part), "")
    state: State = "running" if found["on"] else "completed"
    return _Seen(found["name"], kind, action, state, seconds=_seconds(found["took"]))


def _pulumi(text: str) -> _Seen | None:
    found = _PULUMI.match(text) if ":" in text else None
    if found is None:
        return None
    state: State = "failed" if found["failed"] else "running" if found["end"] == "ing" else "completed"
    took = float(found["took"]) if found["took"] and state != "running" else None
    return _Seen(found["name"], found["kind"], _ACTIONS[found["what"]], state, seconds=took)


def _seconds(text: str | None) -> float | None:
    """``1m12s`` → 72."""
    if text is None:
        return None
    parts = re.findall(r"(\d+)([hms])", text)
    return float(sum(int(value) * {"h": 3600, "m": 60, "s": 1}[unit] for value, unit in parts))
