"""`Database`: one SQLite file, one thread that writes, any number of threads that read.

All writes of the process go through the writer thread, so a transaction never waits for a lock of its own process, and
writes that queue up while one commits are committed together. It knows no table: what is written and read is the
business of the stores, which take a `Database`. Built by the composition root.
"""

import logging
import math
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DatabaseError, OperationalError

from impasto.errors import DatabaseVersionError, StorageError, StorageUnavailableError
from impasto.storage.migrations import HISTORY, History, upgrade
from impasto.storage.timestamps import timestamp
from impasto.storage.write_ahead_log import WAL_LIMIT, WriteAheadLog
from impasto.storage.write_job import WriteJob

__all__ = ["Database"]

T = TypeVar("T")

logger = logging.getLogger(__name__)

#: Most writes that are committed together. Bounds how long the first of them waits for the last.
GROUP_LIMIT = 256
#: How long to wait for another process that holds the file, in milliseconds.
BUSY_TIMEOUT_MS = 10_000

# Why each is set:  WAL lets readers go on while the writer commits;  with NORMAL a commit survives the end of the
# process, and a loss of power may take the last commits but never the file;  foreign keys are off by default.
PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = NORMAL",
    "PRAGMA foreign_keys = ON",
    f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}",
    "PRAGMA cache_size = -16000",
    f"PRAGMA journal_size_limit = {WAL_LIMIT}",
)

FIND_VERSION_TABLE = (
    "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name = 'alembic_version' DESC LIMIT 1"
)
READ_REVISION = "SELECT version_num FROM alembic_version"
COPY_INTO = "VACUUM INTO ?"
PROBE = "PRAGMA user_version = 0"


