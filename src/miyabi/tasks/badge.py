"""A badge as an SVG: a label and a word beside it, as pages elsewhere show them. No script, no font of its own."""

from __future__ import annotations

import unicodedata
from html import escape
from math import ceil
from typing import NamedTuple

from miyabi.tasks.badge_words import Said

SIZE, HEIGHT, PAD = 11, 20, 6
LONGEST = 64
"""Characters of a label; more are cut."""
LABEL_COLOUR = "#3d444d"
COLOURS = {
    "running": "#0969da",
    "completed": "#1a7f37",
    "failed": "#cf222e",
    "blocked": "#9a6700",
    "cancelled": "#59636e",
    "pending": "#59636e",
    "unknown": "#59636e",
}
"""White text stands out from each by 4.5 to 1 at least (WCAG 2.2, 1.4.3)."""
FONTS = "Verdana,Geneva,DejaVu Sans,Noto Sans CJK JP,Noto Sans JP,sans-serif"
WIDTHS = (
    "32 40 46 84 64 95 78 27 39 39 50 84 32 36 32 34 64 64 64 64 64 64 64 64 64 64 34 34 84 84 84 53 "
    "100 68 69 70 77 63 58 77 75 29 29 66 56 86 75 79 60 79 69 63 61 73 68 99 69 61 69 39 34 39 84 50 "
    "50 61 63 55 63 62 35 63 63 28 28 58 28 97 63 61 63 63 41 52 39 63 59 82 59 59 52 64 34 64 84"
)
"""Of DejaVu Sans, which is as wide as Verdana, from the space to ``~``: hundredths of the size."""
_WIDTH = {chr(32 + n): int(width) for n, width in enumerate(WIDTHS.split())} | {"·": 32, "…": 100}
_NO_CHARACTERS = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


class _Part(NamedTuple):
    """A text and the room it needs, in px."""

    text: str
    width: int


def badge(label: str, said: Said) -> bytes:
    """The image. ``label`` may be any text."""
    left, right = _part(_clean(label)), _part(said.text)
    whole = f"{left.text}: {right.text}"
    width, start = left.width + right.width + 4 * PAD, left.width + 2 * PAD
    done = ceil((right.width + 2 * PAD) * said.share) if said.share is not None else 0
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{HEIGHT}" viewBox="0 0 {width} {HEIGHT}"'
        f' role="img" lang="{said.language}" aria-label="{escape(whole)}"><title>{escape(whole)}</title>'
        f'<clipPath id="r"><rect width="{width}" height="{HEIGHT}" rx="3"/></clipPath><g clip-path="url(#r)">'
        f'<path fill="{LABEL_COLOUR}" d="M0 0h{start}v{HEIGHT}H0z"/>'
        f'<path fill="{COLOURS[said.kind]}" d="M{start} 0H{width}v{HEIGHT}H{start}z"/>'
        f'<path fill="#fff" fill-opacity=".75" d="M{start} {HEIGHT - 2}h{done}v2h-{done}z"/></g>'
        f'<g fill="#fff" font-family="{FONTS}" font-size="{SIZE}">'
        f"{_text(left, PAD)}{_text(right, start + PAD)}</g></svg>"
    ).encode()


def _text(part: _Part, x: int) -> str:
    """Set to the very width it was given, whatever font there is."""
    length = f' textLength="{part.width}"' if part.text else ""
    return f'<text x="{x}" y="14"{length}>{escape(part.text)}</text>'


def _part(text: str) -> _Part:
    return _Part(text, ceil(sum(map(_hundredths, text)) * SIZE / 100))


def _hundredths(character: str) -> int:
    if character in _WIDTH:
        return _WIDTH[character]
    if unicodedata.combining(character):
        return 0
    return 100 if unicodedata.east_asian_width(character) in "WF" else 66


def _clean(label: str) -> str:
    """What XML can hold and a line can show, cut where it is too long."""
    text = "".join(" " if unicodedata.category(one) in _NO_CHARACTERS else one for one in label[: 4 * LONGEST])
    text = " ".join(text.split())
    return text if len(text) <= LONGEST else text[: LONGEST - 1].rstrip() + "…"
