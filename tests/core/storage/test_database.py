"""One writer, many readers, and what happens to writes that fail."""

import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from impasto.errors import StorageError, StorageUnavailableError
from impasto.storage import write_ahead_log
from impasto.storage.database import Database

BUMP = "UPDATE item_numbers SET last = last + 1"
LAST = "SELECT last FROM item_numbers"


def bump(connection: Connection) -> None:
    connection.exec_driver_sql(BUMP)


def last(database: Database) -> int:
    with database.read() as connection:
        return connection.exec_driver_sql(LAST).scalar_one()


class Holder:
    """Keeps the writer busy until it is let go, so that later writes queue up and are committed together."""

    def __init__(self, database: Database) -> None:
        self.go = threading.Event()
        running = threading.Event()

        def wait(connection: Connection) -> None:
            running.set()
            assert self.go.wait(30)

        self.future = database.submit(wait)
        assert running.wait(30)


def test_a_write_is_seen_by_the_next_read(database: Database) -> None:
    database.write(bump)
    assert last(database) == 1


def test_a_read_sees_one_moment_while_writes_go_on(database: Database) -> None:
    with database.read() as connection:
        before = connection.exec_driver_sql(LAST).scalar_one()
        database.write(bump)
        assert connection.exec_driver_sql(LAST).scalar_one() == before
    assert last(database) == before + 1


def test_a_reading_connection_cannot_write(database: Database) -> None:
    with pytest.raises(StorageError, match="readonly"), database.read() as connection:
        connection.exec_driver_sql(BUMP)
    assert last(database) == 0


