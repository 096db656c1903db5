"""How a run ended, by its own closing words, and the one line that says why it failed.

Two tables of phrases: those that open a line and those that stand anywhere in it. They are a tool's words for the
end of the whole run; words that tools also use for one of many pieces are not among them.
"""

from __future__ import annotations

import re
from typing import Literal

_TOOK = r"(?:in|took|after) [\d.:]+ ?\w*\W*$"

_OPENS_SUCCESS = (
    r"build success(?:ful)?\b",
    r"build (?:completed|finished|succeeded)\b",
    r"everything is ok\b",
    r"finished: success\b",
    r"successfully (?:installed|downloaded|built|uploaded|tagged|created|deployed|completed|updated|destroyed|wrote|"
    r"applied|ran|published|generated|executed|rolled|flashed|written|restored|imported|exported|synced|cloned)\b",
    r"finished `?[\w-]+`? (?:profile|\[)",
    r"(?:apply|destroy) complete!",
    r"(?:added|removed|changed|updated) \d+ packages?\b",
    r"up to date(?:,| in) ",
    r"no errors were found",
    r"snapshot [0-9a-f]{8} saved",
    r"all \d+ \w+ (?:have |were |are )?(?:finished |completed |passed )?(?:success|passed|ok|done|complete|finished)",
    r"all (?:tests|checks|jobs|tasks|steps|done)\b.{0,20}(?:pass|success|complete|done|finished|$)",
    r"(?:upload|download|copy|move): \S+ to \S+",
    r"status: (?:downloaded newer image|image is up to date)",
    r"\d+ \w+ files? (?:updated|created|unchanged)\s*$",
    r"test result: ok\.",
    r"\d+ of \d+ steps \(100%\) done",
    r"\[100%\] built target ",
    r"nmap done:",
    r"finished\. total time",
    r"build complete!",
    r"100% tests passed",
    r"result: pass\b",
    r"done dumping",
    r"(?:==> )?builds finished(?! but no)",
    r"\S{1,200}: digest: sha256:[0-9a-f]{64} size: \d+",
    r"visit your newly deployed app at ",
    r"\d+ document\(s\) restored successfully\. 0 document\(s\) failed",
    r"\{\"type\":\"result\",\"subtype\":\"success\",\"is_error\":false",
    r"termination: +backup ok\b",
    r"phase: +succeeded\b",
    r"windows resource protection (?:found corrupt files and successfully repaired them|did not find any)",
    r"created snapshot with root ",
    r"scan: (?:resilvered|scrub repaired) .{1,80} with 0 errors",
    r"status: deployed\b",
    r"service deployed\b",
    r"bundle complete!",
    r"built \S+\.\w+ \([\d.]+ ?\wB\)",
    r"created \S+ in [\d.]+ ?m?s\b",
    r"nx\s+successfully ran",
    r"lerna success run",
    r"this progress looks :\)",
    r"\S+: all targets .*up-to-date",
    r"tasks: +(?P<good>\d+) successful, (?P=good) total",
    r"job succeeded\b",
    rf"(?!finished in )(?:done|finished|completed?|built|compiled)\b.{{0,80}}\b{_TOOK}",
    r"done in [\d.]+ ?m?s\b",
    r"(?:process|job|run|task|pipeline|workflow|backup|restore|migration|deployment|deploy|sync) "
    r"(?:has )?(?:completed?|finished|succeeded|done)\b",
    r"\(ok\):download completed",
    r"progress=end\b",
    r"ok +\t?\S+\s+(?:\d+\.\d+s|\(cached\))",
    r"ran all test suites",
    r"congratulations\b",
    r"(?:installed|prepared|resolved|audited|uninstalled) \d+ packages? in ",
    r"spider closed \(finished\)",
    r"\[(?P<last>\d+)/(?P=last)\] (?:linking|building|generating|compiling|cxx|cc|ar|link|stamp|copy|running) ",
    r"\[\+\] building [\d.]+s \(\d+/\d+\) finished",
    r"(?:ℹ )?fail +0\s*$",
    r"ok, but \w+",
    r"done\. pass=\d+ warn=\d+ error=0\b",
    r"scons: done building targets",
    r"success: no issues found\b",
    r"found 0 errors\b",
    r"total size is [\d,.]+\w? +speedup is\b",
    r"(?:training|conversion|encoding|indexing|installation|rendering|simulation|rollout) "
    r"(?:is |has )?(?:completed?|finished|succeeded|done)\b",
    r"archive consistency check complete, no problems found",
    r"POV-Ray finished",
    r"cloned successfully\.",
    r"saved pipeline to output directory",
    r"\d+ packages? installed \[",
    r"(?:status|result|verdict|outcome): (?:pass(?:ed)?|success|succeeded|ok)\b",
    r"\d[\d,.]{0,20} ?[a-z]{0,12} transferred in \d",
    r"[\d.]{1,20} seconds \(all ok\)",
    r"(?:synchroni[sz]ation|transfer|verification|scan|check) (?:is )?complete at \d",
    r"[\w.: \[\]-]{0,60}(?:run|job|session|batch) (?:has )?completed (?:in|after) [\d.]+",
)
_HAS_SUCCESS = (
    r"\bwas executed successfully\b",
    r"\bhas been (?:upgraded|installed)\. happy",
    r"\bcluster .{1,80} is ready\b",
    r"\bmarking task as success\b",
    r"\b(?:all|every) (?:specs|tests|checks|builds) (?:passed|succeeded|ok)\b",
    r"\bhas finished successfully\b",
    r"\bsuccessfully ran targets?\b",
    r"saved \[\d+(?:/\d+)?\]\s*$",
    r"\bok=\d+ +changed=\d+ +unreachable=0 +failed=0\b",
    r"\bspider closed \(finished\)",
    r"\b(?:completed|finished|ended|built|deployed|installed|done|compiled|rolled out|exited) successfully\b",
    r"\bsuccessfully (?:completed|finished|deployed|built|rolled out|installed|compiled)\b",
    r"✅ {1,3}\S+",
    r"\bexit(?:ed)?(?: with)?(?: code| status):? 0\b",
    r"\"message_type\":\"summary\"",
    r"\| elapsed: .* finished$",
    r"\ball succeeded\.",
    r" - RUN_SUCCESS - ",
    r"\bmsg=\"backed up a total of \d",
    r"- done, .{0,60} in [\d.]+ ?s\b",
    r"\.100 - done\.\s*$",
    r"\bno errors? (?:were )?found\b(?! (?:yet|so far))",
    r"\bfinished without errors?\b",
    r"\bwithout any (?:errors?|problems?)\b",
)
_OPENS_FAILURE = (
    r"(?:\d|\d\d)% tests passed",
    r"The following tests FAILED",
    r"Looks like you (?:failed|planned)",
    r"Found [1-9]\d* errors?\b",
    r"\d+ problems? \([1-9]",
    r"FAILED: Build did NOT",
    r"Result: FAIL\b",
    r"BUILD FAILED|Build FAILED",
    r"test result: FAILED",
    r"Exited with code|Job failed",
    r"curl: \(\d+\)",
    r"[1-9]\d* failed\s*$",
    r"Test Suites: [1-9]\d* failed",
    r"FAIL\t",
    r"FAIL\s*$",
    r"fatal: ",
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
    r"avrdude: verification error",
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
    r"Failed to (?:compile|build|deploy|install)\b",
    r"thread '[^']{1,80}' panicked at",
    r"[\w.-]{1,40}: (?:fatal )?error: ",
    r"rsync error: ",
    r"ERROR \d{3,5} \(",
    r"not ok \d+(?!.{0,400}# (?i:todo|skip))",
    r"TaskFailed - ",
    r"BUILD INTERRUPTED",
    r"Error response from daemon: ",
    r"The command '.{1,300}' returned a non-zero code",
    r"Fatal: ",
    r"ERR_[A-Z_]{3,60}\b",
    r"Installation failed\b",
    r"nox > \* .{1,200}: failed$",
    r"Your requirements could not be resolved",
    r"(?:ℹ )?fail +[1-9]\d*\s*$",
    r"Completed with [1-9]\d* errors?\b",
    r"Done\. PASS=\d+ WARN=\d+ ERROR=[1-9]",
    r"(?:failed|FAILED|Failed|failure|FAILURE)[.!]*$",
    r"FAIL(?:ED)? \([\w=, ]+\)",
)
_HAS_FAILURE = (
    r"\bdidn't complete successfully\b",
    r"^\{\"type\":\"result\",.{0,80}\"is_error\":true",
    r" - RUN_FAILURE - ",
    r"\bTasks Completed: \d+ \(Failed: [1-9]",
    r"^ERROR ~ ",
    r"^\s*(?:\*\* )?[A-Z]+ FAILED \*\*",
    r"^\s*ABORTING: ",
    r"^Failure details:",
    r"^\{\"type\":\"turn\.failed\"",
    r": Errors, so I did not complete",
    r"\bfailed: (?:Connection|No route|Network|Name|Temporary|Permission|No such)",
    r"\b(?:unreachable|failed)=[1-9]",
    r"\bexit(?:ed)?(?: with)?(?: code| status):? -?[1-9]",
    r"\b[1-9]\d* (?:tests? )?failed\b(?:,| in )",
    r"\b(?:deployment|build|job|run|command|task|pipeline|apply|update|stack) failed\b",
)

