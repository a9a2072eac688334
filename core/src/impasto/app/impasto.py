"""`Impasto`: one server's parts, built from its settings. The only place that knows every concrete class.

The HTTP application, the command line and tests are given an `Impasto`; nothing reaches for one. Building it does no
work but loading the plugins; `start` opens the database and starts the workers, `stop` ends them.
"""

import logging
import os
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from impasto.app.called_graphs import CalledGraphs
from impasto.app.housekeeping import Housekeeping
from impasto.app.lifecycle_log import LifecycleLog
from impasto.app.metrics import Metrics
from impasto.app.panel_catalogue import PanelCatalogue
from impasto.app.panels import PanelService
from impasto.app.providers.desk import ProviderDesk
from impasto.app.providers.service import ProviderService
from impasto.app.readiness import Readiness
from impasto.app.references import Library
from impasto.app.starters import register_starters
from impasto.app.submissions import Submissions
from impasto.app.workflow_runs import WorkflowRuns
from impasto.app.workflows import WorkflowLibrary
from impasto.engine import Engine, SessionServices
from impasto.errors import StorageError
from impasto.events import EventBus
from impasto.host import PluginHost
from impasto.host.mask import Mask
from impasto.host.secrets import SecretVault
from impasto.models.registry import ModelRegistry
from impasto.queue import SessionQueue
from impasto.settings import Settings
from impasto.storage.database import Database
from impasto.storage.event_log import EventLog
from impasto.storage.images import ImageLibrary
from impasto.storage.model_records import ModelRecords
from impasto.storage.provider_usage import ProviderUsageRecords
from impasto.storage.queue.items import QueueItemStore
from impasto.storage.secret_file import SecretFile
from impasto.storage.sessions import SessionFiles
from impasto.storage.workflow_records import WorkflowRecords

