"""`EventLog`: durable events as rows, so that a client that comes back misses none, not even over a restart.

What changes the database and has something to tell writes its events in the same transaction (`write`, or `append`
within a work of one's own): there is no moment at which one is on disk and the other is not. They are delivered after
the commit, in the order of the commits, which is the order of their ids. Used by the stores and by the bus; it knows no
reader.
"""

import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TypeVar
from uuid import uuid4

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from impasto.storage.database import Database
from impasto.storage.documents import dump_document, load_document
from impasto.storage.tables import event_state, events
from impasto_sdk.events import Event, event_of

__all__ = ["EventLog", "EventPage", "LoggedEvent", "tell_nothing"]

T = TypeVar("T")

logger = logging.getLogger(__name__)

#: Ids that each start leaves out, at least, and for each second since 1970. A loss of power may take the last commits,
#: and with them ids that readers have seen by then, even all of a server that had only just started: they must not be
#: given to other events. Far more than can be lost; and till the year 2240 they are numbers that JavaScript has.
SKIPPED = 2**20
#: Most events that are removed in one transaction, so that no other write waits long.
FORGET_PORTION = 1_000

ADD_EVENTS = insert(events)
FIND_STATE = select(event_state)
FIND_LAST_ID = select(func.max(events.c.id))
FIND_EVENTS = (
    select(events.c.id, events.c.name, events.c.document)
    .where(events.c.id > bindparam("after"))
    .order_by(events.c.id)
    .limit(bindparam("limit"))
)
FIND_LAST_OLD = select(func.max(events.c.id)).where(events.c.timestamp < bindparam("before"))
_OLDEST = select(events.c.id).where(events.c.id <= bindparam("through")).order_by(events.c.id).limit(FORGET_PORTION)
FIND_PORTION_END = select(func.max(_OLDEST.subquery().c.id))
DELETE_OLD = delete(events).where(events.c.id <= bindparam("through"))
NAME_LINE = update(event_state).values(epoch=bindparam("name"))
FORGET_THROUGH = update(event_state).values(forgotten_id=bindparam("through"))


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """An event with the id that it is kept under."""

    id: int
    event: Event
    #: Its fields as JSON, as they are kept; None for one that is not (progress), which has the id of the one before it.
    text: str | None


@dataclass(frozen=True, slots=True)
class EventPage:
    """Some events of the log, in order, all from one moment of the database."""

    events: Sequence[LoggedEvent]
    #: How far this page goes: what to read after for the next one.
    last_id: int
    #: Whether there may be more after it.
    more: bool
    #: Whether nothing between where it was asked to begin and its first event was removed.
    complete: bool