_KINDS = "passed|passing|successful|failed|failing|failures?|errors?|skipped|pending|assertions?|examples?|runs?"
_TALLIES = (
    r"[\W_]{0,120}(?:(?:Tests?(?: Files| Suites)?|Suites?|Specs?|Result|Summary|Tasks):?\s+)?"
    rf"\d+ (?:\w+ )?(?:{_KINDS})\b",
    r"\W{0,8}(?:Tests? ?(?:Files|Suites|run)?|Total|Failures|Errors): ?\d+,? ",
    rf"\W{{0,8}}\d+ (?:tests?|features|scenarios|steps|specs)\b,? .{{0,20}}\b(?:{_KINDS})",
    r"OK(?: \((?:passes=)?\d|: \d|$)",
    r"\W{0,3}\d+ of \d+ failed",
)
TALLY = re.compile("|".join(_TALLIES))
"""A line that counts how things came out: `` 1 failed, 149 passed in 2.72s``, ``Tests: 290, Failures: 1``."""
BAD = re.compile(
    r"\b[1-9]\d* (?:\w+ )?(?:of \d+ )?(?:failed|failing|failures?|errors?)\b|\b(?:Failures|Errors|Failed): *[1-9]"
)
GOOD = re.compile(r"\b\d+ (?:\w+ )?(?:passed|passing|successful)\b|\b0 failures|(?:Failures|Failed): *0\b|OK\b")

