"""`ProviderService`: the external image services of a server: what is set of them, their models, and their usage.

Keys are the vault's, requests are sent by nodes in workers, and places are given out by the desk. What is decided here
is who may be used: a provider with a key has its models among the records and its panels among the panels, and one
without has none. Called by routes, by `PanelService`, and when the server starts.
"""

import threading
from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from impasto.app.providers.config import ProviderConfig, checked_address, checked_key, refuse_other_place, shown_address
from impasto.app.providers.desk import today
from impasto.app.providers.key_check import KeyCheck, check_key
from impasto.app.providers.offered import OfferedProvider
from impasto.app.providers.usage_report import UsageReport
from impasto.errors import ExternalProviderNotFoundError, ProviderConfigError, SecretFromEnvironmentError
from impasto.host.contributions import Contributions
from impasto.host.provider_secrets import api_key_name, base_url_name
from impasto.host.secrets import SECRET_PREFIX, SecretVault
from impasto.models.registry import ModelRegistry
from impasto.storage.provider_usage import ProviderUsageRecords
from impasto_sdk.events import ExternalProviderChangedEvent
from impasto_sdk.models import ModelRecord
from impasto_sdk.providers import EXTERNAL_SCHEME, EXTERNAL_TYPE, ProviderStatus

__all__ = ["VERIFY_LIMIT_S", "ProviderService"]

#: Longest that a test of a key may take, in seconds.
VERIFY_LIMIT_S = 15.0


