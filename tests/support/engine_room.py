"""`EngineRoom`: a real engine with real worker processes, a real queue and real stores, in a folder of a test.

Its workers find two plugins: `engine-toys`, whose nodes do what an engine must live through (they wait to be let go,
die, hang, save pictures, ask for secrets), and `bad-toys`, whose nodes do their worst. Nothing is waited for by
sleeping: `until` reads the events, and a node that is to wait opens a FIFO, which `let_go` opens from the other side.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from impasto.app.providers.desk import ProviderDesk
from impasto.engine import Engine, SessionServices, WorkerInfo
from impasto.events import Envelope, EventBus, Subscription
from impasto.host import Contributions, PluginInfo, PluginState, Registered
from impasto.host.secrets import SecretVault
from impasto.models.registry import ModelRegistry
from impasto.queue import SessionQueue
from impasto.queue.records import Batch, QueueItem
from impasto.settings import Settings
from impasto.storage.database import Database
from impasto.storage.event_log import EventLog
from impasto.storage.images import ImageLibrary
from impasto.storage.model_records import ModelRecords
from impasto.storage.provider_usage import ProviderUsageRecords
from impasto.storage.queue.items import QueueItemStore
from impasto.storage.secret_file import SecretFile
from impasto.storage.sessions import SessionFiles
from impasto_sdk.events import Event
from support import engine_toys
from support.plugins import make_plugin

__all__ = ["SHIPPED", "EngineRoom", "graph", "install_toys", "node"]

#: Shipped plugins: workers that load torch would be slow to start, and no test here is about them.
SHIPPED = ["impasto-image", "impasto-primitives", "impasto-sd", "impasto-starter"]
#: How long anything may take before a test gives up, in seconds.
PATIENCE_S = 60.0

TOYS = Path(__file__).with_name("engine_toys.py")
BAD_TOYS = Path(__file__).with_name("bad_toys.py")


def install_toys(folder: Path) -> Path:
    """Write the plugins `engine-toys` and `bad-toys` into a folder for `PYTHONPATH`; gives the folder."""
    make_plugin(folder, "engine-toys", TOYS.read_text("utf-8"), version="1.2.3")
    make_plugin(folder, "bad-toys", BAD_TOYS.read_text("utf-8"))
    return folder


def toy_contributions() -> Contributions:
    """What the server knows of the plugin `engine-toys`, whose code only workers find where it is installed."""
    plugin = PluginInfo(name="engine-toys", version="1.2.3", entry_point="engine_toys", state=PluginState.ACTIVE)
    return Contributions(
        invocations=[Registered(each, plugin) for each in engine_toys.register_invocations()],
        secrets=[Registered(each, plugin) for each in engine_toys.register_secrets()],
    )


def node(id: str, type: str, **inputs: object) -> dict[str, Any]:
    """The document of a node."""
    return {"id": id, "type": type, **inputs}


def graph(nodes: Sequence[Mapping[str, Any]], edges: Sequence[str] = ()) -> dict[str, Any]:
    """The document of a graph; an edge is written ``"a.value b.a"``."""
    ends = [[end.split(".") for end in edge.split()] for edge in edges]
    return {
        "id": "graph",
        "nodes": {str(one["id"]): dict(one) for one in nodes},
        "edges": [
            {
                "source": {"node_id": source[0], "field": source[1]},
                "destination": {"node_id": destination[0], "field": destination[1]},
            }
            for source, destination in ends
        ],
    }


@dataclass
class EngineRoom:
    """All parts that an engine works with. A context manager: it starts everything, and stops it."""

    folder: Path
    flags: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        flags = {"devices": ["cpu"], "disabled_plugins": SHIPPED, "worker_start_timeout_s": PATIENCE_S, **self.flags}
        self.settings = Settings.load(root=self.folder / "root", flags=flags)
        self.settings.root.mkdir(parents=True, exist_ok=True)
        self.database = Database(self.settings.database_path)
        self.images = ImageLibrary(self.database, self.settings.images_folder)
        self.sessions = SessionFiles(self.settings.sessions_folder)
        self.log = EventLog(self.database)
        self.bus = EventBus(self.log, self.settings.event_buffer)
        self.models = ModelRegistry(ModelRecords(self.database, self.log), lambda path: None)
        self.queue = SessionQueue(
            QueueItemStore(self.database, self.log),
            max_queue_size=self.settings.max_queue_size,
            max_attempts=self.settings.max_attempts,
            affinity_window=self.settings.affinity_window,
        )
        self.secrets = SecretVault(toy_contributions(), SecretFile(self.settings.secrets_path), os.environ)
        self.places = ProviderDesk({}, ProviderUsageRecords(self.database))
        services = SessionServices(self.images, self.sessions, self.models, self.secrets, self.places)
        self.engine = Engine(self.settings, self.queue, services, self.bus)
        #: Everything that was published, for `until`.
        self.events: Subscription = self.bus.subscribe()
        #: What `until` has read.
        self.seen: list[Event] = []

    def __enter__(self) -> Self:
        self.secrets.load()
        self.database.open()
        self.log.open()
        self.images.discard_unsettled()
        self.engine.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.engine.stop(5.0)
        self.bus.close()
        self.images.close()
        self.models.close()
        self.database.close()

    def enqueue(self, document: Mapping[str, Any], *, needs_device: bool = True, **batch: Any) -> int:
        """Queue one session; gives its item's number."""
        return self.queue.enqueue("default", Batch(graph=dict(document), **batch), needs_device=needs_device).item_ids[
            0
        ]

    def run(self, document: Mapping[str, Any], *, needs_device: bool = True, **batch: Any) -> QueueItem:
        """Queue one session and wait for its end."""
        return self.wait(self.enqueue(document, needs_device=needs_device, **batch))

    def wait(self, item_id: int) -> QueueItem:
        """Wait until an item has ended in whichever way."""
        ended = ("completed", "failed", "canceled")
        self.until(lambda e: e.name == "queue_item_status_changed" and e.item_id == item_id and e.status in ended)
        return self.queue.get("default", item_id)

    def until(self, wanted: Callable[[Any], bool]) -> Event:
        """The first event that is wanted, of those not yet looked at."""
        while True:
            envelope: Envelope | None = self.events.get(PATIENCE_S)
            assert envelope is not None, f"no such event came; there were {[event.name for event in self.seen]}"
            self.seen.append(envelope.event)
            if wanted(envelope.event):
                return envelope.event

    def until_started(self, source_id: str) -> Event:
        """Wait until a node runs."""
        return self.until(lambda e: e.name == "invocation_started" and e.invocation_source_id == source_id)

    def named(self, name: str) -> list[Any]:
        """The events of one name, of those that `until` has read."""
        return [event for event in self.seen if event.name == name]

    def worker(self) -> WorkerInfo:
        """The only worker."""
        (worker,) = self.engine.workers()
        return worker

    def gate(self, name: str) -> Path:
        """A FIFO for a node to wait at."""
        path = self.folder / name
        os.mkfifo(path)
        return path

    @contextmanager
    def waiting_at(self, gate: Path) -> Iterator[None]:
        """Wait until a node is at a gate, not only announced, and keep it there while the block runs."""
        with gate.open("w"):
            yield

    def let_go(self, gate: Path) -> None:
        """Let the node that waits at a gate go on; waits until it is there."""
        gate.write_text("go")
