"""The general layer: a count of work that no row of the table names.

It asks of every ``n/m``, ``n of m`` and ``p %`` what makes it a count of work: where it stands on the line, its
brackets, the words around it, a bar or an estimate beside it, a second number that agrees. What has none of these
is a :class:`Hint`, which only its behaviour over several lines can prove.
"""

from __future__ import annotations

import re
from typing import NamedTuple
from zlib import crc32

from miyabi.progress.found import Found, number, ratio, scale
from miyabi.progress.languages import english
from miyabi.progress.words import AFTER, BEFORE, DOING, DONE, JUST, NEVER, NOT, PACE, TALLY

_UNIT = r"(?:[kKMGTP]?i?[Bb](?:ytes?)?|bytes|[kKMGT])"
_NUMBER = r"\d{1,3}(?:,\d{3}){1,5}|\d{1,15}(?:\.\d{1,6})?"
FRACTION = re.compile(
    rf"(?<![\w.,/:%+\-$@])(?P<n>{_NUMBER})\s?(?P<u>{_UNIT})?(?P<sep>\s{{0,3}}/\s{{0,5}}|(?: out)? of +)~?"
    rf"(?P<m>{_NUMBER})(?:\s?(?P<v>{_UNIT})(?![\w/]))?(?![\w/%\-]|[.,:]\d)"
)
PERCENT = re.compile(
    r"(?<![\w./:,+\-$~])(?P<p>\d{1,3}(?:\.\d{1,10})?)\s?(?:%(?![\w%])|percent\b|(?=\[[=>#][=>#.\- ]{7,200}\]))"
)
BAR = re.compile(
    r"[█▉▊▋▌▍▎▏▓▒░━╸╺■□▰▱⣿▇]{3}|[\[<(][=#*>\-. ·_~+]{7,200}[\])>]"
    r"|\|(?=[ .\-]{0,200}[#=*>])[=#*>\-. _]{3,200}\d?[ .\-_]{0,200}\||^[#=]{3,200} +\d"
)
PREFIX = re.compile(
    r"(?:\s+|\d\d?/\d\d? \d\d:\d\d:\d\d"
    r"|\d{4}[-/]\d\d?[-/]\d\d?[T ]\d\d?:\d\d(?::\d\d)?(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?\s?"
    r"|\[[^\]\[]{0,40}\d:\d\d[^\]\[]{0,60}\]|\(\d\d?:\d\d:\d\d\)|\d\d?:\d\d:\d\d(?:[.,]\d{1,9})?(?: [AP]M)?(?= |$)"
    r"|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \S{1,60} \S{1,60}:"
    r"|\[?(?:TRACE|DEBUG|INFO|NOTICE|info|debug|I)\]?:?(?=[ \[:])|[\w.\-]{1,40} +\| |#\d{1,4} (?:\d+\.\d+ )?|remote: "
    r"|[⠀-⣿◐◓◑◒◴◷◶◵✔✓➜→•·▸▶►>*-]+(?= |$)|[/\\-](?= )|[\w.\[\]]{1,40} - )+"
)
FAULT = re.compile(
    r"\W{0,6}(?:[\w.]{0,60}(?:Error|Exception|Warning)\b|(?:npm )?(?:ERR|ERROR|error|Error|WARN|WARNING|warning|Warning"
    r"|Command failed|fatal|FATAL|critical|CRITICAL|panic|usage|Usage|Traceback)\b)"
    r"|\s*(?:if|raise|return|at|File|import|def|E  ) |[│╷╵] "
)
STAGE_SHARE = re.compile(
    r".{0,80}?\b(?P<noun>[Pp]ass|[Pp]hase|[Ss]tage|[Ss]tep|[Pp]art|[Rr]ound|[Ff]ile|[Vv]olume|[Dd]is[ck]|[Cc]hapter) "
    r"(?P<n>\d{1,4})(?:/| ?of ?)(?P<m>\d{1,4})\b[^%]{0,80}?(?<![\d.])(?P<p>\d{1,3}(?:\.\d{1,4})?) ?%"
)
LANE = re.compile(r"\[[A-Za-z@][\w@/.:-]{0,40}\] +(?=\S)|[A-Za-z][\w.-]{0,40} +\| ")
"""The name that ``concurrently``, ``npm-run-all``, Compose and their like put before each line of a command."""
_COMPARED = re.compile(r"\b(?:got|want|wanted|expected|actual)\b")
OVERALL = re.compile(r"\W{0,6}(?:overall|total)\b", re.IGNORECASE)
_WINDOW = 44
_HINTABLE = 6
MOST_STAGES = 1000
STAGED = 0.8
"""How sure a count must be to be taken for one of stages."""
_SPREAD = 3
"""So many percentages on a line are a distribution."""


