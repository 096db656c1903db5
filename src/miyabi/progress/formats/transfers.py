"""Copies, downloads, archives, disks."""

from __future__ import annotations

import re

from miyabi.progress.formats.row import Format, nothing
from miyabi.progress.found import Found


def _blocks(name: str, found: re.Match[str]) -> Found | None:
    bar = found["bar"]
    return Found(name, percentage=round(100 * len(bar.rstrip()) / len(bar), 1), label=name, confidence=0.7)


FORMATS = (
    Format(
        "qemu-img",
        "qemu-img convert -p",
        ("/100%)",),
        re.compile(r"\s*\((?P<p>\d{1,3}\.\d+)/100%\)"),
        (("    (52.40/100%)", None, None, 52.4),),
    ),
    Format(
        "rclone file",
        "rclone: one of the files in flight; the line Transferred counts them all",
        (" * ",),
        re.compile(r"\s*\* .*: +\d+% /"),
        ((" *                                    f10.dat: 52% /1.500Mi, 3.1Mi/s, 5s", None, None, None),),
        nothing,
    ),
    Format(
        "block bar",
        "pip before 22 and others: a bar of 32 blocks and only the bytes so far",
        ("█",),
        re.compile(r"\s*\|(?P<bar>[█▉▊▋▌▍▎▏ ]{32})\| [\d.]+ ?[kMG]?B [\d.]+ ?[kMG]?B/s"),
        (("     |████████████████                | 15.2 MB 3.4 MB/s eta 0:00:05", None, None, 50),),
        _blocks,
    ),
)
