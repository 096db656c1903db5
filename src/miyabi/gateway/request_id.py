"""A request's id: the one that it brings, where that is one plain word, else one of ours."""

from __future__ import annotations

import itertools
import re
import secrets

NAME = b"x-request-id"
_WORD = re.compile(rb"[A-Za-z0-9][A-Za-z0-9._:/+=@-]{0,127}")
"""Nothing that means anything to a log, a shell or a page. No token either: those begin with ``eyJ``."""

Headers = list[tuple[bytes, bytes]]


class RequestIds:
    """Gives ids that no other gateway gives."""

    def __init__(self) -> None:
        self._prefix = secrets.token_hex(4).encode()
        self._numbers = itertools.count(1)

    def of(self, headers: Headers) -> tuple[bytes, Headers]:
        """The id of a request with ``headers``, and these with it and no other."""
        given = [value for name, value in headers if name == NAME]
        if not given:
            fresh = self._fresh()
            return fresh, [*headers, (NAME, fresh)]
        if len(given) == 1 and _WORD.fullmatch(given[0]) and not given[0].startswith(b"eyJ"):
            return given[0], headers
        fresh = self._fresh()
        return fresh, [*(each for each in headers if each[0] != NAME), (NAME, fresh)]

    def _fresh(self) -> bytes:
        return b"%s-%x" % (self._prefix, next(self._numbers))
