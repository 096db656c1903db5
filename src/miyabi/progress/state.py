"""What a reader knows of a stream between two lines; it travels with the collector's bookmark."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from miyabi.progress.reading import Reading

VERSION = 5


class Counted(Struct, array_like=True):
    """A tally under way: pieces done of those announced."""

    name: str
    done: int = 0
    total: int = 0


class Suspect(Struct, array_like=True):
    """A number that may count work: where it stood, what it was, how often it has grown."""

    shape: int
    current: float
    total: float
    grown: int = 0


class Jumps(Struct, array_like=True):
    """Where the counts of one label stood, and how often they have jumped about."""

    label: int
    share: float
    times: int = 0


class Stage(Struct, array_like=True):
    """Lines that count stages: their label (a checksum), stage ``at`` of ``of``, and the newest share within it."""

    label: int
    at: float
    of: float
    share: float = 0.0
    inside: bool = False
    """Whether what comes between such lines is taken for a part of the stage."""
    begins: bool = False
    """Whether nothing has come in the stage yet."""
    lane: int = 0
    """Which of several outputs that come through one stream counts them, as a checksum; 0 where there is one."""


class State(Struct, array_like=True):
    """See the fields; everything is bounded, so that it fits in 4 KB."""

    version: int = VERSION
    line: int = 0
    reading: Reading = Reading()
    weight: int = 0
    """How sure the status is: 2 for a closing line, 1 for an error that the job may survive."""
    piece: tuple[float, float] | None = None
    """The piece of the whole that is under way (epoch 2 of 4): counts are within it."""
    within: float = 0.0
    """How much of that piece is done, 0 to 1."""
    stage: Stage | None = None
    """The stage that is under way, where lines count stages."""
    overall: bool = False
    """Whether a bar of the whole job is unfinished: all others are parts of it."""
    top: bool = False
    """Whether a bar on the first row is unfinished: bars below it are parts of it."""
    row: int = 0
    """The first row of the screen on which a bar was drawn; 0 where bars are not put on rows."""
    over: int = 0
    """The label of that bar, as a checksum."""
    shown: int = 0
    """The label of the count that was taken last."""
    counted: list[Counted] = []
    suspects: list[Suspect] = []
    jumps: list[Jumps] = []
    bare: float | None = -1
    """The newest of a stream of nothing but numbers; ``None`` once there was anything else."""
    memory: dict[str, float] = {}
    """See :data:`miyabi.progress.formats.row.Memory`."""
    trace: bool = False
    cause: str | None = None
    """The first line of the newest burst of lines that say what is wrong."""
    cause_line: int = 0
    questions: list[str] = []
    asking: bool = False
    """Whether the lines now are questions to people."""
    boxes: tuple[int, int] = (0, 0)
    """Ticked and all boxes of the list that is being printed."""
    listed: int = 0
    """Boxes in the newest whole list."""
    ticked: int = 0
    """Those of them that are ticked."""


def encode(state: State) -> bytes:
    """At most 4 KB."""
    return msgspec.msgpack.encode(state)


def decode(data: bytes | None) -> State:
    """A new state when there is none, or when it was saved by a reader that kept other things."""
    if not data:
        return State()
    try:
        state = msgspec.msgpack.decode(data, type=State)
    except msgspec.MsgspecError:
        return State()
    return state if state.version == VERSION else State()
