"""How a run ended, by its own closing words, and the one line that says why it failed.

Two tables of phrases: those that open a line and those that stand anywhere in it. They are a tool's words for the
end of the whole run; words that tools also use for one of many pieces are not among them.
"""

from __future__ import annotations

import re

_TOOK = r"(?:in|took|after) [\d.:]+ ?\w*\W*$"

_OPENS_SUCCESS = (
    r"build success(?:ful)?\b",
    r"build (?:completed|finished|succeeded)\b",
    r"everything is ok\b",
    r"finished: success\b",
    r"successfully (?:installed|downloaded|built|uploaded|tagged|created|deployed|completed|updated|destroyed|wrote)\b",
    r"finished `?[\w-]+`? (?:profile|\[)",
    r"(?:apply|destroy) complete!",
    r"(?:added|removed|changed|updated) \d+ packages?\b",
    r"up to date(?:,| in) ",
    r"no errors were found",
    r"snapshot [0-9a-f]{8} saved",
    r"all \d+ \w+ (?:have |were |are )?(?:finished |completed |passed )?(?:success|passed|ok|done)",
    r"all (?:tests|checks|jobs|tasks|steps|done)\b.{0,20}(?:pass|success|complete|done|finished|$)",
    r"(?:upload|download|copy|move): \S+ to \S+",
    r"status: (?:downloaded newer image|image is up to date)",
    r"\d+ \w+ files? (?:updated|created|unchanged)\s*$",
    r"test result: ok\.",
    r"\d+ of \d+ steps \(100%\) done",
    r"\[100%\] built target ",
    r"(?:all )?(?:done|finished|complete[d]?|success(?:ful(?:ly)?)?|succeeded|ok)[.! ]*$",
    rf"(?:done|finished|completed?|built|compiled)\b.{{0,80}}\b{_TOOK}",
    r"(?:process|job|run|task|pipeline|workflow|backup|restore|migration|deployment|deploy|sync) "
    r"(?:has )?(?:completed?|finished|succeeded|done)\b",
)
_HAS_SUCCESS = (
    r"\b(?:completed|finished|ended|built|deployed|installed|done|compiled|rolled out|exited) successfully\b",
    r"\bsuccessfully (?:completed|finished|deployed|built|rolled out|installed|compiled)\b",
    r"✅ {1,3}\S+",
    r"\bexit(?:ed)?(?: with)?(?: code| status):? 0\b",
    r"\"message_type\":\"summary\"",
    r"\| elapsed: .* finished$",
    r"- done, .{0,60} in [\d.]+ ?s\b",
)
_OPENS_FAILURE = (
    r"BUILD FAIL(?:ED|URE)\b",
    r"Build (?:failed|FAILED)\b",
    r"Finished: (?:FAILURE|ABORTED|UNSTABLE)\b",
    r"make(?:\[\d+\])?: \*\*\* ",
    r"ninja: (?:build stopped|error|fatal)",
    r"Break signaled",
    r"npm (?:ERR!|error) (?:code|[A-Z])",
    r"ERROR: ",
    r"(?:Error|error|fatal|FATAL|panic|Fatal error|FATAL ERROR)(?:\[\w+\])?: ",
    r"Template format error",
    r"Failed Tests \(\d",
    r"Failed: +[1-9]",
    r"[A-Za-z_][\w.]{0,80}(?:Error|Exception|Interrupt|Failure)(?:: |$)",
    r"(?:aborted|Aborted|ABORTED|aborting|Terminated|Killed)\b.{0,20}$",
    r"❌",
    r"At least one job did not complete",
    r"Segmentation fault",
    r"Process completed with exit code [1-9]",
    r"##\[error\]",
    r"E: ",
    r"\d+ examples?, [1-9]\d* failures?",
    r"FAILURES?!",
    r"(?:failed|FAILED|Failed|failure|FAILURE)[.!]*$",
    r"FAIL(?:ED)? \([\w=, ]+\)",
)
_HAS_FAILURE = (
    r"\bexit(?:ed)?(?: with)?(?: code| status):? -?[1-9]",
    r"\b[1-9]\d* (?:tests? )?failed\b(?:,| in )",
    r"\b(?:deployment|build|job|run|command|task|pipeline|apply|update|stack) failed\b",
)

SUCCESS = re.compile(rf"\W{{0,8}}(?:{'|'.join(_OPENS_SUCCESS)})", re.IGNORECASE)
SUCCESS_WITHIN = re.compile("|".join(_HAS_SUCCESS), re.IGNORECASE)
FAILURE = re.compile(rf"\W{{0,8}}(?:{'|'.join(_OPENS_FAILURE)})")
FAILURE_WITHIN = re.compile("|".join(_HAS_FAILURE), re.IGNORECASE)
TRACEBACK = re.compile(r"Traceback \(most recent call last\)")
EXCEPTION = re.compile(r"[A-Za-z_][\w.]{0,80}(?:: |$)")


def verdict(line: str) -> str | None:
    """``succeeded`` or ``failed`` where ``line`` says so, else ``None``."""
    if FAILURE.match(line) or FAILURE_WITHIN.search(line):
        return "failed"
    if SUCCESS.match(line) or SUCCESS_WITHIN.search(line):
        return "succeeded"
    return None
