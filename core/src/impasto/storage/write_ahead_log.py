"""`WriteAheadLog`: keeps the file in which SQLite writes first (``impasto.db-wal``) from growing without bound.

SQLite carries it over into the database by itself and begins it anew, but only in a moment in which nobody reads. With
enough readers there is no such moment. Used by the database's writer between two transactions.
"""

import logging
import sqlite3
from contextlib import closing
from pathlib import Path

__all__ = ["WAL_LIMIT", "WriteAheadLog"]

logger = logging.getLogger(__name__)

#: How large it may become before readers are waited for, in bytes. SQLite alone begins it anew at about 4 MiB.
WAL_LIMIT = 64 * 2**20
#: How long readers are waited for, in milliseconds; writes wait as long. Those that begin once all is carried over are
#: not in the way.
WAIT_MS = 500


class WriteAheadLog:
    """The write-ahead log of the database at `path`. Used on one thread."""

    def __init__(self, path: Path) -> None:
        self._path = path.with_name(f"{path.name}-wal")
        #: From which size on it is to be begun anew.
        self._limit = WAL_LIMIT

    def keep_short(self, connection: sqlite3.Connection, *, busy_timeout_ms: int) -> None:
        """Begin it anew if it has grown; `connection` is in no transaction, and has that timeout again afterwards.

        When a reader does not end in time, it is tried again once as much has been written as before.
        """
        try:
            size = self._path.stat().st_size
        except OSError:  # it is not there yet, or cannot be looked at: SQLite does what it can
            return
        if size < self._limit:
            self._limit = max(WAL_LIMIT, min(self._limit, size + WAL_LIMIT))  # SQLite has cut it off meanwhile
            return
        try:
            connection.execute(f"PRAGMA busy_timeout = {WAIT_MS}").close()
            with closing(connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")) as answer:
                is_busy = answer.fetchone()[0]
        except sqlite3.Error as error:  # the disk is full, say: the next write tells whoever asked for it
            logger.warning("%s cannot be carried over into the database: %s", self._path, error)
            is_busy = True
        finally:
            connection.execute(f"PRAGMA busy_timeout = {busy_timeout_ms}").close()
        self._limit = size + WAL_LIMIT if is_busy else WAL_LIMIT
