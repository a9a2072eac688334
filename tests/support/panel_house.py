"""`panel_house`: the real parts that panels stand on, over one database, with toy models and one external provider.

`PanelHouse.service` serves any panels over them.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from impasto.app.called_graphs import CalledGraphs
from impasto.app.panel_catalogue import PanelCatalogue
from impasto.app.panels import PanelService
from impasto.app.providers.service import ProviderService
from impasto.app.submissions import Library, Submissions
from impasto.app.workflows import WorkflowLibrary
from impasto.host.contributions import Contributions, Registered
from impasto.host.plugin import PluginInfo, PluginState
from impasto.host.secrets import SecretVault
from impasto.models.registry import ModelRegistry
from impasto.queue import SessionQueue
from impasto.storage.database import Database
from impasto.storage.images import ImageLibrary
from impasto.storage.model_records import ModelRecords
from impasto.storage.provider_usage import ProviderUsageRecords
from impasto.storage.secret_file import SecretFile
from impasto.storage.workflow_records import WorkflowRecords
from impasto_sdk.models import ModelIdentification
from impasto_sdk.panels import Panel, PanelSection
from support.easel import Easel
from support.event_logs import open_log
from support.queues import open_queue
from support.toys import CATALOGUE

__all__ = ["PanelHouse", "panel_house"]

FACTS = {
    "small": ("main", {"supports": ["noise"], "defaults": {"steps": 5}}),
    "plain": ("main", {"max_steps": 8}),
    "hiss": ("noise", {"amount": 4}),
}


def _plugin(name: str) -> PluginInfo:
    return PluginInfo(name=name, version="1.0.0", entry_point=name, state=PluginState.ACTIVE)


def _identify(path: Path) -> ModelIdentification:
    kind, facts = FACTS[path.name]
    return ModelIdentification(confidence=1, base="toy", type=kind, format="file", facts=facts)


@dataclass(frozen=True)
class PanelHouse:
    """The parts, and a service over any panels. The provider is Easel, which has no key."""

    queue: SessionQueue
    images: ImageLibrary
    models: ModelRegistry
    submissions: Submissions
    providers: ProviderService
    folder: Path

    def service(
        self,
        panels: Sequence[Panel],
        sections: Sequence[tuple[PanelSection, str]] = (),
        draw: Callable[[int, int], int] = lambda least, greatest: min(42, greatest),
    ) -> PanelService:
        """Panels of one plugin, with `sections` of the plugins named beside them."""
        contributions = Contributions(
            panels=[Registered(panel, _plugin("impasto-toy")) for panel in panels],
            panel_sections=[Registered(section, _plugin(owner)) for section, owner in sections],
        )
        return PanelService(
            PanelCatalogue(contributions), self.models, self.images, self.submissions, self.providers, draw
        )

    def install(self, *names: str) -> None:
        """Register toy models: those of `FACTS`."""
        for name in names:
            path = self.folder / name
            path.write_bytes(name.encode())
            self.models.register(path, name.title(), key=name)


@contextmanager
def panel_house(folder: Path) -> Iterator[PanelHouse]:
    """A house in `folder`, with the models ``small`` and ``hiss``."""
    with Database(folder / "impasto.db") as database:
        images = ImageLibrary(database, folder / "images")
        log = open_log(database)
        models = ModelRegistry(ModelRecords(database, log), _identify)
        queue = open_queue(database, log=log, max_queue_size=100, max_attempts=1)
        library = Library(
            images_that_exist=lambda names: images.exist(list(names)), model_exists=lambda key: key in FACTS
        )
        called_graphs = CalledGraphs(CATALOGUE, WorkflowLibrary(WorkflowRecords(database, log), CATALOGUE))
        submissions = Submissions(CATALOGUE, queue, library, called_graphs, lambda proposal: None, max_graph_nodes=100)
        offered = Contributions(external_providers=[Registered(Easel, _plugin("impasto-easel"))])
        vault = SecretVault(offered, SecretFile(folder / "api_keys.yaml"), {})
        providers = ProviderService(offered, vault, models, ProviderUsageRecords(database))
        providers.start()
        house = PanelHouse(queue, images, models, submissions, providers, folder)
        house.install("small", "hiss")
        try:
            yield house
        finally:
            images.close()
            models.close()
