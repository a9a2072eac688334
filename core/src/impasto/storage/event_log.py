"""`EventLog`: durable events as rows, so that a client that comes back misses none, not even over a restart.

What changes the database and has something to tell writes its events in the same transaction (`append`): there is no
moment at which one is on disk and the other is not. They are delivered after the commit, in the order of the commits,
which is the order of their ids. Used by the stores and by the bus; it knows no reader.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from impasto.storage.database import Database
from impasto.storage.documents import dump_document, load_document
from impasto.storage.tables import event_state, events
from impasto_sdk.events import Event, event_of

__all__ = ["EventLog", "LoggedEvent"]

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
DELETE_OLD = delete(events).where(events.c.id <= bindparam("through"))
FORGET_THROUGH = update(event_state).values(forgotten_id=bindparam("through"))


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """An event with the id that it is kept under."""

    id: int
    event: Event


class EventLog:
    """Events of one database. `open` it after the database. `deliver` is set by whoever hands events to readers."""

    def __init__(self, database: Database) -> None:
        self._database = database
        #: Called on the writer thread, after the commit, with events in order of their ids; it must not wait.
        self.deliver: Callable[[Sequence[LoggedEvent]], object] = lambda logged: None
        #: Names this line of events: ids of another one say nothing here.
        self.epoch = ""
        self._last_id = 0
        self._forgotten_id = 0

    def open(self) -> None:
        """Find out where the line of events stands."""
        with self._database.read() as connection:
            state = connection.execute(FIND_STATE).one()
            self.epoch, self._forgotten_id = state.epoch, state.forgotten_id
            self._last_id = connection.execute(FIND_LAST_ID).scalar() or self._forgotten_id

    @property
    def last_id(self) -> int:
        """Id of the newest event that was appended."""
        return self._last_id

    @property
    def forgotten_id(self) -> int:
        """Id of the newest event that is no longer kept; 0: all are."""
        return self._forgotten_id

    def append(self, connection: Connection, told: Sequence[Event]) -> list[LoggedEvent]:
        """Write events in the transaction of what they tell of; the caller hands the result to `deliver` after it."""
        logged = [LoggedEvent(number, event) for number, event in enumerate(told, start=self._last_id + 1)]
        if logged:
            self._last_id = logged[-1].id
            connection.execute(
                ADD_EVENTS,
                [
                    {
                        "id": one.id,
                        "name": one.event.name,
                        "timestamp": one.event.timestamp,
                        "document": dump_document(one.event.to_document()),
                    }
                    for one in logged
                ],
            )
        return logged

    def submit(self, told: Sequence[Event]) -> None:
        """Write events that no other change goes with; returns at once, and they are delivered after the commit."""
        self._database.submit(lambda connection: self.append(connection, told), then=self.deliver)

    def read(self, after: int, limit: int) -> list[LoggedEvent]:
        """The events after the id `after`, at most `limit` of them, in order."""
        with self._database.read() as connection:
            rows = connection.execute(FIND_EVENTS, {"after": after, "limit": limit}).all()
        return [LoggedEvent(row.id, event_of(row.name, load_document(row.document))) for row in rows]

    def forget(self, before_s: int) -> int:
        """Remove the events from before a moment, in seconds since 1970; the id of the newest one that is gone."""

        def work(connection: Connection) -> int:
            through = connection.execute(FIND_LAST_OLD, {"before": before_s}).scalar()
            if through is None:
                return self._forgotten_id
            connection.execute(DELETE_OLD, {"through": through})
            connection.execute(FORGET_THROUGH, {"through": through})
            return int(through)

        self._forgotten_id = self._database.write(work)
        return self._forgotten_id
