"""TLS: the certificate that a service shows, and the authorities that its clients trust."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.x509.oid import ExtensionOID

from miyabi.gateway.guard import LOOPBACK
from miyabi.settings import Settings, SettingsError
from miyabi.wiring.files import shown

log = logging.getLogger("miyabi.wiring")

SOON = timedelta(days=14)
"""Before its end a certificate is renewed: certbot does so 30 days before."""


class Certificate:
    """A certificate with its chain and its key, in PEM files that somebody renews. ``now`` gives the time."""

    def __init__(self, chain: Path, key: Path, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """Raises ``SettingsError`` saying which file is wrong, and how."""
        self._chain, self._key, self._now = chain, key, now
        self._stamp = self._stamped()
        self._load(_server_context())
        self.context = _server_context()
        self._load(self.context)

    def renew(self) -> None:
        """Read the files again if they have changed. New connections get what they hold now; others go on.

        While they do not belong together, what was read before is shown further.
        """
        stamp = self._stamped()
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            self._load(_server_context())  # in a context of its own: half a change would break the living one
        except SettingsError as error:
            log.warning("the certificate that was read before is shown further: %s", error)
        else:
            self._load(self.context)
            self.warn()

    def name_for(self, host: str, *, anywhere: bool) -> str:
        """What a client on this machine writes for ``host`` so that the certificate is good for it.

        Unless the service listens ``anywhere``, one on this machine's own address answers to no other name.
        """
        names, addresses = self._names()
        if host in addresses or not names:
            return host
        if host in LOOPBACK and (not anywhere or "localhost" in names):
            return "localhost" if "localhost" in names else host
        return next((name for name in names if not name.startswith("*.")), host)

    def _load(self, context: ssl.SSLContext) -> None:
        self._read()
        try:
            context.load_cert_chain(self._chain, self._key, _no_password)
        except ssl.SSLError as error:
            key = shown(self._key)
            if error.reason == "KEY_VALUES_MISMATCH":
                hint = f"the key in {key} is not that of the certificate in {shown(self._chain)}; write both anew"
                raise SettingsError(f"MIYABI_TLS_KEY: {hint}.") from None
            raise SettingsError(f"MIYABI_TLS_KEY: {key} holds no key in PEM without a passphrase.") from None
        except (OSError, ValueError) as error:
            raise SettingsError(f"MIYABI_TLS_KEY: {shown(self._key)} can't be read: {_why(error)}.") from None

    def _read(self) -> x509.Certificate:
        """The certificate itself, the first in its file; says when its time is over or will be soon."""
        try:
            found = x509.load_pem_x509_certificate(self._chain.read_bytes())
        except OSError as error:
            raise SettingsError(f"MIYABI_TLS_CERT: {shown(self._chain)} can't be read: {_why(error)}.") from None
        except ValueError:
            raise SettingsError(f"MIYABI_TLS_CERT: {shown(self._chain)} holds no certificate in PEM.") from None
        return found

    def warn(self) -> None:
        """Say when the certificate is not good yet, has expired, or will soon."""
        found, now = self._read(), self._now()
        if now < found.not_valid_before_utc:
            log.warning("the certificate in %s is good from %s on", self._chain, found.not_valid_before_utc.date())
        elif now >= found.not_valid_after_utc:
            log.warning(
                "the certificate in %s has expired on %s: renew it", self._chain, found.not_valid_after_utc.date()
            )
        elif now >= found.not_valid_after_utc - SOON:
            log.warning("the certificate in %s expires on %s: renew it", self._chain, found.not_valid_after_utc.date())

    def _names(self) -> tuple[list[str], set[str]]:
        try:
            found = self._read().extensions.get_extension_for_oid(ExtensionOID.SUBJECT_ALTERNATIVE_NAME).value
        except x509.ExtensionNotFound:
            return [], set()
        assert isinstance(found, x509.SubjectAlternativeName)
        return found.get_values_for_type(x509.DNSName), set(map(str, found.get_values_for_type(x509.IPAddress)))

    def _stamped(self) -> tuple[tuple[int, int] | None, ...]:
        return tuple(_stamp(path) for path in (self._chain, self._key))


def certificate_of(settings: Settings) -> Certificate | None:
    """The certificate that the settings name; a key may stand in the same file. Raises ``SettingsError``."""
    if settings.tls_cert is None:
        if settings.tls_key is not None:
            raise SettingsError("MIYABI_TLS_KEY: a key needs its certificate; set MIYABI_TLS_CERT, too.")
        return None
    certificate = Certificate(settings.tls_cert, settings.tls_key or settings.tls_cert)
    certificate.warn()
    return certificate


def _server_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    return context


def _no_password() -> str:
    """Instead of a question on the terminal."""
    raise ValueError("it has a passphrase, which nobody could type when the service starts; write it without one")


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino


def _why(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error).lower()
