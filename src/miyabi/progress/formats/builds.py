"""Builds and test runs."""

from __future__ import annotations

import re

from miyabi.progress.formats.row import Format, nothing

FORMATS = (
    Format(
        "ctest summary",
        "CTest's tally of what passed",
        ("% tests passed",),
        re.compile(r"\s*\d+% tests passed"),
        (("52% tests passed, 14 tests failed out of 29", None, None, None),),
        nothing,
    ),
    Format(
        "jest",
        "Jest: test suites of those found",
        ("Test Suites:",),
        re.compile(r"Test Suites:.*?(?P<n>\d+) of (?P<m>\d+) total"),
        (("Test Suites: 1 failed, 14 passed, 15 of 29 total", 15, 29, 51.7),),
    ),
    Format(
        "maven",
        "Maven: the module of the reactor that is being built",
        ("[INFO] Building ",),
        re.compile(r"\[INFO\] Building (?P<step>.+?)\s+\[(?P<n>\d+)/(?P<m>\d+)\]"),
        (("[INFO] Building shop-core 1.2.0                                         [15/29]", 15, 29, 51.7),),
    ),
)