BARE = re.compile(
    r"\W{0,8}(?:all )?(?:done|finished|complete[d]?|success(?:ful(?:ly)?)?|succeeded|ok)[.! ]*$"
    r"|\W{0,8}finished in [\d.:]+ ?\w*\W*$"
    r"|\W{0,8}total time: [\d.]+ ?s"
    r"|total duration: \d[\dhms.:]*s$|Duration: \d+[ms]\d*s?$"
    r"|Executed (\d+) out of \d+ tests?: \d+ tests? pass"
    r"|nox > \* .{1,200}: success$"
    r"|(?:[\w.-]{1,30}: )?(?!dry|warm|partial|background|sub)(?:[a-z]+ )?(?:backup|restore|migration|deployment|"
    r"operation|upgrade) (?:has )?(?:completed?|finished|succeeded|done)(?: in [\d.:]+ ?\w*)?\W*$"
    r"|[\w-]{2,20} done[.!](?:\s|$)"
    r"|(?:[\w.-]{2,30} ){1,2}(?:completed?|finished|succeeded)(?: ?!| (?:at|on) \d.{0,40}| for \S{1,80})$"
    r"|downloaded [\d.]{1,20} ?[a-z]{1,12}(?:\(s\))? in \d+.{0,60}"
    r"|done (?!in\b|by\b)[a-z]+ing\b.{0,120}"
    r"|all (?:files|blocks|tests|data|checks?) (?:are |is )?(?:correct|ok|valid|fine|good|intact|clean)\b.{0,60}"
    r"|(?:\S+ ){1,3}done in [\d.]+ ?m?s\s*$"
    r"|.{0,60}(?:完了|成功|終了)しました[。.!！]*$",
    re.IGNORECASE,
)
"""Nothing but a word of success: the end of the whole, or of one of its parts."""
_ERRNO = (
    r"(?:Connection refused|No such file or directory|Permission denied|No space left on device|command not found|"
    r"Operation timed out)(?: \(\d+\))?\W{0,3}$"
)
GLUED = re.compile(rf".{{0,3000}}: {_ERRNO}")
"""The system's error right behind a bar, on the bar's own line."""
BARE_FAILURE = re.compile(
    r".{0,60}(?:失敗|異常終了|中断)しました"
    r"|\s{0,4}[✖✘✗] ?(?!.{0,60}\(0 errors)\S"
    r"|\S{1,200}:\d+:\d+: (?:\S+ )?error:"
    r"|.{0,80} errored after \d"
    r"|Command failed: |ERROR \d{1,5}: |[A-Z][\w-]{2,30} failed\.?$|Failed: (?!none\b|no\b)[a-z]"
    r"|.{0,200}\(core dumped\)|[\w.-]{1,40}: verification error"
    rf"|.{{0,360}}: .{{0,160}}{_ERRNO}"
    r"|[\w.-]{1,40} failed (?:at|on) \d"
    r"|(?:[\w.: -]{1,60} )?(?i:write|read|i/o|disk|input/output) (?:error|failed)[.!]*$"
    r"|\S{1,80}: (?:\*\*\* )?ERROR\b|[\w.-]{0,40} ?\[(?:[Ee]rror|ERROR|[Ff]atal|FATAL)\]:? \S|\[E::\w"
    r"|(?:[\w./-]{1,40}: )?(?i:unknown|unrecogni[sz]ed|invalid) (?:argument|option|command|flag)\b"
    r"|[\w-]{2,20} FAIL [\w-]{2,20}: |Errors Occurred: Errors: ?[1-9]"
)
"""An error that the job may survive: the next progress takes it back."""
UNDERWAY = re.compile(r"\b(?P<done>\d+) passed(?: \| \d+ \w+)? \((?!(?P=done)\))\d+\)\s*$")
"""``1 passed (3)``: the others are still to come, or have failed."""
SUCCESS = re.compile(rf"\W{{0,8}}(?:{'|'.join(_OPENS_SUCCESS)})", re.IGNORECASE)
SUCCESS_WITHIN = re.compile("|".join(_HAS_SUCCESS), re.IGNORECASE)
FAILURE = re.compile(rf"\W{{0,8}}(?:{'|'.join(_OPENS_FAILURE)})")
FAILURE_WITHIN = re.compile("|".join(_HAS_FAILURE), re.IGNORECASE)
TRACEBACK = re.compile(r"Traceback \(most recent call last\)")
EXCEPTION = re.compile(r"[A-Za-z_][\w.]{0,80}(?:: |$)")


