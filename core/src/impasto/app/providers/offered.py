"""`OfferedProvider`: an external provider as the server sees it: a plugin's class, and what the vault holds for it.

What a provider says of itself is a plugin's code, so it is asked in a guard: a provider that fails has no models and no
key, says so, and takes nothing else down. Used by `ProviderService` only.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from impasto.host.contributions import Registered
from impasto.host.mask import HIDDEN
from impasto.host.plugin import PluginInfo
from impasto.host.provider_secrets import api_key_name, base_url_name
from impasto.host.secrets import SecretVault
from impasto_sdk.models import ModelRecord
from impasto_sdk.providers import ExternalProvider, ProviderStatus, external_record
from impasto_sdk.usage import ProviderUsage

__all__ = ["OfferedProvider", "VaultAccess"]

logger = logging.getLogger(__name__)

#: A key of fewer characters is part of ordinary words, and opens nothing.
SHORTEST_KEY = 4


class VaultAccess:
    """A `ProviderAccess` for the server's own questions: it has the key, and no request is sent with it."""

    def __init__(self, vault: SecretVault, provider_id: str) -> None:
        self._vault = vault
        self._provider_id = provider_id

    @property
    def api_key(self) -> str | None:
        """See `ProviderAccess.api_key`."""
        return self._vault.get(api_key_name(self._provider_id))

    @property
    def base_url(self) -> str | None:
        """See `ProviderAccess.base_url`."""
        return self._vault.get(base_url_name(self._provider_id))

    def begin(self) -> bool:
        """No place: pictures are made by nodes."""
        return False

    def end(self, usage: ProviderUsage) -> None:
        """Nothing was begun, so there is nothing to count."""


@dataclass(frozen=True, slots=True)
class OfferedProvider:
    """One provider in force."""

    cls: type[ExternalProvider]
    plugin: PluginInfo
    vault: SecretVault

    @classmethod
    def of(cls, registered: Registered[type[ExternalProvider]], vault: SecretVault) -> "OfferedProvider":
        """What a plugin registered, with the vault that holds its key."""
        return cls(registered.value, registered.plugin, vault)

    @property
    def id(self) -> str:
        """Its id, unique among all plugins."""
        return self.cls.provider_id

    def make(self) -> ExternalProvider:
        """One to ask. It sees the key as it is at each moment, so that nobody holds an old one."""
        return self.cls(VaultAccess(self.vault, self.id))

    def status(self) -> ProviderStatus:
        """Whether it can be used, and if not, why; the words of its plugin, without a secret."""
        try:
            status = self.make().status()
            configured, message = bool(status.configured), str(status.message)
        except Exception:  # a plugin's code, held off
            logger.warning("%s: the status of %s cannot be told", self.plugin.name, self.id, exc_info=True)
            configured, message = False, f"plugin {self.plugin.name} failed to say how it is; the log says why"
        return ProviderStatus(provider_id=self.id, configured=configured, message=self.hidden(message))

    def hidden(self, text: str) -> str:
        """A text of the plugin or the service without its key, also one that looks like a word to the vault's mask."""
        key = self.vault.get(api_key_name(self.id)) or ""
        text = self.vault.mask.text(text)
        return text.replace(key, HIDDEN) if len(key) >= SHORTEST_KEY else text

    def records(self) -> Sequence[ModelRecord]:
        """Its models as records, whether it has a key or not."""
        try:
            return [external_record(self.cls, model) for model in self.cls.models()]
        except Exception:  # a plugin's code, held off
            logger.warning("%s: the models of %s cannot be listed", self.plugin.name, self.id, exc_info=True)
            return []
