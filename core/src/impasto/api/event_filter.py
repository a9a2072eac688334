"""`EventFilter`: which events a client wants, as it says so in the query of a stream."""

from dataclasses import dataclass

from impasto_sdk.events import Event

__all__ = ["EventFilter"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFilter:
    """What to tell a client of; None: all. Called while events are published, so it must stay quick."""

    #: Events of other queues are left out; events of no queue (workers, models) are not.
    queue_id: str | None = None
    #: Only events of this item.
    item_id: int | None = None
    #: Only events of this batch.
    batch_id: str | None = None

    def __call__(self, event: Event) -> bool:
        """Whether the client wants `event`."""
        if self.queue_id is not None and getattr(event, "queue_id", self.queue_id) != self.queue_id:
            return False
        if self.batch_id is not None and getattr(event, "batch_id", None) != self.batch_id:
            return False
        if self.item_id is None:
            return True
        return getattr(event, "item_id", None) == self.item_id or self.item_id in getattr(
            event, "canceled_item_ids", ()
        )
