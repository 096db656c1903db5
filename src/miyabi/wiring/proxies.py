"""The proxies that are trusted to say where requests come from."""

from __future__ import annotations

from miyabi.gateway.client import Network, networks
from miyabi.settings import Settings, SettingsError


def proxies_of(settings: Settings) -> tuple[Network, ...]:
    """``MIYABI_TRUSTED_PROXIES``. Raises ``SettingsError``."""
    try:
        return networks(settings.trusted_proxies)
    except ValueError as error:
        hint = "write addresses and networks with spaces between, such as `10.0.0.0/8 127.0.0.1`"
        raise SettingsError(f"MIYABI_TRUSTED_PROXIES: {error}; {hint}.") from None
