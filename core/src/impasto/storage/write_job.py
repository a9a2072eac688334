"""`WriteJob`: one write that waits for the database's writer, and the future that its caller waits on.

Made by `Database.submit`, and done on the writer thread, alone or as one of several in a transaction.
"""

import logging
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

from sqlalchemy import Connection

__all__ = ["WriteJob"]

T = TypeVar("T")

logger = logging.getLogger(__name__)


class WriteJob(Generic[T]):
    """`work` is what is to be written, `then` is told of what came of it; `explain` makes errors fit for callers."""

    def __init__(
        self,
        work: Callable[[Connection], T],
        then: Callable[[T], object] | None,
        explain: Callable[[Exception], Exception],
    ) -> None:
        self.future: Future[T] = Future()
        self._work = work
        self._then = then
        self._explain = explain
        self._outcome: T
        self._error: Exception | None = None

    def run(self, connection: Connection, *, apart: bool) -> None:
        """Do the work; `apart` keeps its failure from undoing what others wrote in the same transaction.

        Raises what ends the whole transaction, even then.
        """
        if not apart:
            self._outcome = self._work(connection)
            return
        savepoint = connection.begin_nested()
        try:
            self._outcome = self._work(connection)
        except Exception as error:
            if not connection.connection.dbapi_connection.in_transaction:  # type: ignore[union-attr]
                raise  # SQLite gave it all up, as it may when the disk is full: nothing of the group is written
            savepoint.rollback()
            self._error = error  # it belongs to the caller, to whom the future brings it
        else:
            savepoint.commit()

    def finish(self) -> None:
        """After the commit: tell `then`, and give the caller its answer."""
        if self._error is not None:
            self.fail(self._error)
            return
        if self._then is not None:
            try:
                self._then(self._outcome)
            except Exception:  # the commit stands whatever a listener makes of it, and the writer has to go on
                logger.exception("a listener of a committed write failed")
        self.future.set_result(self._outcome)

    def fail(self, error: Exception) -> None:
        """Nothing was written: give the caller the reason."""
        self.future.set_exception(self._explain(error))