class EventLog:
    """Events of one database. `open` it after the database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._listener: Callable[[Sequence[LoggedEvent]], object] | None = None
        #: Names this line of events: ids of another one say nothing here.
        self.epoch = ""
        self._last_id = 0
        self._forgotten_id = 0
        # touched on the writer thread only. A transaction that is undone takes its ids with it, and nobody saw them
        self._taken_id = 0
        self._skipped = range(0)

    def open(self) -> None:
        """Find out where the line of events stands. One without events begins anew, under another name."""
        with self._database.read() as connection:
            state = connection.execute(FIND_STATE).one()
            kept = connection.execute(FIND_LAST_ID).scalar()
        self.epoch, self._forgotten_id = state.epoch, state.forgotten_id
        self._last_id = kept or self._forgotten_id
        if self._last_id:
            self._taken_id = max(self._last_id + SKIPPED, int(time.time()) * SKIPPED)
        else:  # whatever ids its name was given out with are lost
            self.epoch = uuid4().hex
            self._database.write(lambda connection: connection.execute(NAME_LINE, {"name": self.epoch}))
        self._skipped = range(self._last_id + 1, self._taken_id + 1)

    @property
    def last_id(self) -> int:
        """Id of the newest event that is on disk and was delivered; 0 before the first."""
        return self._last_id

    @property
    def taken_id(self) -> int:
        """The newest id that was given out: it may be on disk, and read there, before it is delivered."""
        return self._taken_id

    @property
    def forgotten_id(self) -> int:
        """Id of the newest event that is no longer kept; 0: all are."""
        return self._forgotten_id

    def was_skipped(self, event_id: int) -> bool:
        """Whether an id is one of those that were left out at the start: if it was ever given, it was lost."""
        return event_id in self._skipped

    def listen(self, listener: Callable[[Sequence[LoggedEvent]], object]) -> None:
        """Have `listener` called with events after their commit, in order of their ids, instead of the one before.

        That is on the writer thread, so it must not wait.
        """
        self._listener = listener

    def write(self, work: Callable[[Connection], T], tell: Callable[[T], Sequence[Event]]) -> T:
        """`Database.write`, which also tells: `tell` says, in the transaction, which events the outcome amounts to."""

        def whole(connection: Connection) -> tuple[T, Sequence[LoggedEvent]]:
            outcome = work(connection)
            return outcome, self.append(connection, tell(outcome))

        return self._database.write(whole, then=lambda written: self.deliver(written[1]))[0]

    def append(self, connection: Connection, told: Sequence[Event]) -> Sequence[LoggedEvent]:
        """Write events in the transaction of what they tell of; the caller hands the result to `deliver` after it.

        Those among them that are not durable keep their place, and are not written.
        """
        logged = []
        for event in told:
            self._taken_id += event.durable
            text = dump_document(event.to_document()) if event.durable else None
            logged.append(LoggedEvent(self._taken_id, event, text))
        rows = [
            {"id": one.id, "name": one.event.name, "timestamp": one.event.timestamp, "document": one.text}
            for one in logged
            if one.text is not None
        ]
        if rows:
            connection.execute(ADD_EVENTS, rows)
        return logged

    def deliver(self, logged: Sequence[LoggedEvent]) -> None:
        """Hand events that were appended to whoever listens. After the commit, on the writer thread."""
        if not logged:
            return
        if self._listener is not None:
            self._listener(logged)
        self._last_id = logged[-1].id

    def submit(self, told: Sequence[Event]) -> Future[Sequence[LoggedEvent]]:
        """Write events that no other change goes with. Returns at once; they are delivered before the future is done.

        Raises `StorageError` when the database is not open, or when called by the work of a write.
        """
        return self._database.submit(lambda connection: self.append(connection, told), then=self.deliver)

    def read(self, after: int, limit: int) -> EventPage:
        """The events after the id `after`, `limit` of them or less.

        An event that this version does not know, or knows with other fields, is left out.
        """
        with self._database.read() as connection:
            forgotten_id = connection.execute(FIND_STATE).one().forgotten_id
            rows = connection.execute(FIND_EVENTS, {"after": after, "limit": limit}).all()
        found = [LoggedEvent(row.id, event, row.document) for row in rows if (event := _event(row.name, row.document))]
        return EventPage(
            found,
            last_id=rows[-1].id if rows else after,
            more=len(rows) == limit,
            complete=forgotten_id <= after,
        )

    def forget(self, before_s: int) -> int:
        """Remove the events from before a moment, in seconds since 1970; the id of the newest one that is gone.

        They go from the oldest on, in portions, so that other writes come in between.
        """
        with self._database.read() as connection:
            through = connection.execute(FIND_LAST_OLD, {"before": before_s}).scalar() or 0
        while self._forgotten_id < through:
            self._database.write(lambda connection: _forget_portion(connection, through), then=self._note_forgotten)
        return self._forgotten_id

    def _note_forgotten(self, through: int) -> None:
        self._forgotten_id = max(self._forgotten_id, through)


def tell_nothing(outcome: object) -> Sequence[Event]:
    """For `EventLog.write`: no events, whatever came of it."""
    return ()


def _forget_portion(connection: Connection, through: int) -> int:
    end: int = connection.execute(FIND_PORTION_END, {"through": through}).scalar() or through
    connection.execute(DELETE_OLD, {"through": end})
    connection.execute(FORGET_THROUGH, {"through": end})
    return end


def _event(name: str, document: str) -> Event | None:
    try:
        return event_of(name, load_document(document))
    except (TypeError, ValueError) as error:
        logger.debug("an event of another version is left out: %s", error)
        return None
