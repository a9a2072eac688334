"""`WireReporter`: tells the server what the runner and the model cache of a worker do."""

import time
from collections.abc import Mapping, Sequence
from typing import Protocol

from impasto.engine.generator import Item
from impasto.engine.protocol import RunEnding, ToServer
from impasto.engine.wire import Wire
from impasto.scheduler import ExecutionNode
from impasto_sdk.fields import JsonValue
from impasto_sdk.models import ModelRecord

__all__ = ["RunReporter", "WireReporter"]


class RunReporter(Protocol):
    """Told of the nodes of a run, in the order in which they count; always on the runner's thread."""

    def started(self, node: ExecutionNode, document: Mapping[str, JsonValue]) -> None:
        """The node, with these inputs, begins to run."""
        ...

    def item(self, node: ExecutionNode, item: Item, images: Sequence[str]) -> None:
        """It gave an item, and saved these images with it."""
        ...

    def completed(
        self,
        node: ExecutionNode,
        output: Mapping[str, JsonValue],
        *,
        cached: bool,
        images: Sequence[str] = (),
        seconds: float | None = None,
    ) -> None:
        """It has finished, after so many seconds if they were taken; `images`: those saved since its last item."""
        ...

    def ending(self, ending: RunEnding) -> None:
        """The run will end so as soon as the nodes in hand have."""
        ...


class WireReporter:
    """A `RunReporter` and a `LoadListener`. What it sends arrives in the order of the calls."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        #: What is being loaded, and since when; one that fails is begun anew.
        self._loading: dict[tuple[str, str | None], float] = {}

    def started(self, node: ExecutionNode, document: Mapping[str, JsonValue]) -> None:
        """See `RunReporter`."""
        self._wire.send(
            ToServer.STARTED, {"execution_id": node.id, "source_id": node.source_id, "invocation": document}
        )

    def item(self, node: ExecutionNode, item: Item, images: Sequence[str]) -> None:
        """See `RunReporter`."""
        body = {"execution_id": node.id, "index": item.index, "item": item.document, "images": list(images)}
        self._wire.send(ToServer.ITEM, body)

    def completed(
        self,
        node: ExecutionNode,
        output: Mapping[str, JsonValue],
        *,
        cached: bool,
        images: Sequence[str] = (),
        seconds: float | None = None,
    ) -> None:
        """See `RunReporter`."""
        body = {
            "execution_id": node.id,
            "output": output,
            "cached": cached,
            "images": list(images),
            "seconds": seconds,
        }
        self._wire.send(ToServer.COMPLETED, body)

    def ending(self, ending: RunEnding) -> None:
        """See `RunReporter`."""
        self._wire.send(ToServer.ENDING, ending.model_dump(mode="json"))

    def load_started(self, record: ModelRecord, submodel: str | None) -> None:
        """See `LoadListener`."""
        self._loading[record.key, submodel] = time.perf_counter()
        self._model_load("started", record, submodel)

    def load_complete(self, record: ModelRecord, submodel: str | None) -> None:
        """See `LoadListener`."""
        seconds = time.perf_counter() - self._loading.pop((record.key, submodel))
        self._model_load("complete", record, submodel, seconds)

    def _model_load(self, phase: str, record: ModelRecord, submodel: str | None, seconds: float | None = None) -> None:
        body = {"phase": phase, "record": record.model_dump(mode="json"), "submodel": submodel, "seconds": seconds}
        self._wire.send(ToServer.MODEL_LOAD, body)
