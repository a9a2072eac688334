"""`EventFilter`: which events a client wants, as it says so when it opens a stream, or later over a WebSocket."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from impasto_sdk.events import (
    Event,
    QueueClearedEvent,
    QueueItemsCanceledEvent,
    QueueItemsDeletedEvent,
    QueueItemsRetriedEvent,
    event_names,
)
from impasto_sdk.fields import JsonValue

__all__ = ["EventFilter"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFilter:
    """What to tell a client of: what fits all that is given; None: no matter. Called for every event: it must be quick.

    Raises `ValueError` for the name of no event.
    """

    #: Events of other queues are left out; events of no queue (workers, models, workflows) are not.
    queue_ids: frozenset[str] | None = None
    #: Only events of these items, among them those that name several items at once.
    item_ids: frozenset[int] | None = None
    #: Only events of these batches.
    batch_ids: frozenset[str] | None = None
    #: Only events of these names.
    names: frozenset[str] | None = None

    def __post_init__(self) -> None:
        unknown = sorted((self.names or frozenset()) - event_names())
        if unknown:
            near = get_close_matches(unknown[0], event_names(), n=1)
            meant = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(sorted(event_names()))}"
            raise ValueError(f"there is no event {unknown[0]!r}; {meant}")

    @classmethod
    def of(
        cls,
        queue_ids: Iterable[str] | None,
        item_ids: Iterable[int] | None,
        batch_ids: Iterable[str] | None,
        names: Iterable[str] | None,
    ) -> "EventFilter":
        """The filter of what a client gave, in any order, each maybe more than once. Raises `ValueError`."""
        return cls(
            queue_ids=None if queue_ids is None else frozenset(queue_ids),
            item_ids=None if item_ids is None else frozenset(item_ids),
            batch_ids=None if batch_ids is None else frozenset(batch_ids),
            names=None if names is None else frozenset(names),
        )

    def __call__(self, event: Event) -> bool:
        """Whether the client wants `event`."""
        if self.names is not None and event.name not in self.names:
            return False
        queue_id = getattr(event, "queue_id", None)
        if self.queue_ids is not None and queue_id is not None and queue_id not in self.queue_ids:
            return False
        # it takes all items of the queue with it, and those of every batch
        return isinstance(event, QueueClearedEvent) or (self._fits_batch(event) and self._fits_item(event))

    def to_document(self) -> dict[str, JsonValue]:
        """What is in force, in the words of the query: lists, and null for what does not matter."""
        return {
            "queue_id": None if self.queue_ids is None else sorted(self.queue_ids),
            "item_id": None if self.item_ids is None else sorted(self.item_ids),
            "batch_id": None if self.batch_ids is None else sorted(self.batch_ids),
            "events": None if self.names is None else sorted(self.names),
        }

    def _fits_batch(self, event: Event) -> bool:
        if self.batch_ids is None or _several(event) is not None:
            return True  # what names several items does not name their batches: whoever follows a batch has to look
        return getattr(event, "batch_id", None) in self.batch_ids

    def _fits_item(self, event: Event) -> bool:
        if self.item_ids is None:
            return True
        several = _several(event)
        if several is not None:
            return not self.item_ids.isdisjoint(several)
        return getattr(event, "item_id", None) in self.item_ids


def _several(event: Event) -> Sequence[int] | None:
    """The items of an event that names several; None for any other."""
    match event:
        case QueueItemsCanceledEvent():
            return event.canceled_item_ids
        case QueueItemsDeletedEvent():
            return event.deleted_item_ids
        case QueueItemsRetriedEvent():
            return [*event.retried_item_ids, *event.item_ids]
    return None
