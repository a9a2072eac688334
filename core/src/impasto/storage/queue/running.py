"""`RunningItems`: what workers do to the queue in the database: claim items, journal them, end them or lose them.

Half of `QueueItemStore`, which adds what clients do. Each method is one transaction that writes, together with the
change, the events that tell of it; they are delivered after the commit, in the order of the commits.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import TypeVar

from sqlalchemy import Connection

from impasto.storage.database import Database
from impasto.storage.documents import dump_document, load_document
from impasto.storage.event_log import EventLog
from impasto.storage.portions import portions
from impasto.storage.queue import queries
from impasto.storage.queue import statements as sql
from impasto.storage.queue.changes import attempt_of, changed, finish, give_back
from impasto.storage.queue.claim import claim, is_any_waiting
from impasto.storage.queue.reading import QueueReader
from impasto.storage.queue.rows import Claimed, ItemChange, Plan
from impasto.storage.timestamps import timestamp
from impasto_sdk.events import Event
from impasto_sdk.fields import JsonValue

__all__ = ["RunningItems", "Tell"]

T = TypeVar("T")
#: Says what to tell the world of an outcome. Called inside the transaction, so it must be quick and decide only.
Tell = Callable[[T], Sequence[Event]]


class RunningItems(QueueReader):
    """Items in the hands of workers, and what these write down."""

    def __init__(self, database: Database, log: EventLog) -> None:
        super().__init__(database)
        self._log = log

    def claim(
        self,
        worker_id: str,
        *,
        lease_s: float,
        warm: Collection[str],
        window: int,
        needs_device: bool | None,
        tell: Tell[Claimed | None],
    ) -> Claimed | None:
        """Take the next item of all queues that are not paused: its change, and what its batch has in common.

        Of the first `window` places, one whose models are among the `warm` ones goes first. `needs_device`: only
        items that need one, or only those that need none, as if there were no others; None: whichever.
        """

        def work(connection: Connection) -> Claimed | None:
            row = claim(connection, worker_id, lease_s=lease_s, warm=warm, window=window, needs_device=needs_device)
            if row is None:
                return None
            change = changed(connection, row, "pending")
            plan = connection.execute(queries.FIND_PLAN, {"id": row.batch}).one()
            return Claimed(change, Plan(graph=plan.graph, context=plan.context))

        return self._log.write(work, tell)

    def is_any_waiting(self, *, needs_device: bool) -> bool:
        """Whether an item that needs a device, or one that needs none, could be claimed now."""
        with self._database.read() as connection:
            return is_any_waiting(connection, needs_device=needs_device)

    def journal_lines(self, item_id: int, limit: int) -> Iterator[dict[str, JsonValue]]:
        """The journal of an item, at most `limit` lines at a time: outputs by execution id, in order.

        Each portion is read on its own, so that no transaction stays open while the caller is busy with one.
        """
        after = 0
        while True:
            with self._database.read() as connection:
                which = {"item_id": item_id, "after": after, "limit": limit}
                rows = connection.execute(queries.FIND_JOURNAL_LINES, which).all()
            if not rows:
                return
            yield {row.execution_id: load_document(row.output) for row in rows}
            after = rows[-1].id

    def journal(
        self,
        item_id: int,
        outputs: Mapping[str, JsonValue],
        *,
        attempt: int | None,
        lease_s: float,
        settled: Collection[str],
        tell: Tell[bool],
    ) -> bool:
        """Write outputs of finished executions, settle the images they name, and extend the lease.

        An attempt that writes outputs is one that got further: those before it do not count any more. False: the item
        is no longer this attempt's, and nothing is written.
        """
        rows = _journal_rows(item_id, outputs)
        statement = sql.EXTEND_LEASE_WITH_PROGRESS if rows else sql.EXTEND_LEASE

        def work(connection: Connection) -> bool:
            held = connection.execute(
                statement, {**attempt_of(item_id, attempt), "b_lease_expires_at": timestamp(plus_s=lease_s)}
            ).rowcount
            if held:
                _write_down(connection, rows, settled)
            return bool(held)

        return self._log.write(work, tell)

    def finish(
        self,
        item_id: int,
        status: str,
        *,
        attempt: int | None = None,
        error: tuple[str, str, str] | None = None,
        outputs: Mapping[str, JsonValue] | None = None,
        settled: Collection[str] = (),
        tell: Tell[ItemChange | None],
    ) -> ItemChange | None:
        """End a running item; `error` is its type, message and traceback, `outputs` the last lines of its journal.

        None: it is no longer this attempt's, and nothing is written.
        """
        rows = _journal_rows(item_id, outputs or {})

        def work(connection: Connection) -> ItemChange | None:
            change = finish(connection, attempt_of(item_id, attempt), status, error)
            if change is not None:
                _write_down(connection, rows, settled)
            return change

        return self._log.write(work, tell)

    def give_back(
        self,
        item_id: int,
        reason: tuple[str, str, str],
        *,
        max_attempts: int,
        attempt: int | None,
        excused: bool,
        tell: Tell[ItemChange | None],
    ) -> ItemChange | None:
        """Let a running item wait again, or fail with `reason` when its attempts are used up.

        `excused`: the attempt does not count. None: the item is no longer this attempt's.
        """

        def work(connection: Connection) -> ItemChange | None:
            return give_back(connection, item_id, attempt, reason, max_attempts=max_attempts, excused=excused)

        return self._log.write(work, tell)

    def recover(
        self,
        reason: tuple[str, str, str],
        *,
        max_attempts: int,
        expired_only: bool = False,
        tell: Tell[list[ItemChange]],
    ) -> list[ItemChange]:
        """Give back every running item, or only those whose lease has run out."""

        def work(connection: Connection) -> list[ItemChange]:
            statement = queries.FIND_EXPIRED if expired_only else queries.FIND_RUNNING
            rows = connection.execute(statement, {"now": timestamp()} if expired_only else {}).all()
            changes = (
                give_back(connection, row.item_id, row.attempts, reason, max_attempts=max_attempts, excused=False)
                for row in rows
            )
            return [change for change in changes if change is not None]

        return self._log.write(work, tell)


def _journal_rows(item_id: int, outputs: Mapping[str, JsonValue]) -> list[dict[str, object]]:
    return [
        {"item_id": item_id, "execution_id": execution_id, "output": dump_document(output)}
        for execution_id, output in outputs.items()
    ]


def _write_down(connection: Connection, rows: list[dict[str, object]], settled: Collection[str]) -> None:
    if rows:
        connection.execute(sql.WRITE_JOURNAL, rows)
    for portion in portions(settled):
        connection.execute(sql.SETTLE_IMAGES, {"names": portion})
