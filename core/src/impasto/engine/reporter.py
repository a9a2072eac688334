"""`WireReporter`: tells the server what the runner and the model cache of a worker do."""

from collections.abc import Mapping

from impasto.engine.protocol import ToServer
from impasto.engine.wire import Wire
from impasto.scheduler import ExecutionNode
from impasto_sdk.fields import JsonValue
from impasto_sdk.models import ModelRecord

__all__ = ["WireReporter"]


class WireReporter:
    """A `RunReporter` and a `LoadListener`. What it sends arrives in the order of the calls."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def started(self, node: ExecutionNode, document: Mapping[str, JsonValue]) -> None:
        """See `RunReporter`."""
        self._wire.send(
            ToServer.STARTED, {"execution_id": node.id, "source_id": node.source_id, "invocation": document}
        )

    def completed(self, node: ExecutionNode, output: Mapping[str, JsonValue], *, cached: bool) -> None:
        """See `RunReporter`."""
        self._wire.send(ToServer.COMPLETED, {"execution_id": node.id, "output": output, "cached": cached})

    def load_started(self, record: ModelRecord, submodel: str | None) -> None:
        """See `LoadListener`."""
        self._model_load("started", record, submodel)

    def load_complete(self, record: ModelRecord, submodel: str | None) -> None:
        """See `LoadListener`."""
        self._model_load("complete", record, submodel)

    def _model_load(self, phase: str, record: ModelRecord, submodel: str | None) -> None:
        body = {"phase": phase, "record": record.model_dump(mode="json"), "submodel": submodel}
        self._wire.send(ToServer.MODEL_LOAD, body)
