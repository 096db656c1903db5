"""Whom the clients of a service trust: the system's authorities (or ``SSL_CERT_FILE``), and one of our own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from miyabi.settings import Settings, SettingsError
from miyabi.wiring.files import shown

if TYPE_CHECKING:
    import ssl


def trusting(settings: Settings) -> ssl.SSLContext | None:
    """What clients verify servers with; ``None`` is their default. Raises ``SettingsError``."""
    if settings.tls_ca is None:
        return None
    import ssl  # late: `miyabi run` must start fast

    context = ssl.create_default_context()
    path = settings.tls_ca
    try:
        context.load_verify_locations(path)
    except ssl.SSLError:
        raise SettingsError(f"MIYABI_TLS_CA: {shown(path)} holds no certificate in PEM.") from None
    except OSError as error:
        raise SettingsError(
            f"MIYABI_TLS_CA: {shown(path)} can't be read: {(error.strerror or str(error)).lower()}."
        ) from None
    return context
