"""Jobs that name each piece when it is done: the reader counts them.

A row has a pattern that tells the total (its numbers are added up) or announces one piece, and one that says that a
piece is done; its number is the group, where it has one. A group ``marks`` is a row of marks, one for each piece done.
"""

from __future__ import annotations

import re
from typing import NamedTuple


class Tally(NamedTuple):
    """``total`` sets the total to the sum of its groups; ``piece`` announces one more; ``done`` is one done.

    A line with none of ``hints`` is never tried.
    """

    name: str
    about: str
    hints: tuple[str, ...]
    done: re.Pattern[str]
    total: re.Pattern[str] | None = None
    piece: re.Pattern[str] | None = None


TALLIES = (
    Tally(
        "terraform",
        "Terraform and OpenTofu: resources of the plan",
        ("complete after", "Plan: "),
        re.compile(r"^\S+: (?:Creation|Modifications|Destruction|Import) complete"),
        total=re.compile(r"^Plan: (?:(\d+) to import, )?(\d+) to add, (\d+) to change, (\d+) to destroy"),
    ),
    Tally(
        "docker pull",
        "docker and podman: layers of an image",
        ("Pull", "exists"),
        re.compile(r"^\s*[0-9a-f]{12}:? (?:Pull complete|Already exists)"),
        piece=re.compile(r"^\s*[0-9a-f]{12}:? (?:Pulling fs layer|Already exists)"),
    ),
    Tally(
        "scikit-learn search",
        "GridSearchCV and its like: fits",
        ("[CV", "fits"),
        re.compile(r"^\[CV[^\]]*\] END "),
        total=re.compile(r"totalling (\d+) fits"),
    ),
    Tally(
        "TAP",
        "Test Anything Protocol: tests of the plan",
        ("ok ", "1.."),
        re.compile(r"^(?:not )?ok (\d+)\b"),
        total=re.compile(r"^1\.\.(\d+)\s*$"),
    ),
    Tally(
        "playwright",
        "Playwright's list reporter: tests",
        ("✓", "✔", "✘", "ok ", "x ", "- ", "Running "),
        re.compile(r"^\s+(?:[✓✔✘✖-]|ok|x)\s+(\d+) "),
        total=re.compile(r"^\s*Running (\d+) tests? using \d+ workers?"),
    ),
    Tally(
        "googletest",
        "GoogleTest: tests",
        ("[==", "[  "),
        re.compile(r"^\[ {2,7}(?:OK|FAILED|SKIPPED) {1,2}\] .*\(\d+ ms\)"),
        total=re.compile(r"^\[=+\] Running (\d+) tests?"),
    ),
    Tally(
        "django and minitest",
        "Django, unittest and minitest: tests found, then a line or a mark for each",
        ("Found ", "Running ", " ... ", "...."),
        re.compile(
            r"^.+ \.\.\. (?:ok|FAIL|ERROR|skipped .*|expected failure|unexpected success)\s*$"
            r"|^(?P<marks>[.FEsxuS]{2,})\s*$"
        ),
        total=re.compile(r"^Found (\d+) test\(s\)\.|^Running (\d+) tests in "),
    ),
    Tally(
        "ghostscript",
        "Ghostscript: pages",
        ("Page ", "Processing pages "),
        re.compile(r"^Page (\d+)\s*$"),
        total=re.compile(r"^Processing pages \d+ through (\d+)\."),
    ),
    Tally(
        "package operations",
        "Composer and Poetry: packages",
        ("Package op", "ing "),
        re.compile(
            r"^\s+[-•] (?:Installing|Updating|Upgrading|Downgrading|Removing) \S+ \([^)]*\)"
            r"(?:: Extracting archive|: Loading.*)?$"
        ),
        total=re.compile(r"^Package operations: (\d+) installs?, (\d+) updates?(?:,| and) (\d+) removals?"),
    ),
)
