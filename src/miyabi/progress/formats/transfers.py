"""Copies, downloads, archives, disks."""

from __future__ import annotations

import re

from miyabi.progress.formats.row import UNMARKED, Format, Memory, nothing, to_go
from miyabi.progress.found import Found, number


def _blocks(name: str, found: re.Match[str], memory: Memory) -> Found | None:
    bar = found["bar"]
    return Found(name, percentage=round(100 * len(bar.rstrip()) / len(bar), 1), label=name, confidence=0.7)


def _unmarked(name: str, found: re.Match[str], memory: Memory) -> Found | None:
    memory[UNMARKED] = 1
    return None


def _seconds(clock: str) -> float:
    hours, minutes, seconds = clock.split(":")
    return number(hours) * 3600 + int(minutes) * 60 + float(seconds)


def _duration(name: str, found: re.Match[str], memory: Memory) -> Found | None:
    memory["media seconds"] = max(memory.get("media seconds", 0), _seconds(found["clock"]))
    return None


def _media(name: str, found: re.Match[str], memory: Memory) -> Found | None:
    total = memory.get("media seconds")
    if not total:
        return None
    share = min(100.0, 100 * _seconds(found["clock"]) / total)
    return Found(name, percentage=round(share, 1), label=name)


def _rsync(name: str, found: re.Match[str], memory: Memory) -> Found | None:
    """The percentage is of the whole with --info=progress2, of one file with --progress; what is left tells."""
    percent, left, total = float(found["p"]), found["left"], found["m"]
    if left is not None and "rsync by file" not in memory and percent < 100:
        memory["rsync whole"] = 1
    if "rsync whole" in memory:
        return Found(name, percentage=percent, label=name)
    if left is not None and number(total) > 0:
        memory["rsync by file"] = 1
        return Found(name, number(total) - number(left), number(total), label=name)
    return None if "rsync by file" in memory else Found(name, percentage=percent, label=name)


