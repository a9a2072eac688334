"""What the engine needs of others, as narrowly as it can be said: a queue, stores, and somewhere to publish.

The application hands in the real ones (`SessionQueue`, `ImageLibrary`, `SessionFiles`, `ModelRegistry`), whose
docstrings hold. Saying it here keeps the worker, which imports this package too, free of the database behind them.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from impasto_sdk.events import Event
from impasto_sdk.fields import JsonValue
from impasto_sdk.models import ModelRecord

__all__ = [
    "Claim",
    "ImageStore",
    "ModelRecords",
    "Publish",
    "SessionServices",
    "SessionStore",
    "StoredImage",
    "WorkQueue",
]

#: Publishes an event and does not wait; `EventBus.publish`.
Publish = Callable[[Event], object]


class Claim(Protocol):
    """A queue item that a worker has taken; see `impasto.queue.records.ClaimedItem`."""

    item_id: int
    queue_id: str
    batch_id: str
    session_id: str
    user_id: str
    origin: str | None
    destination: str | None
    graph: dict[str, JsonValue]
    workflow: JsonValue
    metadata: dict[str, JsonValue] | None
    attempt: int


class WorkQueue(Protocol):
    """The engine's side of `SessionQueue`. What speaks for an item says which attempt it speaks for."""

    def claim(self, worker_id: str, *, warm: Collection[str] = ()) -> Claim | None:
        """Take the next item; of those that are about to be next, one that needs models the worker holds.

        `warm`: keys of these models, the most recently used first.
        """
        ...

    def wait_for_work(self, timeout_s: float) -> bool:
        """Wait until there may be something to claim."""
        ...

    def wake(self) -> None:
        """End every `wait_for_work`."""
        ...

    def journal_lines(self, item_id: int, *, limit: int = 1000) -> Iterator[Mapping[str, JsonValue]]:
        """What earlier attempts wrote down, in order, in portions of at most `limit` lines; holds up no writer."""
        ...

    def journal(
        self,
        item_id: int,
        outputs: Mapping[str, JsonValue],
        *,
        attempt: int | None = None,
        settled: Collection[str] = (),
        events: Sequence[Event] = (),
    ) -> bool:
        """Write outputs, that the images of these names stay, and events, in one transaction.

        False: the item is no longer this attempt's, and nothing was written. `outputs` may be empty.
        """
        ...

    def extend_lease(self, item_id: int, *, attempt: int | None = None) -> bool:
        """Say that an attempt is under way; False: the item is no longer this attempt's."""
        ...

    def expire_leases(self) -> Sequence[int]:
        """Give back the items whose workers have gone silent."""
        ...

    def complete(
        self,
        item_id: int,
        *,
        attempt: int | None = None,
        outputs: Mapping[str, JsonValue] | None = None,
        settled: Collection[str] = (),
        events: Sequence[Event] = (),
    ) -> bool:
        """The session ended well, with these last outputs and images; `events` leave before the item's own."""
        ...

    def fail(
        self,
        item_id: int,
        error_type: str,
        message: str,
        traceback: str = "",
        *,
        attempt: int | None = None,
        events: Sequence[Event] = (),
    ) -> bool:
        """The session ended with an error; `events` leave before the item's own."""
        ...

    def give_back(self, item_id: int, reason: str, *, attempt: int | None = None, excused: bool = False) -> bool:
        """The worker was lost, or is to stop."""
        ...

    def cancel(self, queue_id: str, item_id: int, *, attempt: int | None = None) -> object:
        """Cancel an item, or only this attempt at it."""
        ...

    def recover(self) -> int:
        """Give back what was running when the server ended."""
        ...

    def add_cancel_listener(self, listener: Callable[[int], object]) -> None:
        """Have `listener(item_id)` called for every running item that is cancelled."""
        ...


class StoredImage(Protocol):
    """What is asked of an image's record; see `impasto.storage.images.ImageDTO`."""

    image_name: str
    width: int
    height: int
    image_category: str
    is_intermediate: bool
    board_id: str | None


class ImageStore(Protocol):
    """The engine's side of `ImageLibrary`."""

    def save(
        self,
        data: bytes,
        *,
        category: str = "general",
        origin: str = "internal",
        is_intermediate: bool = False,
        session_id: str | None = None,
        node_id: str | None = None,
        board_id: str | None = None,
        metadata: dict[str, JsonValue] | None = None,
        graph: dict[str, JsonValue] | None = None,
        workflow: JsonValue = None,
        user_id: str = "system",
        unsettled: bool = False,
        embed: bool = True,
    ) -> StoredImage:
        """Store an encoded picture; `unsettled`: it goes at the next start unless the journal names it.

        Without `embed` nothing is written into the file.
        """
        ...

    def get(self, name: str) -> StoredImage:
        """An image's record."""
        ...

    def read(self, name: str) -> bytes:
        """An image's file."""
        ...

    def metadata(self, name: str) -> dict[str, JsonValue] | None:
        """An image's metadata."""
        ...

    def exist(self, names: Sequence[str]) -> set[str]:
        """Which of these images there are."""
        ...

    def delete(self, names: Sequence[str]) -> Sequence[str]:
        """Remove images and their files; which of them there were."""
        ...


class SessionStore(Protocol):
    """The engine's side of `SessionFiles`."""

    def save(self, session_id: str, data: bytes) -> str:
        """Store bytes that go with their session."""
        ...

    def load(self, name: str) -> bytes:
        """Stored bytes."""
        ...

    def exist(self, names: Sequence[str]) -> set[str]:
        """Which of these files there are."""
        ...


class ModelRecords(Protocol):
    """The engine's side of `ModelRegistry`."""

    def get(self, key: str) -> ModelRecord:
        """A record."""
        ...

    def search(
        self, *, type: str | None = None, base: str | None = None, name: str | None = None
    ) -> Sequence[ModelRecord]:
        """The records that match."""
        ...


@dataclass(frozen=True, slots=True)
class SessionServices:
    """The stores that running nodes reach through the wire."""

    images: ImageStore
    sessions: SessionStore
    models: ModelRecords
