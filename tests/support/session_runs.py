"""`SessionRig`: a real session runner in the test's own process, so that a test can stand between its nodes.

Nodes are declared by the test, and may wait for its events and barriers. What the runner reports is kept in a list.
"""

import socket
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from impasto.cache import InvocationCache
from impasto.engine.access.progress import ProgressSender
from impasto.engine.access.settings import PluginSettings
from impasto.engine.context import WorkerTools
from impasto.engine.control import RunControl
from impasto.engine.generator import Item
from impasto.engine.invoker import NodeInvoker
from impasto.engine.lanes import Lanes
from impasto.engine.protocol import RunEnding, RunOrder, item_key
from impasto.engine.run_journal import RunJournal
from impasto.engine.runner import SessionRunner
from impasto.engine.wire import Wire
from impasto.graph import Graph
from impasto.host import Catalogue, PluginInfo, PluginState, Registered
from impasto.models.cache import ModelCache
from impasto.scheduler import ExecutionNode, GraphExecutionState
from impasto_sdk.fields import JsonValue
from impasto_sdk.models import DeviceInfo
from impasto_sdk.node import BaseInvocation, Lane

__all__ = ["Report", "SessionRig"]


@dataclass
class Report:
    """A `RunReporter` that keeps what it is told."""

    #: What happened, in order: ``("started", id)``, ``("item", id)``, ``("completed", id)``, ``("ending", outcome)``.
    told: list[tuple[str, str]] = field(default_factory=list)
    #: What would be in the journal.
    journal: dict[str, JsonValue] = field(default_factory=dict)
    #: Which nodes were found in the cache.
    cached: list[str] = field(default_factory=list)
    #: How long each node ran.
    seconds: dict[str, float | None] = field(default_factory=dict)
    #: Called with each thing that is told.
    listener: Callable[[str, str], object] = lambda what, which: None

    def started(self, node: ExecutionNode, document: Mapping[str, JsonValue]) -> None:
        self._tell("started", node.id)

    def item(self, node: ExecutionNode, item: Item, images: Sequence[str]) -> None:
        self.journal[item_key(node.id, item.index)] = {"item": item.document}
        self._tell("item", node.id)

    def completed(
        self,
        node: ExecutionNode,
        output: Mapping[str, JsonValue],
        *,
        cached: bool,
        images: Sequence[str] = (),
        seconds: float | None = None,
    ) -> None:
        self.journal[node.id] = dict(output)
        self.cached += [node.id] if cached else []
        self.seconds[node.id] = seconds
        self._tell("completed", node.id)

    def ending(self, ending: RunEnding) -> None:
        self._tell("ending", ending.outcome.value)

    def all(self, what: str) -> list[str]:
        """Which nodes that was said of."""
        return [which for one, which in self.told if one == what]

    def _tell(self, what: str, which: str) -> None:
        self.told.append((what, which))
        self.listener(what, which)


class SessionRig:
    """Everything a worker has but its process, for these node classes. A context manager."""

    def __init__(
        self,
        nodes: Iterable[type[BaseInvocation]],
        *,
        device: int = 1,
        cpu: int = 4,
        io: int = 16,
        cache_bytes: int = 0,
    ) -> None:
        plugin = PluginInfo(name="toys", version="1.0.0", entry_point="toys", state=PluginState.ACTIVE)
        self.catalogue = Catalogue(Registered(node, plugin) for node in nodes)
        self.report = Report()
        self.control = RunControl()
        ours, self._theirs = socket.socketpair()
        self._wire = Wire(ours, "nobody", lambda message: None, lambda reason: None)
        found = DeviceInfo(name="cpu", kind="cpu")
        tools = WorkerTools(
            wire=self._wire,
            device=found,
            models=ModelCache([], found, ram_bytes=0),
            progress=ProgressSender(self._wire, per_s=1000, previews=False),
            settings=PluginSettings([], {}),
            extensions={},
        )
        self.runner = SessionRunner(
            lambda graph, session_id: GraphExecutionState(graph, self.catalogue, session_id=session_id),
            NodeInvoker(self.catalogue, InvocationCache(cache_bytes), lambda references: True),
            tools,
            self.report,
            Lanes({Lane.DEVICE: device, Lane.CPU: cpu, Lane.IO: io}),
        )

    def __enter__(self) -> Self:
        self._wire.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._wire.close()
        self._wire.join(10)
        self._theirs.close()

    def run(self, document: Mapping[str, Any], journal: Mapping[str, JsonValue] | None = None) -> RunEnding:
        """Run a graph; `journal` is what an earlier attempt has left."""
        order = RunOrder(
            item_id=1,
            queue_id="default",
            batch_id="batch",
            session_id="session",
            user_id="system",
            graph=Graph.from_document(document).to_document(),
            metadata={},
        )
        lines = RunJournal()
        lines.add(dict(journal or {}))
        return self.runner.run(order, lines, self.control)