_CAUSES = (
    r"\S{1,200}:\d+:(?:\d+:)? (?:fatal )?error: ",
    r"\S{1,200}\(\d+,\d+\): error ",
    r"error(?:\[\w+\])?: ",
    r"FAILED \S+(?: - .+|$)",
    r"[A-Za-z_][\w.]{0,80}(?:Error|Exception): \S",
    r"E   \S",
    r"(?:│ )?Error: \S",
    r"(?:ERROR:|\[ERROR\]:?) \S",
    r"(?:fatal|FAIL): \S",
    r"npm (?:ERR!|error) (?!code |errno |syscall |path |command |A complete|A problem|\s|$)",
    r"curl: \(",
    r"❌ .",
    r"(?:エラー|致命的エラー)[:：] ?\S",
    r"CMake Error at ",
    r".{0,160}\| \w+_FAILED +\| ",
)
CAUSE = re.compile("|".join(_CAUSES))
"""A line that says why, which a closing line seldom does."""

Verdict = tuple[Literal["succeeded", "failed"], int]
"""How it ended and how sure that is: 2 for a closing line, 1 for a tally beside which a failure may stand."""


def verdict(line: str) -> Verdict | None:
    """What ``line`` (without its time and level) says of the end, or ``None``."""
    if FAILURE.match(line) or FAILURE_WITHIN.search(line):
        return "failed", 2
    if SUCCESS.match(line) or SUCCESS_WITHIN.search(line):
        return "succeeded", 2
    if BARE_FAILURE.match(line):
        return "failed", 1
    if BARE.match(line):
        return "succeeded", 1
    if TALLY.match(line) is None:
        return None
    if BAD.search(line):
        return "failed", 2
    return ("succeeded", 1) if GOOD.search(line) and not UNDERWAY.search(line) else None
