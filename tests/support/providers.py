"""`provider_house`: the real parts behind external providers, over one database and one file of keys, without a server.

What is served is given as classes of providers; `easel` is one that anybody may take.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from impasto.app.providers.desk import ProviderDesk
from impasto.app.providers.service import ProviderService
from impasto.host.contributions import Contributions, Registered
from impasto.host.plugin import PluginInfo, PluginState
from impasto.host.secrets import SecretVault
from impasto.models.registry import ModelRegistry
from impasto.storage.database import Database
from impasto.storage.event_log import EventLog
from impasto.storage.model_records import ModelRecords
from impasto.storage.provider_usage import ProviderUsageRecords
from impasto.storage.secret_file import SecretFile
from impasto_sdk.events import Event
from impasto_sdk.providers import ExternalProvider
from support.easel import Easel

__all__ = ["KEY", "ProviderHouse", "provider_house"]

KEY = "easel-key-0123456789"


@dataclass(frozen=True)
class ProviderHouse:
    """A service that has started, and what it stands on."""

    database: Database
    vault: SecretVault
    models: ModelRegistry
    usage: ProviderUsageRecords
    desk: ProviderDesk
    service: ProviderService
    #: Every event that was told.
    told: list[Event]

    def keys(self) -> list[str]:
        """Keys of the models there are."""
        return [record.key for record in self.models.search()]


@contextmanager
def provider_house(
    folder: Path, *providers: type[ExternalProvider], environment: Mapping[str, str] | None = None
) -> Iterator[ProviderHouse]:
    """A house in `folder`; the same folder again is a restart. Without `providers` there is Easel."""
    plugin = PluginInfo(name="impasto-easel", version="1.0.0", entry_point="easel", state=PluginState.ACTIVE)
    offered = [Registered(provider, plugin) for provider in providers or (Easel,)]
    contributions = Contributions(external_providers=offered)
    vault = SecretVault(contributions, SecretFile(folder / "api_keys.yaml"), environment or {})
    vault.load()
    told: list[Event] = []
    with Database(folder / "impasto.db") as database:
        log = EventLog(database)
        log.open()
        log.listen(lambda logged: told.extend(one.event for one in logged))
        models = ModelRegistry(ModelRecords(database, log), lambda path: None)
        usage = ProviderUsageRecords(database)
        places = {one.value.provider_id: one.value.max_concurrent_requests for one in offered}
        service = ProviderService(contributions, vault, models, usage, verify_limit_s=0.2)
        try:
            service.start()
            yield ProviderHouse(database, vault, models, usage, ProviderDesk(places, usage), service, told)
        finally:
            models.close()
