"""`WatchedQueue`: what ``impasto queue watch`` knows of a queue, from its status and its events. Knows no terminal."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from impasto.cli.client import JsonObject
from impasto.cli.event_stream import EventMessage
from impasto.cli.follow import ENDED
from impasto.cli.listings import duration_in_words

__all__ = ["UNCOUNTED", "EndedItem", "RunningItem", "WatchedQueue"]

#: Events that change how many items are in each status, and do not say how many then are.
UNCOUNTED = frozenset(
    {"batch_enqueued", "queue_items_canceled", "queue_items_retried", "queue_items_deleted", "queue_cleared"}
)
#: Most items that have ended which are remembered.
REMEMBERED = 8


@dataclass(slots=True)
class RunningItem:
    """An item that runs now."""

    item_id: int
    batch_id: str
    #: The node that began last, or what it says of itself.
    what: str = "starting"
    #: How far that node is, 0 to 1; None where it does not say.
    part: float | None = None


@dataclass(frozen=True, slots=True)
class EndedItem:
    """An item that has ended, and how."""

    item_id: int
    status: str
    #: How long it ran, in words; empty for one that never began.
    ran: str
    error: str

    def __str__(self) -> str:
        after = f" after {self.ran}" if self.ran else ""
        return f"item {self.item_id} {self.status}{after}{': ' if self.error else ''}{self.error}"


class WatchedQueue:
    """One queue as it is now. `begin` again whenever events may have been missed."""

    def __init__(self, queue_id: str) -> None:
        self.queue_id = queue_id
        self.counts: Mapping[str, int] = {}
        self.running: dict[int, RunningItem] = {}
        #: The newest last.
        self.ended: deque[EndedItem] = deque(maxlen=REMEMBERED)

    def begin(self, status: JsonObject, current: JsonObject | None) -> None:
        """Take the present state: the queue's status, and the item that runs."""
        self.counts = status
        self.running = {}
        if current is not None:
            self._runs(current)

    def take(self, event: EventMessage) -> Sequence[EndedItem]:
        """Take in an event of the queue; the items that ended with it, mostly none.

        After one of `UNCOUNTED` the counts have to be asked for.
        """
        data = event.data
        if data.get("queue_id") != self.queue_id:
            return ()
        if event.name == "queue_item_status_changed":
            return self._status_changed(data)
        if event.name == "queue_items_canceled":
            return self._end(*(EndedItem(item_id, "canceled", "", "") for item_id in data["canceled_item_ids"]))
        if event.name == "queue_cleared":
            self.running.clear()
        elif event.name == "invocation_started":
            self._now(data, _node_type(data), None)
        elif event.name == "invocation_progress":
            self._now(data, str(data.get("message") or _node_type(data)), data.get("percentage"))
        return ()

    def _status_changed(self, data: JsonObject) -> Sequence[EndedItem]:
        self.counts = data["queue_status"]
        item_id, status = data["item_id"], data["status"]
        if status == "in_progress":
            self._runs(data)
            return ()
        self.running.pop(item_id, None)
        if status not in ENDED:
            return ()
        return self._end(EndedItem(item_id, status, _ran(data), data.get("error_message") or ""))

    def _end(self, *ended: EndedItem) -> Sequence[EndedItem]:
        self.ended.extend(ended)
        return ended

    def _runs(self, item: JsonObject) -> None:
        self.running[item["item_id"]] = RunningItem(item["item_id"], item["batch_id"])

    def _now(self, data: JsonObject, what: str, part: float | None) -> None:
        # one that began before anyone watched is not known yet
        item = self.running.setdefault(data["item_id"], RunningItem(data["item_id"], data["batch_id"]))
        item.what, item.part = what, part


def _ran(data: JsonObject) -> str:
    if not data.get("started_at") or not data.get("completed_at"):
        return ""
    begun, ended = (datetime.fromisoformat(data[name]) for name in ("started_at", "completed_at"))
    return duration_in_words((ended - begun).total_seconds())


def _node_type(data: JsonObject) -> str:
    return str(data["invocation"].get("type", ""))