class Database:
    """One SQLite file in WAL mode. `open` before use, `close` after; or use it as a context manager."""

    def __init__(self, path: Path, *, history: History = HISTORY) -> None:
        self.path = path
        self._history = history
        self._jobs: SimpleQueue[WriteJob[Any] | None] = SimpleQueue()
        self._writer: Engine | None = None
        self._readers: Engine | None = None
        self._thread: threading.Thread | None = None
        # keeps a write from slipping in behind the last one, where nobody would do it
        self._gate = threading.Lock()
        #: When the last commit was tried, as a monotonic time, and why it failed, if it did.
        self._tried: tuple[float, str | None] = (-math.inf, None)
        self._probing = threading.Lock()

    def open(self) -> None:
        """Open or make the file, bring its schema up to date and start the writer.

        A database of an older revision is copied first (``impasto.db.before-0002-…`` beside it). Raises
        `DatabaseVersionError` for one of a newer version, `StorageError` for a file that is no database of ours.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._writer = _engine(self.path, "BEGIN IMMEDIATE")
        self._readers = _engine(self.path, "BEGIN", "PRAGMA query_only = ON")
        try:
            self._migrate(self._writer)
        except DatabaseError as error:
            self._dispose()
            raise StorageError(f"{self.path} cannot be opened: {error.orig}") from error
        except BaseException:
            self._dispose()
            raise
        self._thread = threading.Thread(target=self._write_until_closed, name="database-writer", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Commit what was asked for, stop the writer and let go of the file. Harmless when it is not open."""
        with self._gate:
            thread, self._thread = self._thread, None
            self._jobs.put(None)
        if thread is not None:
            thread.join()
        self._jobs = SimpleQueue()
        self._dispose()

    def __enter__(self) -> "Database":
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def write(self, work: Callable[[Connection], T], *, then: Callable[[T], object] | None = None) -> T:
        """Run `work` in one transaction on the writer thread, wait for the commit and give its result.

        `work` may be one of several in the transaction: it must not commit. `then` is called with the result on the
        writer thread right after the commit, so what it publishes leaves in the order of the commits; it must be quick.
        Raises what `work` raises, nothing being written then, and `StorageError` when the database cannot be used.
        """
        return self.submit(work, then=then).result()

    def submit(self, work: Callable[[Connection], T], *, then: Callable[[T], object] | None = None) -> Future[T]:
        """Like `write`, but gives the future at once."""
        job = WriteJob(work, then, self._explained)
        with self._gate:
            if self._thread is None:
                raise StorageError(f"{self.path} is not open")
            if self._thread is threading.current_thread():
                raise StorageError(f"{self.path}: a write cannot wait for another; use the connection it was given")
            self._jobs.put(job)
        return job.future

    def trouble(self, *, fresh_s: float = 30.0, timeout_s: float = 5.0) -> str | None:
        """Why nothing can be written; None: something can.

        Known from the last commit, when that went well within `fresh_s` seconds. Otherwise one is made that changes
        nothing, which has `timeout_s` seconds; never two at once, and one that failed is good for a second.
        """
        with self._probing:
            at, failure = self._tried
            if time.monotonic() - at < (fresh_s if failure is None else 1.0):
                return failure
            try:
                # the same number again: SQLite writes the page and commits it, all the same
                self.submit(lambda connection: connection.exec_driver_sql(PROBE).close()).result(timeout_s)
            except StorageError as error:
                return str(error)
            except TimeoutError:
                return f"{self.path} has not been written for {timeout_s:g} s; something holds it"
            return None

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees one moment of the database and cannot write. `StorageError` when it cannot be used."""
        readers = self._readers  # it may be closed at any moment
        if readers is None:
            raise StorageError(f"{self.path} is not open")
        try:
            with readers.connect() as connection:
                yield connection
        except OperationalError as error:
            raise StorageUnavailableError(str(self.path), "read", str(error.orig)) from error

    def _write_until_closed(self) -> None:
        assert self._writer is not None
        log = WriteAheadLog(self.path)
        with self._writer.connect() as connection:
            driver: Any = connection.connection.driver_connection
            while (job := self._jobs.get()) is not None:
                group = [job]
                closing = False
                while len(group) < GROUP_LIMIT and not closing:
                    try:
                        waiting = self._jobs.get_nowait()
                    except Empty:
                        break
                    if waiting is None:
                        closing = True
                    else:
                        group.append(waiting)
                self._commit(connection, group)
                if closing:
                    return
                log.keep_short(driver, busy_timeout_ms=BUSY_TIMEOUT_MS)

    def _commit(self, connection: Connection, group: list[WriteJob[Any]]) -> None:
        try:
            with connection.begin():
                for job in group:
                    job.run(connection, apart=len(group) > 1)
        except Exception as error:  # noqa: BLE001 - it belongs to the callers; the writer has to go on
            if isinstance(error, OperationalError):
                self._tried = (time.monotonic(), str(self._explained(error)))
            for job in group:
                job.fail(error)
        else:
            self._tried = (time.monotonic(), None)
            for job in group:
                job.finish()

    def _explained(self, error: Exception) -> Exception:
        """What a caller is told of an error: the disk is full, the file is locked or gone, which is no fault of its."""
        if not isinstance(error, OperationalError):
            return error
        failure = StorageUnavailableError(str(self.path), "written", str(error.orig))
        failure.__cause__ = error
        return failure

    def _migrate(self, engine: Engine) -> None:
        found = self._revision(engine)
        if found == self._history.head:
            return
        if found is not None:
            if found not in self._history.revisions:
                raise DatabaseVersionError(str(self.path), found, self._history.head)
            self._back_up(engine, found)
        with engine.begin() as connection:
            upgrade(connection, self._history)

    def _revision(self, engine: Engine) -> str | None:
        """The revision of the file; None when it is new. Raises `StorageError` when it is somebody else's."""
        with engine.connect() as connection:
            table = connection.exec_driver_sql(FIND_VERSION_TABLE).scalar()
            if table is None:
                return None
            if table != "alembic_version":
                raise StorageError(f"{self.path} is a database of another program: it holds a table {table!r}")
            return str(connection.exec_driver_sql(READ_REVISION).scalar_one())

    def _back_up(self, engine: Engine, revision: str) -> None:
        moment = timestamp().replace(":", "").replace(".", "")
        copy = self.path.with_name(f"{self.path.name}.before-{self._history.head}-{moment}")
        unfinished = self.path.with_name(f"{self.path.name}.copying")
        unfinished.unlink(missing_ok=True)  # of a start that was killed
        connection = engine.raw_connection()  # which opens no transaction, in which nothing can be copied
        try:
            connection.cursor().execute(COPY_INTO, (str(unfinished),))
            unfinished.replace(copy)  # half a copy must not be taken for one
        finally:
            connection.close()
            unfinished.unlink(missing_ok=True)
        logger.info("%s goes from revision %s to %s; kept a copy: %s", self.path, revision, self._history.head, copy)

    def _dispose(self) -> None:
        for engine in (self._writer, self._readers):
            if engine is not None:
                engine.dispose()
        self._writer = self._readers = None


def _engine(path: Path, begin: str, *pragmas: str) -> Engine:
    """An engine whose connections are set up alike and whose transactions open with `begin`."""
    engine = create_engine(
        f"sqlite:///{path}",
        connect_args={"check_same_thread": False},
        pool_size=8,
        max_overflow=32,
        hide_parameters=True,  # they hold prompts, and errors end in the log
    )

    def set_up(connection: Any, _record: object) -> None:
        # sqlite3 would open transactions when it thinks fit; `open_transaction` does where SQLAlchemy says so
        connection.isolation_level = None
        for pragma in (*PRAGMAS, *pragmas):
            connection.execute(pragma).close()

    def open_transaction(connection: Any) -> None:
        connection.execute(begin).close()

    event.listen(engine, "connect", set_up)
    # not as a listener of "begin": with one listener, an engine asks at every statement whether another wants to hear
    engine.dialect.do_begin = open_transaction  # type: ignore[assignment,method-assign]  # of this engine's own dialect
    return engine