class ProviderService:
    """The external providers in force. Methods that take an id raise `ExternalProviderNotFoundError` for another."""

    def __init__(
        self,
        contributions: Contributions,
        vault: SecretVault,
        models: ModelRegistry,
        usage: ProviderUsageRecords,
        *,
        verify_limit_s: float = VERIFY_LIMIT_S,
    ) -> None:
        """Asks no plugin and touches no file."""
        offered = [OfferedProvider.of(registered, vault) for registered in contributions.external_providers]
        self._offered = {provider.id: provider for provider in sorted(offered, key=lambda one: one.id)}
        self._vault = vault
        self._models = models
        self._usage = usage
        self._verify_limit_s = verify_limit_s
        #: Held while something is set, and while models are brought into step: the last of two changes counts.
        self._setting = threading.Lock()
        self._stepping = threading.Lock()

    def start(self) -> None:
        """Bring the models into step with the keys there are, and keep them so. The vault and the database are open."""
        for provider_id in self._orphans():
            self._models.keep_in_step(provider_id, [])
        for provider in self._offered.values():
            with self._stepping:
                self._models.keep_in_step(provider.id, provider.records() if provider.status().configured else [])
        self._vault.add_listener(self._on_secret)

    def statuses(self) -> Sequence[ProviderStatus]:
        """Whether each can be used, and if not, why; by id."""
        return [provider.status() for provider in self._offered.values()]

    def status(self, provider_id: str) -> ProviderStatus:
        """Whether it can be used, and if not, why."""
        return self._find(provider_id).status()

    def is_configured(self, provider_id: str) -> bool:
        """Whether it can be used, as far as can be said without asking it; an unknown one cannot."""
        return provider_id in self._offered and self._offered[provider_id].status().configured

    def records(self, provider_id: str) -> Sequence[ModelRecord]:
        """The models that are there while it has a key."""
        return self._find(provider_id).records()

    def advice(self, key: str) -> str | None:
        """What to do so that the model of a key is there; None when it is none of a provider without a key."""
        for provider in self._offered.values():
            if any(record.key == key for record in provider.records()):
                status = provider.status()
                return None if status.configured else status.message
        return None

    def offers(self) -> Sequence[tuple[ModelRecord, str]]:
        """All models of all providers, whether they have keys or not, each with the name of its plugin."""
        return [(record, one.plugin.name) for one in self._offered.values() for record in one.records()]

    def configs(self) -> Sequence[ProviderConfig]:
        """What is set of each; by id."""
        return [self._config(provider) for provider in self._offered.values()]

    def configure(self, provider_id: str, *, api_key: str | None = None, base_url: str | None = None) -> ProviderConfig:
        """Set a key, an address or both; what is None stays as it is, and an empty address is the usual one again.

        It counts from the next request on; those under way go on. Raises `ProviderConfigError` for what cannot be
        taken, and `SecretFromEnvironmentError` for what the environment holds. Nothing was changed then.
        """
        provider = self._find(provider_id)
        if api_key is None and base_url is None:
            raise ProviderConfigError(
                provider_id, "api_key", "nothing is to be set; give an API key, a base URL or both"
            )
        key = None if api_key is None else checked_key(provider_id, api_key)
        address = None if base_url is None else checked_address(provider_id, base_url)
        with self._setting:
            given = {api_key_name(provider_id): api_key, base_url_name(provider_id): base_url}
            self._refuse_from_environment([name for name, value in given.items() if value is not None])
            if key is None and address is not None:
                before = self._vault.get(base_url_name(provider_id)) or provider.cls.default_base_url
                key_from = self._vault.source_of(api_key_name(provider_id))
                refuse_other_place(provider_id, before, address, key_from)
            # in this order the key that was there before is never sent to the new address
            if key is not None:
                self._vault.set(api_key_name(provider_id), key)
            if address is not None:
                self._vault.set(base_url_name(provider_id), address)
            elif base_url is not None:
                self._remove(base_url_name(provider_id))
        return self._config(provider)

    def reset(self, provider_id: str) -> ProviderConfig:
        """Remove its key and its address. What is under way goes on; the next request has no key.

        An address that the environment holds stays. Raises `SecretFromEnvironmentError` when it holds the key; nothing
        was removed then.
        """
        provider = self._find(provider_id)
        key, address = api_key_name(provider_id), base_url_name(provider_id)
        with self._setting:
            self._refuse_from_environment([key])
            for name in (key, address):
                self._remove(name)
        return self._config(provider)

    def verify(self, provider_id: str) -> KeyCheck:
        """Ask the service whether it takes the key; costs nothing. Answers within `VERIFY_LIMIT_S`."""
        provider = self._find(provider_id)
        status = provider.status()
        if not status.configured:
            return KeyCheck(provider_id=provider_id, outcome="not_configured", message=status.message)
        try:
            made = provider.make()
        except Exception as error:  # noqa: BLE001 - a plugin's code, held off: what it raises is the answer
            message = provider.hidden(f"plugin {provider.plugin.name} made a mistake: {error}")
            return KeyCheck(provider_id=provider_id, outcome="failed", message=message)
        return check_key(made, self._verify_limit_s, provider.hidden)

    def usage(self, days: int, provider_id: str | None = None) -> UsageReport:
        """What requests came to today and on the days before it, `days` in all (UTC); of one provider or of all.

        A provider may be named that is in force no more.
        """
        last = date.fromisoformat(today())
        first = (last - timedelta(days=days - 1)).isoformat()
        return UsageReport(
            first_day=first, last_day=last.isoformat(), rows=self._usage.since(first, provider_id=provider_id)
        )

    def _find(self, provider_id: str) -> OfferedProvider:
        try:
            return self._offered[provider_id]
        except KeyError:
            raise ExternalProviderNotFoundError(provider_id, list(self._offered)) from None

    def _config(self, provider: OfferedProvider) -> ProviderConfig:
        key, address = api_key_name(provider.id), base_url_name(provider.id)
        base_url = self._vault.get(address)
        return ProviderConfig(
            provider_id=provider.id,
            title=provider.cls.title,
            plugin=provider.plugin.name,
            api_key_configured=self._vault.get(key) is not None,
            api_key_source=self._vault.source_of(key),
            base_url=None if base_url is None else self._vault.mask.text(shown_address(base_url)),
            base_url_source=self._vault.source_of(address),
            default_base_url=provider.cls.default_base_url,
            key_help=provider.cls.key_help,
        )

    def _refuse_from_environment(self, names: Iterable[str]) -> None:
        for name in names:
            if self._vault.source_of(name) == "environment":
                raise SecretFromEnvironmentError(name, f"{SECRET_PREFIX}{name.upper()}")

    def _remove(self, name: str) -> None:
        if self._vault.source_of(name) == "file":
            self._vault.remove(name)

    def _on_secret(self, name: str) -> None:
        """A secret was set or removed: have the models of its provider come or go, if it is a provider's."""
        for provider in self._offered.values():
            if name in (api_key_name(provider.id), base_url_name(provider.id)):
                with self._stepping:
                    configured = provider.status().configured
                    changed = ExternalProviderChangedEvent(provider_id=provider.id, configured=configured)
                    self._models.keep_in_step(provider.id, provider.records() if configured else [], events=[changed])

    def _orphans(self) -> set[str]:
        """Providers that have models here and are in force no more."""
        paths = [record.path for record in self._models.search(type=EXTERNAL_TYPE)]
        named = {
            path.removeprefix(EXTERNAL_SCHEME).partition("/")[0] for path in paths if path.startswith(EXTERNAL_SCHEME)
        }
        return named - self._offered.keys()
