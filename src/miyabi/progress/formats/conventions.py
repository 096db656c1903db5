"""Lines made for the purpose: what CI services and installers agreed on."""

from __future__ import annotations

import re

from miyabi.progress.formats.row import Format, to_go

FORMATS = (
    Format(
        "azure pipelines",
        "Azure Pipelines' logging command",
        ("##vso[",),
        re.compile(r".*?##vso\[task\.setprogress [^\]]*?value=(?P<p>\d{1,3})[^\]]*\](?P<step>[^\r\n]{0,200})"),
        (("##vso[task.setprogress value=52;]Copying", None, None, 52),),
    ),
    Format(
        "apt status",
        "apt's APT::Status-Fd lines: downloads and installs in per cent",
        ("dlstatus:", "pmstatus:"),
        re.compile(r"(?P<label>dlstatus|pmstatus):[^:]+(?::[a-z0-9]+)?:(?P<p>\d{1,3}(?:\.\d+)?):(?P<step>.{0,200})"),
        (
            ("pmstatus:libwrap0:2.4762:Unpacking libwrap0 (amd64)", None, None, 2.4762),
            ("dlstatus:18:55.8030:Retrieving file 18 of 131", None, None, 55.803),
        ),
    ),
    Format(
        "keys",
        "what is done and the total, each behind its name",
        ("otal=", "otal:"),
        re.compile(
            r"(?:.{0,400}?[\s,;({])?[\"']?(?:current|done|completed|processed|finished|step|index|position)[\"']?"
            r"\s?[=:]\s?(?P<n>\d+)(?:[,;]?\s[\w.]{1,30}\s?[=:]\s?\S{1,60}){0,4}?[,;]?\s[Tt]otal\s?[=:]\s?(?P<m>\d+)\b"
        ),
        (
            ('level=info msg="copying" current=15 total=29', 15, 29, 51.7),
            ("processed: 15, failed: 0, total: 29", 15, 29, 51.7),
        ),
    ),
    Format(
        "done and left",
        "what is done and what is left, in words",
        (" remaining", " left", " to go", " pending"),
        re.compile(
            r"(?:.{0,200}?[\s,;:(\[])?(?P<n>\d+) (?:\w+ )?(?:done|completed?|finished|processed|copied)"
            r"(?:,| and|;| /)? (?P<left>\d+) (?:\w+ )?(?:remaining|left|to go|pending)\b"
        ),
        (("15 files done, 14 remaining", 15, 29, 51.7),),
        to_go,
    ),
    Format(
        "key=value",
        "progress=52, percent=52.4 and their like in structured logs",
        ("progress=", "percent=", "pct=", "percentage="),
        re.compile(r"(?:.*[\s,;])?(?:progress|percent|pct|percentage)=\"?(?P<p>\d{1,3}(?:\.\d+)?)%?\"?(?:[\s,;]|$)"),
        (("level=info msg=copying percent=52.4 file=a.bin", None, None, 52.4),),
    ),
)