FORMATS = (
    Format(
        "rsync",
        "rsync --progress and --info=progress2",
        ("B/s",),
        re.compile(
            r"\s+[\d,.]+[KMGT]? +(?P<p>\d{1,3})% +[\d.,]+[kMGT]?B/s +\d+:\d\d:\d\d"
            r"(?: \(xfr#\d+, (?:to|ir)-chk=(?P<left>\d+)/(?P<m>\d+)\))?"
        ),
        (
            ("     15,290,000  52%    2.90MB/s    0:00:05  ", None, None, 52),
            ("        900,000 100%  275.69MB/s    0:00:00 (xfr#1, to-chk=59/61)", 2, 61, 3.3),
        ),
        _rsync,
    ),
    Format(
        "curl's header",
        "curl: its meter follows, lines of numbers without a mark",
        ("% Total",),
        re.compile(r"\s*% Total +% Received"),
        (("  % Total    % Received % Xferd  Average Speed   Time    Time     Time  Current", None, None, None),),
        _unmarked,
    ),
    Format(
        "curl",
        "curl's meter",
        ("--:--", ":"),
        re.compile(r"\s*(?P<p>\d{1,3}) +(?!0 )[\d.]+[kMGT]?(?: +\d{1,3} +[\d.]+[kMGT]?){2} +[\d.]+[kMGT]? +[\d.]+"),
        ((" 27 30.0M   27 8576k    0     0  3820k      0  0:00:08  0:00:02  0:00:06 3820k", None, None, 27),),
    ),
    Format(
        "wget",
        "wget into a file: dots, and the percentage behind them",
        ("K ",),
        re.compile(r"\s*\d+K [. ,]+ (?P<p>\d{1,3})% "),
        ((" 92160K                                                      100% 0.00 =16s", None, None, 100),),
    ),
    Format(
        "media length",
        "ffmpeg: how long the input is",
        ("Duration: ",),
        re.compile(r"\s+Duration: (?P<clock>\d+:\d\d:\d\d(?:\.\d+)?)"),
        (("  Duration: 00:00:29.00, start: 0.000000, bitrate: 22 kb/s", None, None, None),),
        _duration,
    ),
    Format(
        "ffmpeg",
        "ffmpeg: the time that is encoded, of the input's length",
        (" time=", "out_time="),
        re.compile(r"(?:frame=.*|size=.*)? ?(?:out_)?time=\s*(?P<clock>\d+:\d\d:\d\d(?:\.\d+)?)"),
        (("frame=  188 fps= 42 q=28.0 size=       0kB time=00:00:07.54 bitrate=   0.1kbits/s", None, None, None),),
        _media,
    ),
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
    Format(
        "zip",
        "zip -dc: entries done and entries to go",
        ("adding: ", "updating: "),
        re.compile(r"\s*(?P<n>\d+)/ *(?P<left>\d+) +(?:adding|updating): "),
        (("  7/ 24   adding: many/13.dat (stored 0%)", 7, 31, 22.6),),
        to_go,
    ),
    Format(
        "GNU parallel",
        "parallel --eta: jobs that have ended and jobs that are left",
        ("Left: ",),
        re.compile(r"ETA: \d+\w* Left: (?P<left>\d+) AVG: [\d.]+s +\S+:\d+/(?P<n>\d+)/"),
        (("ETA: 4s Left: 14 AVG: 0.25s  local:2/15/100%/0.2s ", 15, 29, 51.7),),
        to_go,
    ),
    Format(
        "sox",
        "SoX -S: how much of the input is read",
        ("In:",),
        re.compile(r"In:\s?(?P<p>\d{1,3}(?:\.\d+)?)%"),
        (("In:52.4% 00:07:51.80 [00:07:08.20] Out:10.4M [ =====|===== ]        Clip:0    ", None, None, 52.4),),
    ),
    Format(
        "handbrake",
        "HandBrake: a pass of several",
        ("Encoding: task", "Scanning title"),
        re.compile(r"(?:Encoding: task|Scanning title) \d+ of \d+, (?P<p>\d{1,3}\.\d+) ?%"),
        (("Encoding: task 1 of 2, 52.40 % (29.00 fps, avg 30.00 fps, ETA 00h00m05s)", None, None, 52.4),),
    ),
    Format(
        "rclone checks",
        "rclone: files compared, beside those to be transferred",
        ("Checks:",),
        re.compile(r"Checks: +\d+ / \d+"),
        (("Checks:                 3 / 3, 100%", None, None, None),),
        nothing,
    ),
    Format(
        "number in a bar",
        "DISM, wsl --install: the percentage within the bar",
        ("[=",),
        re.compile(r"\[=+(?P<p>\d{1,3}(?:\.\d+)?)%=* *\]"),
        (("[===========================52.0%=                         ]", None, None, 52),),
    ),
    Format(
        "out of",
        "Velero and others: so many things out of so many, with words between",
        (" out of ",),
        re.compile(
            r".{0,160}?\b(?:[Bb]acked up|[Pp]rocessed|[Cc]opied|[Rr]estored|[Ss]canned|[Uu]ploaded|"
            r"[Dd]ownloaded|[Ii]ndexed|[Mm]igrated|[Ww]rote|[Rr]ead) "
            r"(?P<n>\d{1,12}) (?:items?|files?|objects?|records?|rows?|pages?|tables?|chunks?|blocks?) "
            r"out of (?:an? )?(?:estimated )?(?:total (?:of )?)?(?P<m>\d{1,12})(?= \(|[\"\s]*$)"
        ),
        (('msg="Backed up 41 items out of an estimated total of 164 (estimate will change)"', 41, 164, 25),),
    ),
    Format(
        "hashcat recovered",
        "hashcat: what came out, beside how far it is",
        ("Recovered...",),
        re.compile(r"Recovered\.{2,20}:"),
        (("Recovered........: 1/3 (33.33%) Digests (total), 1/3 (33.33%) Digests (new)", None, None, None),),
        nothing,
    ),
    Format(
        "gdal",
        "GDAL's term progress: tens of per cent on one line",
        ("0...",),
        re.compile(r"0\.{3}(?:\d+\.{3})*(?P<p>\d{1,3})(?:\.{1,3}(?:ERROR .*)?| - done\.)?\s*$"),
        (("0...10...20...30...40...50", None, None, 50),),
    ),
)