class Hint(NamedTuple):
    """A number that may count work. ``shape`` is what stands around it; the same shape again, larger, is evidence."""

    shape: str
    found: Found


def read(text: str, redrawn: bool) -> tuple[Found | None, Hint | None]:
    """What ``text`` says by itself, and what it may say; if nothing in English, then in another language."""
    said = _read(text, redrawn)
    if said[0] is not None and OVERALL.match(text) and BAR.search(text):
        return said[0]._replace(overall=True), None
    if said[0] is None and (put := english(text)) is not None:
        return _read(put, redrawn)
    return said


def lane(text: str) -> int:
    """Which of several outputs that come through one stream ``text`` is of; 0 where nothing tells."""
    name = LANE.match(text)
    return crc32(name[0].rstrip().encode("utf-8", "replace")) if name else 0


def lane_end(text: str) -> int:
    """Where ``text`` begins behind the name of its lane."""
    name = LANE.match(text)
    return name.end() if name else 0


def _read(text: str, redrawn: bool) -> tuple[Found | None, Hint | None]:
    percents = [p for p in PERCENT.finditer(text) if float(p["p"]) <= 100]
    fractions = [f for f in FRACTION.finditer(text) if _whole(f)]
    if not (percents or fractions) or FAULT.match(text):
        return None, None
    lower = text.lower()
    drawn = redrawn or BAR.search(text) is not None
    if NEVER.search(lower) or (len(percents) >= _SPREAD and not drawn):
        return None, None
    begin = start(text)
    shared = _share_of_stage(text, lower)
    if shared is not None:
        return shared, None
    marks = sorted((*fractions, *percents), key=lambda found: found.start())
    if len(marks) > 1 and _at_the_edge(text, marks[-1]):
        marks = marks[-1:]
    hint: Hint | None = None
    for mark in marks[:_HINTABLE]:
        if mark.start() < begin or _measure(lower, mark.start(), mark.end()):
            continue
        pair = _agreeing(mark, fractions, percents, lower)
        if pair is not None:
            return pair, None
        found = _taken(mark, lower)
        proof = _percent_proof if mark.re is PERCENT else _fraction_proof
        sure = proof(lower, mark, begin, drawn)
        if sure:
            return found._replace(confidence=sure, stage=not drawn and sure >= STAGED and _staged(found)), None
        hint = hint or Hint(_shape(lower, mark), found)
    return None, hint


def _at_the_edge(text: str, mark: re.Match[str]) -> bool:
    """Whether it stands alone at the right edge: a counter beside a title that may hold numbers itself."""
    return not text[mark.end() :].strip() and text[: mark.start()].endswith("   ")


def _share_of_stage(text: str, lower: str) -> Found | None:
    """``pass 2/3 (random)... 1.0GiB/3.0GiB 34%``: the percentage is that of the second of three."""
    mark = STAGE_SHARE.match(text)
    if mark is None or _measure(lower, *mark.span("p")) or _COMPARED.search(lower):
        return None
    piece, pieces, share = int(mark["n"]), int(mark["m"]), float(mark["p"])
    if not 1 <= piece <= pieces or share > 100 or abs(share - 100 * piece / pieces) <= 1:
        return None
    whole = round(100 * (piece - 1 + share / 100) / pieces, 2)
    return Found("stages", percentage=whole, label=mark["noun"].lower(), confidence=0.85, whole=True)


def _staged(found: Found) -> bool:
    current, total = found.current or 0, found.total or 0
    return current >= 1 and current == int(current) and 2 <= total <= MOST_STAGES


