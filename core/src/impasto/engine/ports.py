"""What the engine needs of others, as narrowly as it can be said: a queue, stores, and somewhere to publish.

The application hands in the real ones (`SessionQueue`, `ImageLibrary`, `SessionFiles`, `ModelRegistry`, `SecretVault`,
`ProviderDesk`), whose docstrings hold. Saying it here keeps the worker, which imports this package too, free of the
database behind them.
"""

import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from impasto.host.mask import Mask
from impasto_sdk.events import Event
from impasto_sdk.fields import JsonValue
from impasto_sdk.models import ModelRecord
from impasto_sdk.usage import ProviderUsage

__all__ = [
    "Claim",
    "ImageStore",
    "ModelRecords",
    "Providers",
    "Publish",
    "SecretSource",
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

    def claim(self, worker_id: str, *, warm: Collection[str] = (), needs_device: bool | None = None) -> Claim | None:
        """Take the next item; of those that are about to be next, one that needs models the worker holds.

        `warm`: keys of these models, the most recently used first. `needs_device`: only an item that needs a device,
        or only one that needs none; None: whichever.
        """
        ...

    def is_any_waiting(self, *, needs_device: bool) -> bool:
        """Whether there is something to claim of a kind."""
        ...

    def add_bell(self, *, needs_device: bool | None = None) -> threading.Event:
        """What is set whenever there may be something to claim of a kind: clear it, look, then wait for it."""
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


class SecretSource(Protocol):
    """The engine's side of `SecretVault`."""

    #: What is not to be seen in anything that is written down or told of a worker.
    mask: Mask

    def plugins_of(self, node_types: Collection[str]) -> Collection[str]:
        """The plugins that these node types come from."""
        ...

    def declared_by(self, plugin: str) -> Collection[str]:
        """Names of the secrets that a plugin has, those of its external providers among them."""
        ...

    def reveal(self, plugin: str, name: str) -> str | None:
        """A plugin's secret; None: it is not set. Raises `SecretNotFoundError` when the plugin has none of the name."""
        ...


class Providers(Protocol):
    """The engine's side of `ProviderDesk`: places among the requests to external services, and their meters.

    `holder` is who has a place: a worker's id.
    """

    def begin(self, provider_id: str, holder: str) -> bool:
        """Take a place; False: as many requests as there may be are under way."""
        ...

    def end(self, provider_id: str, holder: str, usage: ProviderUsage, user_id: str) -> None:
        """Give a place back. What the request came to is on disk when this returns."""
        ...

    def release(self, holder: str) -> None:
        """Give back every place that `holder` has: it ended without doing so."""
        ...


@dataclass(frozen=True, slots=True)
class SessionServices:
    """The stores, the secrets and the external services that running nodes reach through the wire."""

    images: ImageStore
    sessions: SessionStore
    models: ModelRecords
    secrets: SecretSource
    providers: Providers