__all__ = ["Impasto"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, eq=False)
class Impasto:
    """The parts of one server. Build it with `Impasto.build`, use it as a context manager."""

    settings: Settings
    host: PluginHost
    secrets: SecretVault
    database: Database
    log: EventLog
    images: ImageLibrary
    sessions: SessionFiles
    models: ModelRegistry
    bus: EventBus
    queue: SessionQueue
    provider_desk: ProviderDesk
    providers: ProviderService
    engine: Engine
    housekeeping: Housekeeping
    submissions: Submissions
    workflows: WorkflowLibrary
    workflow_runs: WorkflowRuns
    panels: PanelService
    metrics: Metrics
    readiness: Readiness

    @classmethod
    def build(cls, settings: Settings, mask: Mask | None = None) -> "Impasto":
        """Load the plugins and put the parts together. Touches no file and starts no thread or process.

        `mask`: what the log is written through; it is told of every secret.
        """
        host = PluginHost.load(disabled=settings.disabled_plugins)
        secrets = SecretVault(host.contributions, SecretFile(settings.secrets_path), os.environ, mask)
        database = Database(settings.database_path)
        images = ImageLibrary(database, settings.images_folder)
        sessions = SessionFiles(settings.sessions_folder)
        log = EventLog(database)
        bus = EventBus(log, settings.event_buffer)
        models = ModelRegistry(ModelRecords(database, log), host.identify_model, models_folder=settings.models_folder)
        queue = SessionQueue(
            QueueItemStore(database, log),
            max_queue_size=settings.max_queue_size,
            max_attempts=settings.max_attempts,
            affinity_window=settings.affinity_window,
        )
        usage = ProviderUsageRecords(database)
        desk = ProviderDesk(_places(host, settings.provider_places), usage)
        providers = ProviderService(host.contributions, secrets, models, usage)
        workflows = WorkflowLibrary(WorkflowRecords(database, log), host.catalogue)
        submissions = Submissions(
            host.catalogue,
            queue,
            Library(images_that_exist=images.exist, model_exists=models.exists, advice=providers.advice),
            CalledGraphs(host.catalogue, workflows),
            host.before_enqueue,
            max_graph_nodes=settings.max_graph_nodes,
        )
        engine = Engine(settings, queue, SessionServices(images, sessions, models, secrets, desk), bus)
        return cls(
            settings=settings,
            host=host,
            secrets=secrets,
            database=database,
            log=log,
            images=images,
            sessions=sessions,
            models=models,
            bus=bus,
            queue=queue,
            provider_desk=desk,
            providers=providers,
            engine=engine,
            housekeeping=Housekeeping(images, sessions, queue, _routines(settings, log, queue)),
            submissions=submissions,
            workflows=workflows,
            workflow_runs=WorkflowRuns(workflows, submissions),
            panels=PanelService(PanelCatalogue(host.contributions), models, images, submissions, providers, _draw_seed),
            metrics=Metrics(host.catalogue),
            readiness=_readiness(settings, engine, database, queue),
        )

    def start(self, *, work: bool = True) -> None:
        """Open the database (upgrading it if need be), register models, start the workers.

        Returns at once: workers come up on their own; `engine.wait_until_ready` waits for them. With `work=False` there
        are none: what is queued stays queued, and everything else can be asked for.
        Raises `StorageError` when the root folder cannot be used, and `SettingsError` when the file of keys cannot.
        """
        _make_folder(self.settings.root)
        self.secrets.load()
        self.database.open()
        try:
            self.log.open()
            self.housekeeping.discard_unfinished()
            register_starters(self.host, self.models)
            self.providers.start()
            self.models.resume_hashing()
            # not on the thread of the hooks: figures and log go on whatever a plugin does
            self.bus.add_listener(self.metrics.hear, thread="observers")
            self.bus.add_listener(LifecycleLog().hear, thread="observers")
            if self.host.listens:
                self.bus.add_listener(self.host.dispatch)
            if work:
                self.engine.start()
                self.housekeeping.start()
        except BaseException:
            self.stop()
            raise

    def drain(self) -> None:
        """Say that the server is not ready any more, and end the workers; everything else can still be asked for.

        Nodes in hand have `drain_timeout_s`; items that are not done wait in the queue.
        """
        self.readiness.stop()
        self.engine.stop()

    def stop(self) -> None:
        """End the workers, then close what is open. What was running goes on at the next start."""
        self.drain()
        self.housekeeping.stop()
        self.bus.close()
        self.images.close()
        self.models.close()
        self.provider_desk.close()
        self.database.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()


def _routines(settings: Settings, log: EventLog, queue: SessionQueue) -> dict[str, Callable[[], object]]:
    """What is to be done every minute, by what it does."""
    routines: dict[str, Callable[[], object]] = {
        "forget old events": lambda: log.forget(int(time.time() - settings.event_retention_s)),
    }
    keep = settings.max_queue_history
    if keep is not None:
        routines["shorten the history of the queues"] = lambda: queue.prune_history(keep)
    return routines


def _readiness(settings: Settings, engine: Engine, database: Database, queue: SessionQueue) -> Readiness:
    return Readiness(
        workers=engine.workers,
        database_trouble=database.trouble,
        paused_queues=lambda: [one.queue_id for one in queue.queues() if one.is_paused],
        folder=settings.images_folder,
        min_free_bytes=settings.min_free_disk_bytes,
    )


def _draw_seed(least: int, greatest: int) -> int:
    return random.SystemRandom().randint(least, greatest)


def _places(host: PluginHost, chosen: Mapping[str, int]) -> dict[str, int]:
    """How many requests to each external provider may be under way at once: as the operator says, else its plugin."""
    offered = [registered.value for registered in host.contributions.external_providers]
    usual = {provider.provider_id: provider.max_concurrent_requests for provider in offered}
    if unknown := sorted(chosen.keys() - usual.keys()):
        known = ", ".join(sorted(usual)) or "none"
        logger.warning("`provider_places` names %s; external providers are %s", ", ".join(unknown), known)
    return {provider_id: chosen.get(provider_id, places) for provider_id, places in usual.items()}


def _make_folder(root: Path) -> None:
    try:
        root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"the root folder {root} cannot be made: {error.strerror}; choose another `root`") from error