def _agreeing(
    mark: re.Match[str], fractions: list[re.Match[str]], percents: list[re.Match[str]], lower: str
) -> Found | None:
    """``mark`` with a number of the other kind on the line that says the same."""
    others = fractions if mark.re is PERCENT else percents
    for other in others:
        fraction, percent = (other, mark) if mark.re is PERCENT else (mark, other)
        if (_agree(fraction, percent) or _beside(fraction, percent, lower)) and not _measure(
            lower, other.start(), other.end()
        ):
            return _pair(fraction, percent, lower)
    return None


def start(text: str) -> int:
    """Where ``text`` begins behind its time, level, logger, host and bullet."""
    found = PREFIX.match(text)
    return found.end() if found else 0


def _whole(mark: re.Match[str]) -> bool:
    total = number(mark["m"])
    if mark["u"] and mark["v"] and ("i" in mark["u"].lower()) != ("i" in mark["v"].lower()):
        return False  # ``4.00 TB/3.64 TiB``: one size in two units
    return total > 0 and number(mark["n"]) * scale(mark["u"] or mark["v"]) <= total * scale(mark["v"])


def _value(mark: re.Match[str]) -> tuple[float, float]:
    return number(mark["n"]) * scale(mark["u"] or mark["v"]), number(mark["m"]) * scale(mark["v"])


def _agree(fraction: re.Match[str], percent: re.Match[str]) -> bool:
    current, total = _value(fraction)
    return abs(ratio(current, total) - float(percent["p"])) <= 1.01


def _beside(fraction: re.Match[str], percent: re.Match[str], lower: str) -> bool:
    """``17MiB/30MiB(58%)``: the sizes are rounded, the percentage is meant of them."""
    if percent.start() < fraction.end():
        return False
    between = lower[fraction.end() : percent.start()]
    return fraction["v"] is not None and len(between) <= 3 and not between.strip(" (,")


def _pair(fraction: re.Match[str], percent: re.Match[str], lower: str) -> Found:
    found = _taken(fraction, lower)
    if found.total is None or not _agree(fraction, percent):
        return found._replace(current=None, total=None, percentage=float(percent["p"]), confidence=0.9)
    return found._replace(confidence=0.95)


def _taken(mark: re.Match[str], lower: str) -> Found:
    label = re.sub(r"[\d\W_]+", " ", lower[max(0, mark.start() - 24) : mark.start()]).strip()
    if mark.re is PERCENT:
        return Found("percentage", percentage=float(mark["p"]), label=label)
    if mark["u"] and mark["u"].lower() != (mark["v"] or "").lower():
        current, total = _value(mark)
        return Found("size", percentage=round(ratio(current, total), 2), label=label)
    if mark["u"]:
        return Found("size", percentage=round(ratio(number(mark["n"]), number(mark["m"])), 2), label=label)
    return Found("count", number(mark["n"]), number(mark["m"]), label=label)


def _measure(lower: str, start: int, end: int) -> bool:
    """Whether the words around say that it is a share, a measure or a name, not a count of work."""
    before = lower[max(0, start - _WINDOW) : start]
    after = lower[end : end + _WINDOW]
    if _NAMED.search(before):
        return False
    cut = max(before.rfind("|"), before.rfind(","), before.rfind(";"), before.rfind("] "), before.rfind(" - "))
    if NOT.search(before[cut + 1 :]) or (TALLY.match(after) and not _EACH.search(before)):
        return True
    if not _METRIC.match(after) and NOT.search(_CLAUSE.split(after, maxsplit=1)[0]):
        return True
    if re.match(r"\s*(?:[<>]=?|c?°)", after) or before.endswith("=> "):
        return True
    return re.search(r"[a-z0-9_]=$", before) is not None and not _KEY.search(before)


_EACH = re.compile(r"(?:^|\] |[^\w:] ?)(?:case|check|item|file|step|task|job|test|row|part|page|record) $")
"""``case 3/5 ok``: the third is done, and how it came out; not how many came out so."""
_NAMED = re.compile(r"(?:^|[^a-z])(?:progress\s?[:=]\s*|(?:on|at|in) line )$")
_METRIC = re.compile(r"\s*[|,]?\s*[a-z_]+[\s=:]+-?[\d.]")
_CLAUSE = re.compile(r"[|,;:\[\]]| - | \((?!\d)")
_KEY = re.compile(r"(?:progress|percent|pct|percentage|step|done|completed?|current|epoch|batch|iter)=$")


