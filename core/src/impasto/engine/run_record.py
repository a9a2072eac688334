"""`RunRecord`: what a worker reports on one run becomes lines in the journal, and then events for the world."""

import base64
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from impasto.engine.ports import Claim, Publish
from impasto.engine.protocol import RunEnding, RunError, ToServer
from impasto.engine.wire import Message
from impasto_sdk.events import (
    Event,
    InvocationCompleteEvent,
    InvocationErrorEvent,
    InvocationProgressEvent,
    InvocationStartedEvent,
    ModelLoadCompleteEvent,
    ModelLoadStartedEvent,
)
from impasto_sdk.fields import JsonValue

__all__ = ["RunRecord"]


class RunRecord:
    """The record of one run. `journal` writes outputs by execution id and says whether the run still counts."""

    def __init__(
        self, item: Claim, journal: Callable[[Mapping[str, JsonValue]], bool], publish: Publish, *, device: str
    ) -> None:
        self._item = item
        self._journal = journal
        self._publish = publish
        self._device = device
        #: Nodes that have begun and not ended: their document and source id.
        self._running: dict[str, tuple[Mapping[str, JsonValue], str]] = {}
        #: False once the item was taken from this run: cancelled, removed, or given to another worker.
        self.counts = True

    def take(self, messages: Sequence[Message]) -> RunEnding | None:
        """Record some messages, in order; gives the run's ending when it is among them.

        Finished nodes are on disk, in one commit, before any of the events leaves.
        """
        finished = {
            message.body["execution_id"]: message.body["output"]
            for message in messages
            if message.kind == ToServer.COMPLETED
        }
        if finished and self.counts:
            self.counts = self._journal(finished)
        for message in messages:
            if message.kind == ToServer.ENDED:
                ending = RunEnding.model_validate(message.body)
                if ending.error is not None and self.counts:
                    self._publish(self._failed(ending.error))
                return ending
            if self.counts and (event := self._event(message)) is not None:
                self._publish(event)
        return None

    def _event(self, message: Message) -> Event | None:
        body = message.body
        match message.kind:
            case ToServer.STARTED:
                self._running[body["execution_id"]] = (body["invocation"], body["source_id"])
                return InvocationStartedEvent(**self._facts(body["execution_id"]))
            case ToServer.PROGRESS if body["execution_id"] not in self._running:
                return None  # a thread that its node left behind still reports
            case ToServer.PROGRESS:
                return self._progress(body, message.parts)
            case ToServer.COMPLETED:
                facts = self._facts(body["execution_id"])
                del self._running[body["execution_id"]]
                return InvocationCompleteEvent(**facts, result=body["output"], cached=body["cached"])
            case ToServer.MODEL_LOAD:
                event = ModelLoadStartedEvent if body["phase"] == "started" else ModelLoadCompleteEvent
                return event(config=body["record"], submodel_type=body["submodel"], user_id=self._item.user_id)
        raise ValueError(f"a worker sent {message.kind!r} during a run")

    def _progress(self, body: Mapping[str, JsonValue], parts: Sequence[bytes]) -> InvocationProgressEvent:
        preview = parts[0] if parts else None
        image = None
        if preview is not None:
            address = "data:image/jpeg;base64," + base64.b64encode(preview).decode("ascii")
            image = {"width": body["width"], "height": body["height"], "dataURL": address}
        return InvocationProgressEvent(
            **self._facts(body["execution_id"]),
            message=body["message"],
            percentage=body["fraction"],
            image=image,
            device=self._device,
            preview=preview,
        )

    def _failed(self, error: RunError) -> InvocationErrorEvent:
        # a graph that cannot run at all failed in no node in particular
        invocation = error.invocation or {"id": error.execution_id or ""}
        return InvocationErrorEvent(
            **self._run_facts(),
            invocation=invocation,
            invocation_source_id=error.source_id or "",
            error_type=error.type,
            error_message=error.message,
            error_traceback=error.traceback,
        )

    def _facts(self, execution_id: str) -> dict[str, Any]:
        invocation, source_id = self._running[execution_id]
        return {**self._run_facts(), "invocation": invocation, "invocation_source_id": source_id}

    def _run_facts(self) -> dict[str, Any]:
        item = self._item
        return {
            "queue_id": item.queue_id,
            "item_id": item.item_id,
            "batch_id": item.batch_id,
            "session_id": item.session_id,
            "origin": item.origin,
            "destination": item.destination,
            "user_id": item.user_id,
        }
