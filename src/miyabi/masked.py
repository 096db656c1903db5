"""Text without the secrets that requests carry: whatever is logged goes through here."""

from __future__ import annotations

import re

_SECRETS = re.compile(
    r"eyJ[\w-]{8,}(?:(?:\.|%2e)[\w-]*)*"  # a token: JSON in Base64, and what stands behind its dots
    r"|(?<=bearer)(?:[\s+]|%20)+[^\s\"'&,;]+"
    r"|(?<=token)(?:=|%3d)[^\s\"'&,;]+"
    r"|(?<=secret)(?:=|%3d)[^\s\"'&,;]+"
    r"|(?<=password)(?:=|%3d)[^\s\"'&,;]+",
    re.IGNORECASE,
)
_WORDS = "eyj", "bearer", "token", "secret", "password"
"""Where none of these stands there is nothing to mask: most text is spared the search."""
MASK = "***"


def masked(text: str) -> str:
    """``text`` with tokens and what is named a token, a secret or a password taken out."""
    low = text.lower()
    return _SECRETS.sub(_masked, text) if any(word in low for word in _WORDS) else text


def _masked(found: re.Match[str]) -> str:
    """What says that something was there stays: a space or an equals sign."""
    return (found[0][0] if found[0][0] in " =" else "") + MASK
