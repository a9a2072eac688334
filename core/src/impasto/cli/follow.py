"""Enqueues work and follows its queue items to their end. Knows no terminal: events go to a function."""

import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from types import FrameType

from impasto.cli.client import Client, JsonObject
from impasto.cli.event_stream import EventMessage
from impasto.cli.failures import RequestRefusedError, RunFailedError, StoppedError
from impasto.errors import ServerError

__all__ = ["ENDED", "enqueue_and_follow"]

#: Statuses that a queue item does not leave.
ENDED = frozenset({"completed", "failed", "canceled"})

#: How often a lost event stream is opened anew before the server counts as gone.
RECONNECTS = 5


def enqueue_and_follow(
    client: Client, queue_id: str, enqueue: Callable[[], JsonObject], show: Callable[[EventMessage], object]
) -> list[JsonObject]:
    """Call `enqueue`, wait until all its items have completed, and give them, in order, with their sessions.

    `show` is told of every event of the items. Raises `RunFailedError` for the first item that does not complete, and
    `StoppedError` on Ctrl-C; items that have not ended by then are cancelled. Raises `ServerError` when the server is
    gone; what it had accepted stays in its queue.
    """
    followed = _Followed(client, queue_id)
    with _cancelling(followed):
        # the stream first: nothing that happens after the enqueueing can be missed then
        with client.events() as events:
            with _uninterrupted():
                followed.item_ids = list(enqueue()["item_ids"])
            followed.watch(events, show)
        for _ in range(RECONNECTS):
            if not followed.open:
                break
            followed.look()
            with client.events(since=followed.last_event) as events:
                followed.watch(events, show)
        if followed.open:
            raise ServerError(f"the server at {client.url} ends its event stream again and again")
    return [followed.item(item_id) for item_id in followed.item_ids]


class _Followed:
    """The items that are waited for."""

    def __init__(self, client: Client, queue_id: str) -> None:
        self.client = client
        self.queue_id = queue_id
        self.item_ids: Sequence[int] = ()
        self.ended: set[int] = set()
        self.last_event: str | None = None

    @property
    def open(self) -> list[int]:
        """Those that have not ended."""
        return [item_id for item_id in self.item_ids if item_id not in self.ended]

    def watch(self, events: Iterator[EventMessage], show: Callable[[EventMessage], object]) -> None:
        """Read events until every item has ended or the stream does."""
        wanted = set(self.item_ids)
        for event in events if self.open else ():
            self.last_event = event.id or self.last_event
            item_id = event.data.get("item_id")
            if item_id not in wanted:
                continue
            show(event)
            if event.name == "queue_item_status_changed" and event.data["status"] in ENDED:
                self._end(item_id, event.data)
                if not self.open:
                    return

    def look(self) -> None:
        """Ask for what was missed while there was no stream."""
        for item_id in self.open:
            item = self.item(item_id)
            if item["status"] in ENDED:
                self._end(item_id, item)

    def item(self, item_id: int) -> JsonObject:
        """An item's record."""
        record: JsonObject = self.client.get(f"/api/v1/queue/{self.queue_id}/i/{item_id}")
        return record

    def cancel(self) -> list[int]:
        """Cancel what has not ended; which items those were. A server that is gone cancels nothing, without a word."""
        cancelled = []
        with suppress(ServerError, RequestRefusedError):
            for item_id in self.open:
                self.client.put(f"/api/v1/queue/{self.queue_id}/i/{item_id}/cancel")
                cancelled.append(item_id)
        return cancelled

    def _end(self, item_id: int, state: JsonObject) -> None:
        self.ended.add(item_id)
        if state["status"] != "completed":
            raise RunFailedError(item_id, state["status"], state.get("error_message") or "")


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Hold a Ctrl-C back until the block ends: what was enqueued and is not known of could not be cancelled.

    A second Ctrl-C is not held back. Only the main thread is interrupted, so only there is anything to do.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    held: list[int] = []

    def hold(number: int, frame: FrameType | None) -> None:
        held.append(number)
        if len(held) > 1:
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, hold)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if held:
        raise KeyboardInterrupt


@contextmanager
def _cancelling(followed: _Followed) -> Iterator[None]:
    """Cancel what is open when the wait ends early."""
    try:
        yield
    except KeyboardInterrupt:
        raise StoppedError(followed.cancel()) from None
    except RunFailedError:
        followed.cancel()
        raise
    except ServerError as error:
        if not followed.open:
            raise
        numbers = ", ".join(map(str, followed.open))
        kept = f"item {numbers} is" if len(followed.open) == 1 else f"items {numbers} are"
        raise ServerError(f"{error}; queue {kept} kept and will go on when it runs again") from error
