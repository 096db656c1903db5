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
MASK = "***"
_KIND = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,19}:(//|(?=[/?]|$))")


def masked(text: str) -> str:
    """``text`` with tokens and what is named a token, a secret or a password taken out.

    Most text has none of the words and is spared the search.
    """
    low = text.lower()
    if "eyj" in low or "bearer" in low or "token" in low or "secret" in low or "password" in low:
        return _SECRETS.sub(_masked, text)
    return text


def kind_of(address: str) -> str:
    """What of an address in the settings can be shown, however it is mistyped: its kind, as in ``redis://…``.

    What is behind may hold a password, and where that ends nobody can tell in what is no address.
    """
    found = _KIND.match(address)
    return f"{found[0] if found else ''}…"


def _masked(found: re.Match[str]) -> str:
    """What says that something was there stays: a space or an equals sign."""
    return (found[0][0] if found[0][0] in " =" else "") + MASK
