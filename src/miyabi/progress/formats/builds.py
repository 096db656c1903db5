"""Builds and test runs."""

from __future__ import annotations

import re

from miyabi.progress.formats.row import Format, Memory, nothing
from miyabi.progress.found import Found, number


def _ended(name: str, found: re.Match[str], memory: Memory) -> Found | None:
    """Pieces start in order and end in any: those that have ended count. A later log is taken at its word."""
    total = number(found["m"])
    if found["step"].startswith("START"):
        memory.setdefault(name, 0)
    else:
        memory[name] = memory[name] + 1 if name in memory else number(found["n"])
    done = min(memory[name], total)
    return Found(name, done, total, label=name, step=found["step"]) if total else None


def _files(name: str, found: re.Match[str], memory: Memory) -> Found | None:
    done, total = sum(number(found[group] or "0") for group in "abc"), number(found["m"])
    return Found(name, min(done, total), total, label=name, whole=True) if total else None


def _all_tasks(name: str, found: re.Match[str], memory: Memory) -> Found | None:
    """The whole build; the bars of single tasks stand below it."""
    done, total = number(found["n"]), number(found["m"])
    return Found(name, min(done, total), total, label=name, overall=True) if total else None


def _of_all(name: str, found: re.Match[str], memory: Memory) -> Found | None:
    """A percentage of the whole run, whatever the names beside it count."""
    share = number(found["p"])
    return Found(name, percentage=share, label=name, whole=True) if share <= 100 else None


FORMATS = (
    Format(
        "pytest",
        "pytest -v: a test's id may hold any numbers",
        ("PASSED", "FAILED", "SKIPPED", "ERROR", "XFAIL", "XPASS"),
        re.compile(
            r"[^\s:]{1,400}::.* (?:PASSED|FAILED|ERROR|XPASS|(?:SKIPPED|XFAIL)(?: \([^\n]{0,300}\))?)"
            r" +\[ *(?P<p>\d{1,3})%\]\s*$"
        ),
        (
            ("tests/test_stages.py::test_a_stage[[1/2] a 30%] PASSED                     [ 86%]", None, None, 86),
            ("tests/test_a.py::test_b SKIPPED (no 3/5 here)     [ 12%]", None, None, 12),
        ),
        _of_all,
    ),
    Format(
        "Stack",
        "Haskell's Stack: packages of all, on its last line",
        ("Progress ",),
        re.compile(r"Progress (?P<n>\d{1,5})/(?P<m>\d{1,5})(?:: \S|$)"),
        (("Progress 7/9: wick", 7, 9, 77.8),),
        _all_tasks,
    ),
    Format(
        "BitBake",
        "Yocto: tasks of all",
        ("unning task",),
        re.compile(
            r"(?:NOTE: )?(?:Currently +\d+ running tasks? \(|Running (?:noexec )?task )(?P<n>\d+) of (?P<m>\d+)\b"
        ),
        (
            ("Currently  2 running tasks (2310 of 4011)  57% |###############         |", 2310, 4011, 57.6),
            ("NOTE: Running task 123 of 4567 (/srv/poky/meta/recipes-core/a.bb:do_compile)", 123, 4567, 2.7),
        ),
        _all_tasks,
    ),
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
        "dbt",
        "dbt: the model, test or seed that starts or has ended; with several threads they end out of order",
        (" of ",),
        re.compile(
            r"(?:\d\d:\d\d:\d\d +)?(?P<n>\d+) of (?P<m>\d+) "
            r"(?P<step>(?:START|OK|ERROR|FAIL|PASS|WARN|SKIP|NO-OP|CREATE)\b.{0,200})"
        ),
        (("10:15:30  15 of 29 OK created sql table model sales.orders ....... [SELECT 152 in 0.52s]", 15, 29, 51.7),),
        _ended,
    ),
    Format(
        "vitest",
        "Vitest: test files that have ended, of those found so far",
        ("Test Files ",),
        re.compile(
            r"\s*(?:❯ )?Test Files +(?:(?P<a>\d+) failed \| )?(?P<b>\d+) (?:passed|failed)"
            r"(?: \| (?P<c>\d+) (?:skipped|todo))? \((?P<m>\d+)\)"
        ),
        ((" Test Files  1 failed | 14 passed (29)", 15, 29, 51.7),),
        _files,
    ),
    Format(
        "vitest file",
        "Vitest: the tests of one file, and the tests known so far",
        ("❯ ", "✓ ", "Tests "),
        re.compile(r"\s*(?:[❯✓×] \S+\.[cm]?[jt]sx? \d+/\d+|Tests +(?:\d+ \w+(?: \| )?)+ \(\d+\))"),
        ((" ❯ vtest/b.test.js 4/9", None, None, None),),
        nothing,
    ),
    Format(
        "maven",
        "Maven: the module of the reactor that is being built",
        ("[INFO] Building ",),
        re.compile(r"\[INFO\] Building (?P<step>.+?)\s+\[(?P<n>\d+)/(?P<m>\d+)\]"),
        (("[INFO] Building shop-core 1.2.0                                         [15/29]", 15, 29, 51.7),),
    ),
)