def _percent_proof(lower: str, mark: re.Match[str], start: int, drawn: bool) -> float:
    at, end = mark.span()
    before, after = lower[max(0, at - _WINDOW) : at], lower[end : end + _WINDOW]
    if re.match(r" of (?:the |all |our )?[a-z]", after) and not JUST.search(before):
        return 0
    if drawn:
        return 0.9
    if DOING.search(before) or DONE.match(after) or _KEY.search(before):
        return 0.85
    if at <= start and re.match(r"\s*(?:$|[\[(|:,-]|\S{3,20}ing\b)|\s{2}(?:\d+ )?[a-z]", after):
        return 0.8
    if before.endswith("(") and after.startswith(")") and (at - 1 <= start or _doing_to_its_end(lower, start, after)):
        return 0.7
    opened = re.search(r"\[\s{0,3}$", before)
    if opened:
        led = before[: opened.start()].rstrip()
        stands = at - len(opened.group()) <= start or not after[1:].strip() or led.endswith("..")
        stands = stands or re.fullmatch(r"\s*\S{1,40}", led) is not None
        if re.match(r"\s?\]", after) and stands:
            return 0.85
    if re.search(r"(?:\.\.\.?|…):?\s*\(?$", before) or PACE.search(lower):
        return 0.8
    return 0


def _doing_to_its_end(lower: str, start: int, after: str) -> bool:
    """``rendering frame 15 (52%)``"""
    return not after[1:].strip() and re.match(r"[a-z]{3,20}ing\b", lower[start : start + 24]) is not None


def _fraction_proof(lower: str, mark: re.Match[str], start: int, drawn: bool) -> float:
    at, end = mark.span()
    before, after = lower[max(0, at - _WINDOW) : at], lower[end : end + _WINDOW]
    if re.match(r"\s?(?:the |of )\b|\s?[\w()]{1,20} to be\b", after):
        return 0
    if drawn:
        return 0.9
    if re.match(r"[\])]? ?(?:attempt|retr|tries)", after):
        return 0
    if mark["m"] != "1" and _bracketed(lower, at, end, start):
        return 0.85  # 1 of 1 is what a list of one looks like before anything is done
    if BEFORE.search(before) or AFTER.match(after) or _KEY.search(before):
        return 0.8
    if (
        at <= start
        and "/" in mark["sep"]
        and number(mark["m"]) >= 3
        and re.match(r"(?:[ :)\]|\t]|$)", after)
        and not re.match(r" [a-z]+$", after)
    ):
        return 0.7
    if not after.strip() and re.search(r"\s{2}$|\.\.\.? $", before):
        return 0.7
    if re.search(r"(?:^|\s)(?:t|time)\s?=\s*$", before) and "/" in mark["sep"]:
        return 0.8
    if re.match(r"[a-z]{3,20}ing\b", lower[start : start + 24]) and re.match(r"[)\]]|\s*(?:\.\.|$|\()", after):
        return 0.7
    return 0.7 if mark["v"] and PACE.search(lower) else 0


def _bracketed(lower: str, at: int, end: int, start: int) -> bool:
    """``[n/m]`` or ``(n/m)`` at the beginning or the end of the line, or with a name before it: ``[app 3/7]``."""
    opening = max(lower.rfind("[", max(0, at - 30), at), lower.rfind("(", max(0, at - 30), at))
    if opening < 0:
        return False
    inner = lower[opening + 1 : at]
    if not re.fullmatch(r"(?:[a-z][\w.\-]{0,24} )?\s*", inner):
        return False
    closing = re.match(r"[^\[\]()]{0,40}[\])]", lower[end : end + 48])
    if closing is None:
        return False
    if inner.isspace() and len(closing[0]) == 1:
        return True  # room for more digits: a counter that stands below others
    tail = lower[end + closing.end() :]
    return (
        opening <= start
        or not tail.strip(" .:")
        or BEFORE.search(lower[max(0, opening - _WINDOW) : opening]) is not None
    )


def _shape(lower: str, mark: re.Match[str]) -> str:
    before = re.sub(r"\d+", "0", lower[max(0, mark.start() - 14) : mark.start()])
    return f"{before}~{lower[mark.end() : mark.end() + 5]}"
