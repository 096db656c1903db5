"""An authority of a test's own, and files with certificates that it has signed."""

from __future__ import annotations

import ssl
from datetime import datetime
from pathlib import Path

import trustme


class Authority:
    """Signs certificates into ``folder``."""

    def __init__(self, folder: Path) -> None:
        self._ca = trustme.CA()
        self._folder = folder
        self.file = folder / "ca.pem"
        self._ca.cert_pem.write_to_path(str(self.file))

    @property
    def trust(self) -> ssl.SSLContext:
        """What a client verifies with."""
        return ssl.create_default_context(cafile=str(self.file))

    def sign(self, *names: str, into: str = "board", until: datetime | None = None) -> tuple[Path, Path]:
        """The files of a certificate for ``names`` with its chain, and of its key."""
        signed = self._ca.issue_cert(*names, not_after=until)
        chain, key = self._folder / f"{into}.pem", self._folder / f"{into}.key"
        chain.write_bytes(b"".join(blob.bytes() for blob in signed.cert_chain_pems))
        key.write_bytes(signed.private_key_pem.bytes())
        return chain, key