def test_writes_of_many_threads_all_happen(database: Database) -> None:
    threads = [threading.Thread(target=lambda: [database.write(bump) for _ in range(20)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert last(database) == 160


def test_a_write_that_fails_is_undone_and_its_error_reaches_the_caller(database: Database) -> None:
    def fail(connection: Connection) -> None:
        bump(connection)
        raise LookupError("no such thing")

    with pytest.raises(LookupError, match="no such thing"):
        database.write(fail)
    assert last(database) == 0


def test_writes_that_queue_up_are_committed_together(database: Database) -> None:
    commits = 0

    def count(_connection: sqlite3.Connection) -> None:
        nonlocal commits
        commits += 1

    from sqlalchemy import event

    holder = Holder(database)
    event.listen(database._writer, "commit", count)
    futures = [database.submit(bump) for _ in range(50)]
    holder.go.set()
    for future in futures:
        future.result(30)
    assert last(database) == 50
    assert commits == 2  # the holder's own, and one for all that waited


def test_one_failing_write_of_a_group_leaves_the_others_alone(database: Database) -> None:
    def fail(connection: Connection) -> None:
        bump(connection)
        raise LookupError("only this one")

    holder = Holder(database)
    futures = [database.submit(bump), database.submit(fail), database.submit(bump)]
    holder.go.set()
    futures[0].result(30)
    futures[2].result(30)
    with pytest.raises(LookupError, match="only this one"):
        futures[1].result(30)
    assert last(database) == 2


def test_a_write_that_ends_the_whole_transaction_fails_the_group_and_none_of_it_is_written(database: Database) -> None:
    def end_all(connection: Connection) -> None:
        connection.exec_driver_sql("ROLLBACK")  # as SQLite does by itself when, say, the disk is full
        raise OSError("disk full")

    holder = Holder(database)
    futures = [database.submit(bump), database.submit(end_all), database.submit(bump)]
    holder.go.set()
    for future in futures:
        with pytest.raises((OSError, StorageError)):
            future.result(30)
    assert last(database) == 0
    database.write(bump)
    assert last(database) == 1


#: Writes far more than there is room for: SQLite undoes the statement alone. With the other one it gives all up.
ALONE = "INSERT INTO creations SELECT v, v, v, v, v, v FROM (SELECT value || hex(zeroblob(500)) v FROM n)"
NUMBERS = "WITH RECURSIVE n(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < 3000) "


def fill(connection: Connection) -> None:
    connection.exec_driver_sql(NUMBERS + ALONE)


def fill_in_rows(connection: Connection) -> None:
    connection.exec_driver_sql("CREATE TABLE filler (value TEXT)")
    connection.exec_driver_sql("INSERT INTO filler VALUES (?)", [("x" * 5000,) for _ in range(3000)])


@pytest.mark.parametrize("work", [fill, fill_in_rows])
@pytest.mark.parametrize("others", [0, 2])
def test_a_full_disk_is_named_to_whoever_wrote_too_much(
    database: Database, work: Callable[[Connection], None], others: int
) -> None:
    pages = database.write(lambda connection: connection.exec_driver_sql("PRAGMA page_count").scalar_one())
    database.write(lambda connection: connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 20}").scalar())
    holder = Holder(database)
    full = database.submit(work)
    rest = [database.submit(bump) for _ in range(others)]
    holder.go.set()

    with pytest.raises(StorageUnavailableError, match="cannot be written: database or disk is full"):
        full.result(30)
    # with the others, or not at all; never without a word
    done = [future for future in rest if future.exception(30) is None]
    assert last(database) == len(done)
    assert all(isinstance(future.exception(), StorageUnavailableError) for future in rest if future not in done)
    database.write(bump)
    assert last(database) == len(done) + 1


def write_much(database: Database) -> int:
    """Write 256 KiB; gives how large the log is that is written first."""
    size = database.path.with_name(f"{database.path.name}-wal").stat().st_size
    database.write(lambda connection: connection.exec_driver_sql(f"INSERT INTO filler VALUES (zeroblob({2**18}))"))
    return size


@pytest.fixture
def short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """A database that keeps the log short which is written first: 6 MiB."""
    monkeypatch.setattr(write_ahead_log, "WAL_LIMIT", 6 * 2**20)
    with Database(tmp_path / "impasto.db") as database:
        database.write(lambda connection: connection.exec_driver_sql("CREATE TABLE filler (value BLOB)"))
        yield database


def test_readers_of_whom_there_is_always_one_do_not_let_the_log_grow_that_is_written_first(short: Database) -> None:
    ending, reading = threading.Event(), threading.Event()

    def read_on() -> None:
        with ExitStack() as before:
            while not ending.is_set():
                with ExitStack() as stack:  # the next one begins before this one ends
                    stack.enter_context(short.read()).exec_driver_sql(LAST).scalar_one()
                    before.close()
                    reading.set()
                    before.push(stack.pop_all())

    with ThreadPoolExecutor(1) as threads:
        reader = threads.submit(read_on)
        assert reading.wait(30)
        sizes = [write_much(short) for _ in range(100)]
        ending.set()
        reader.result(30)

    assert max(sizes) < 12 * 2**20


def test_a_reader_that_does_not_end_holds_up_few_writes(short: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[int] = []
    monkeypatch.setattr(write_ahead_log, "WAIT_MS", 1)
    keep_short = write_ahead_log.WriteAheadLog.keep_short

    def watch(log: write_ahead_log.WriteAheadLog, *args: Any, **options: Any) -> None:
        before = log._limit
        keep_short(log, *args, **options)
        waits.extend([before] if log._limit > before else [])

    monkeypatch.setattr(write_ahead_log.WriteAheadLog, "keep_short", watch)
    with short.read() as connection:
        connection.exec_driver_sql(LAST).scalar_one()
        for _ in range(60):
            size = write_much(short)
    assert len(waits) == 2
    assert size > 12 * 2**20


def test_then_is_told_after_the_commit_and_before_the_caller(database: Database) -> None:
    told: list[tuple[int, int]] = []
    seen = database.write(
        lambda connection: connection.exec_driver_sql(f"{BUMP} RETURNING last").scalar_one(),
        then=lambda answer: told.append((answer, last(database))),
    )
    assert told == [(1, 1)]
    assert seen == 1


def test_a_listener_that_fails_does_not_undo_what_was_committed(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_answer: None) -> None:
        raise LookupError("a broken listener")

    database.write(bump, then=fail)
    database.write(bump)
    assert last(database) == 2
    assert "a broken listener" in caplog.text


def test_a_write_inside_a_write_is_refused_rather_than_waited_for(database: Database) -> None:
    with pytest.raises(StorageError, match="cannot wait for another"):
        database.write(lambda connection: database.write(bump))


def test_a_closed_database_says_so(tmp_path: Path) -> None:
    database = Database(tmp_path / "impasto.db")
    with pytest.raises(StorageError, match="is not open"):
        database.write(bump)
    with pytest.raises(StorageError, match="is not open"), database.read():
        pass
    database.open()
    database.close()
    with pytest.raises(StorageError, match="is not open"):
        database.write(bump)
    database.close()


def test_closing_commits_what_was_asked_for(tmp_path: Path) -> None:
    database = Database(tmp_path / "impasto.db")
    database.open()
    holder = Holder(database)
    futures = [database.submit(bump) for _ in range(10)]
    closing = threading.Thread(target=database.close)
    closing.start()
    holder.go.set()
    closing.join(30)
    assert [future.result(30) for future in futures] == [None] * 10
    with database:
        assert last(database) == 10


def test_a_committed_write_survives_a_kill(tmp_path: Path) -> None:
    program = f"""
import os, signal
from pathlib import Path
from impasto.storage.database import Database
database = Database(Path({str(tmp_path / "impasto.db")!r}))
database.open()
database.write(lambda connection: connection.exec_driver_sql({BUMP!r}))
os.kill(os.getpid(), signal.SIGKILL)
"""
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == -9
    with Database(tmp_path / "impasto.db") as database:
        assert last(database) == 1


def test_an_error_quotes_no_parameter_for_it_may_be_logged(tmp_path: Path) -> None:
    with Database(tmp_path / "impasto.db") as database:
        add = text("INSERT INTO queues (queue_id) VALUES (:queue_id)")
        database.write(lambda connection: connection.execute(add, {"queue_id": "a prompt"}))
        with pytest.raises(IntegrityError, match="UNIQUE") as refused:
            database.write(lambda connection: connection.execute(add, {"queue_id": "a prompt"}))
        assert "a prompt" not in str(refused.value)
