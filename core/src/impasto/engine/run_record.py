"""`RunRecord`: what a worker reports on one run becomes lines in the journal, and then events for the world."""

import base64
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from impasto.engine.ports import Claim, Publish, WorkQueue
from impasto.engine.protocol import Outcome, RunEnding, RunError, ToServer, item_key, node_title
from impasto.engine.unsettled_images import UnsettledImages
from impasto.engine.wire import Message
from impasto_sdk.events import (
    Event,
    InvocationCompleteEvent,
    InvocationErrorEvent,
    InvocationProgressEvent,
    InvocationStartedEvent,
    ModelLoadCompleteEvent,
    ModelLoadEvent,
    ModelLoadStartedEvent,
)
from impasto_sdk.fields import JsonValue

__all__ = ["RunRecord"]

#: How many of the nodes in hand are named.
_NAMED = 2


class RunRecord:
    """The record of one run, kept in `queue`. `device` is the name of what it runs on, where there is one."""

    def __init__(
        self, item: Claim, queue: WorkQueue, publish: Publish, images: UnsettledImages, *, device: str | None
    ) -> None:
        self._item = item
        self._queue = queue
        self._publish = publish
        self._images = images
        self._device = device
        #: Nodes that have begun and not ended: their document and source id.
        self._running: dict[str, tuple[Mapping[str, JsonValue], str]] = {}
        #: False once the item was taken from this run: cancelled, removed, or given to another worker.
        self.counts = True
        #: How the run will end, when that is certain before its last node has ended.
        self.foretold: RunEnding | None = None

    @property
    def in_hand(self) -> str:
        """The nodes that have begun and not ended, in words, the first two by name; empty when none has."""
        titles = [node_title(invocation) for invocation, _ in self._running.values()]
        named, others = titles[:_NAMED], len(titles) - _NAMED
        return ", ".join(named) + (f" and {others} more" if others > 0 else "")

    def take(self, messages: Sequence[Message]) -> RunEnding | None:
        """Record some messages, in order; gives the run's ending, the last of them, when it is there.

        Finished nodes, the images that they saved and the events that tell of them are on disk in one commit, before
        any of it is told; so is the end of a run that ended well, since for a short one that commit is most of what it
        costs.
        """
        ending = next((RunEnding.model_validate(m.body) for m in messages if m.kind == ToServer.ENDED), None)
        if not self.counts:
            return ending
        lines = {key: line for message in messages for key, line in _lines(message)}
        settled = [name for message in messages for name in message.body.get("images", ())]
        events = [event for message in messages if (event := self._event(message)) is not None]
        item_id, attempt = self._item.item_id, self._item.attempt
        if ending is not None and ending.outcome is Outcome.COMPLETED:
            self._images.remove(but=settled)  # who hears that the run is complete is to find nothing that does not stay
            self.counts = self._queue.complete(item_id, attempt=attempt, outputs=lines, settled=settled, events=events)
        elif lines:
            self.counts = self._queue.journal(item_id, lines, attempt=attempt, settled=settled, events=events)
        else:
            for event in events:
                self._publish(event)
        if self.counts:
            self._images.settle(settled)
        return ending

    def _event(self, message: Message) -> Event | None:
        body = message.body
        match message.kind:
            case ToServer.ENDING | ToServer.ENDED:
                return self._ended(RunEnding.model_validate(body))
            case ToServer.STARTED:
                self._running[body["execution_id"]] = (body["invocation"], body["source_id"])
                return InvocationStartedEvent(**self._facts(body["execution_id"]))
            case ToServer.PROGRESS:
                return self._progress(body, message.parts)
            case ToServer.ITEM:
                return None  # what it gave is told of with the whole output
            case ToServer.COMPLETED:
                facts = self._facts(body["execution_id"])
                del self._running[body["execution_id"]]
                return InvocationCompleteEvent(
                    **facts, result=body["output"], cached=body["cached"], duration_s=body.get("seconds")
                )
            case ToServer.MODEL_LOAD:
                return self._model_load(body)
        raise ValueError(f"a worker sent {message.kind!r} during a run")

    def _progress(self, body: Mapping[str, JsonValue], parts: Sequence[bytes]) -> InvocationProgressEvent | None:
        if body["execution_id"] not in self._running:
            return None  # a thread that its node left behind still reports
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

    def _model_load(self, body: Mapping[str, JsonValue]) -> ModelLoadEvent:
        facts = {"config": body["record"], "submodel_type": body["submodel"], "user_id": self._item.user_id}
        if body["phase"] == "started":
            return ModelLoadStartedEvent(**facts)
        return ModelLoadCompleteEvent(**facts, duration_s=body.get("seconds"))

    def _ended(self, ending: RunEnding) -> InvocationErrorEvent | None:
        """Tell why it failed, when that is said first: once with the news, or with the end itself."""
        known, self.foretold = self.foretold, ending
        return None if known is not None or ending.error is None else self._failed(ending.error)

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


def _lines(message: Message) -> Iterator[tuple[str, JsonValue]]:
    """What a message comes to in the journal."""
    body = message.body
    if message.kind == ToServer.COMPLETED:
        yield body["execution_id"], body["output"]
    elif message.kind == ToServer.ITEM:
        yield item_key(body["execution_id"], body["index"]), {"item": body["item"], "images": body["images"]}
