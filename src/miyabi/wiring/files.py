"""Files that settings name, as errors speak of them."""

from __future__ import annotations

from pathlib import Path


def shown(path: Path) -> str:
    """A file's name; nothing of what is none: a key or an address that stands there by mistake."""
    text = str(path)
    return "what it names" if any(sign in text for sign in ("\n", "-----", ":/", "@")) else text


def why_unread(error: OSError | ValueError) -> str:
    """Why a file can't be read, without its name."""
    return (getattr(error, "strerror", None) or "it is no text in UTF-8").lower()
