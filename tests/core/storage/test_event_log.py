"""The log of events: written with what they tell of, ids that are given once, pages, and forgetting in portions."""

import shutil
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from sqlalchemy import Connection
from support.event_logs import open_log

from impasto.errors import StorageError
from impasto.storage import event_log
from impasto.storage.database import Database
from impasto.storage.event_log import EventLog, LoggedEvent
from impasto_sdk.events import Event, InvocationProgressEvent, QueueClearedEvent


def cleared(number: int = 0, timestamp: int = 1_000) -> QueueClearedEvent:
    return QueueClearedEvent(queue_id=str(number), timestamp=timestamp)


def add(log: EventLog, count: int, timestamp: int = 1_000) -> list[int]:
    """Write events, one transaction each; gives their ids."""
    return [log.submit([cleared(number, timestamp)]).result()[0].id for number in range(count)]


def kept(log: EventLog, after: int = 0) -> list[int]:
    return [one.id for one in log.read(after, 10_000).events]


@pytest.fixture
def log(database: Database) -> EventLog:
    return open_log(database)


def test_events_are_read_as_they_were_written(log: EventLog) -> None:
    log.submit([cleared(7), cleared(8)]).result()
    page = log.read(0, 10)

    assert [(one.id, one.event) for one in page.events] == [(1, cleared(7)), (2, cleared(8))]
    assert page.events[0].text == '{"timestamp":1000,"queue_id":"7","user_id":null}'
    assert (page.last_id, page.more, page.complete) == (2, False, True)


def test_pages_follow_one_another(log: EventLog) -> None:
    add(log, 5)
    first = log.read(0, 2)
    second = log.read(first.last_id, 2)
    last = log.read(second.last_id, 2)

    assert [[one.id for one in page.events] for page in (first, second, last)] == [[1, 2], [3, 4], [5]]
    assert [page.more for page in (first, second, last)] == [True, True, False]
    assert log.read(5, 2).events == []
    assert log.read(5, 2).last_id == 5


def test_events_are_delivered_after_the_commit_in_the_order_of_their_ids(log: EventLog, database: Database) -> None:
    heard: list[tuple[int, bool]] = []

    def listen(logged: Sequence[LoggedEvent]) -> None:
        heard.extend((one.id, one.id in kept(log)) for one in logged)

    log.listen(listen)
    writers = [threading.Thread(target=add, args=(log, 25)) for _ in range(4)]
    for thread in writers:
        thread.start()
    for thread in writers:
        thread.join()

    assert heard == [(number, True) for number in range(1, 101)]
    assert log.last_id == 100


def test_a_change_and_the_events_that_tell_of_it_are_on_disk_together_or_not_at_all(
    log: EventLog, database: Database
) -> None:
    told: list[int] = []
    log.listen(lambda logged: told.extend(one.id for one in logged))

    def work(connection: Connection) -> str:
        connection.exec_driver_sql("UPDATE item_numbers SET last = 42")
        return "done"

    def fails(outcome: str) -> Sequence[Event]:
        raise ValueError(outcome)

    with pytest.raises(ValueError, match="done"):
        log.write(work, fails)
    with database.read() as connection:
        assert connection.exec_driver_sql("SELECT last FROM item_numbers").scalar_one() == 0
    assert (kept(log), told) == ([], [])

    assert log.write(work, lambda outcome: [cleared()]) == "done"
    with database.read() as connection:
        assert connection.exec_driver_sql("SELECT last FROM item_numbers").scalar_one() == 42
    assert kept(log) == told
    assert len(told) == 1


def test_ids_that_an_undone_transaction_took_are_not_given_to_others(log: EventLog, database: Database) -> None:
    def fails(connection: Connection) -> None:
        log.append(connection, [cleared(), cleared()])
        raise ValueError("no")

    [first] = add(log, 1)
    with pytest.raises(ValueError, match="no"):
        database.write(fails)
    [second] = add(log, 1)

    assert second > first + 2
    assert kept(log) == [first, second]


def test_a_work_that_fails_among_others_of_its_commit_takes_only_its_own_events_with_it(
    log: EventLog, database: Database
) -> None:
    heard: list[int] = []
    log.listen(lambda logged: heard.extend(one.id for one in logged))
    inside, release = threading.Event(), threading.Event()

    def hold(connection: Connection) -> None:
        inside.set()
        release.wait(30)

    def fails(connection: Connection) -> None:
        log.append(connection, [cleared()])
        raise ValueError("no")

    held = database.submit(hold)
    assert inside.wait(30)
    # these three wait for the writer together, and are committed together
    before, failing, after = log.submit([cleared()]), database.submit(fails), log.submit([cleared()])
    release.set()
    held.result()

    ids = [before.result()[0].id, after.result()[0].id]
    with pytest.raises(ValueError, match="no"):
        failing.result()
    assert heard == kept(log) == ids
    assert ids[0] < ids[1]


def test_ids_go_on_over_restarts_and_the_epoch_stays(tmp_path: Path) -> None:
    seen: list[int] = []
    epochs = set()
    for _ in range(3):
        with Database(tmp_path / "impasto.db") as database:
            log = open_log(database)
            epochs.add(log.epoch)
            assert log.last_id == (seen[-1] if seen else 0)
            seen += add(log, 3)
            assert kept(log) == seen
    assert seen == sorted(set(seen))
    assert len(epochs) == 1


def test_another_database_has_another_epoch(tmp_path: Path) -> None:
    epochs = set()
    for name in ("one.db", "other.db"):
        with Database(tmp_path / name) as database:
            epochs.add(open_log(database).epoch)
    assert len(epochs) == 2


def test_ids_are_not_given_again_when_nothing_is_kept_over_a_restart(tmp_path: Path) -> None:
    with Database(tmp_path / "impasto.db") as database:
        log = open_log(database)
        ids = add(log, 3)
        assert log.forget(2_000) == ids[-1]
        assert kept(log) == []
    with Database(tmp_path / "impasto.db") as database:
        log = open_log(database)
        assert (log.last_id, log.forgotten_id) == (ids[-1], ids[-1])
        assert add(log, 1)[0] > ids[-1]


def test_ids_that_a_loss_of_power_took_back_are_not_given_to_others(tmp_path: Path) -> None:
    with Database(tmp_path / "impasto.db") as database:
        log = open_log(database)
        ids = add(log, 10)
    with Database(tmp_path / "impasto.db") as database:
        # as when the last commits did not reach the disk although they were told of
        database.write(lambda connection: connection.exec_driver_sql("DELETE FROM events WHERE id > 7"))
    with Database(tmp_path / "impasto.db") as database:
        log = open_log(database)
        assert add(log, 1)[0] > ids[-1]
        assert log.was_skipped(ids[-1])
        assert not log.was_skipped(7)


def test_ids_of_a_server_that_had_only_just_started_are_not_given_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def life(path: Path, events: int, now: float) -> tuple[EventLog, list[int]]:
        monkeypatch.setattr(event_log.time, "time", lambda: now)
        with Database(path) as database:
            log = open_log(database)
            return log, add(log, events)

    life(tmp_path / "impasto.db", 3, 1_700_000_000.5)
    safe = shutil.copy(tmp_path / "impasto.db", tmp_path / "safe.db")  # all that outlasts the loss of power
    _, lost = life(tmp_path / "impasto.db", 3, 1_700_000_001.5)
    log, ids = life(safe, 3, 1_700_000_002.5)

    assert ids[0] > lost[-1]
    assert all(log.was_skipped(each) for each in lost)
    assert ids[-1] < 2**53


def test_a_line_that_lost_all_its_events_has_another_name(tmp_path: Path) -> None:
    with Database(tmp_path / "impasto.db"):
        pass
    safe = shutil.copy(tmp_path / "impasto.db", tmp_path / "safe.db")
    with Database(tmp_path / "impasto.db") as database:
        lost = open_log(database)
        add(lost, 1)
    with Database(safe) as database:
        log = open_log(database)
        assert log.epoch != lost.epoch
        add(log, 1)
    with Database(safe) as database:
        assert open_log(database).epoch == log.epoch


def test_forgetting_removes_what_is_old_from_the_beginning_on(log: EventLog) -> None:
    old, new = add(log, 3, timestamp=1_000), add(log, 2, timestamp=2_000)

    assert log.forget(2_000) == old[-1]
    assert kept(log) == new
    assert log.forgotten_id == old[-1]
    assert log.forget(2_000) == old[-1]
    assert log.last_id == new[-1]


def test_a_page_says_when_something_is_missing_before_it(log: EventLog) -> None:
    add(log, 3, timestamp=1_000)
    add(log, 2, timestamp=2_000)
    log.forget(2_000)

    assert not log.read(2, 10).complete
    assert log.read(3, 10).complete
    assert [one.id for one in log.read(0, 10).events] == [4, 5]


def test_forgetting_lets_other_writes_in_between(
    log: EventLog, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    portions: list[int] = []
    log.submit([cleared(number) for number in range(event_log.FORGET_PORTION * 3 + 1)]).result()
    note = log._note_forgotten

    def watch(through: int) -> None:
        portions.append(through)
        note(through)

    monkeypatch.setattr(log, "_note_forgotten", watch)
    log.forget(2_000)

    assert portions == [1_000, 2_000, 3_000, 3_001]
    assert kept(log) == []


def test_events_of_another_version_are_left_out_and_the_others_are_read(log: EventLog, database: Database) -> None:
    add(log, 2)
    database.write(lambda connection: connection.exec_driver_sql("UPDATE events SET name = 'of_old' WHERE id = 1"))
    page = log.read(0, 10)

    assert [one.id for one in page.events] == [2]
    assert page.last_id == 2
    database.write(lambda connection: connection.exec_driver_sql("UPDATE events SET document = '{}' WHERE id = 2"))
    assert (log.read(0, 10).events, log.read(0, 10).last_id) == ([], 2)


def test_nothing_is_written_for_an_outcome_that_is_not_worth_telling(log: EventLog) -> None:
    heard: list[object] = []
    log.listen(heard.append)
    assert log.write(lambda connection: 7, event_log.tell_nothing) == 7
    assert (kept(log), heard) == ([], [])


def test_a_closed_database_refuses_events(tmp_path: Path) -> None:
    database = Database(tmp_path / "impasto.db")
    database.open()
    log = open_log(database)
    database.close()
    with pytest.raises(StorageError, match="not open"):
        log.submit([cleared()])


def test_progress_that_is_told_of_with_durable_events_keeps_its_place_and_is_not_kept(log: EventLog) -> None:
    heard: list[LoggedEvent] = []
    log.listen(heard.extend)
    progress = InvocationProgressEvent(
        queue_id="q", item_id=1, batch_id="b", session_id="s", invocation={}, invocation_source_id="n", message="",
        preview=b"\xff",
    )  # fmt: skip
    log.submit([cleared(), progress, cleared()]).result()
    assert [(one.id, one.event.name, one.text is None) for one in heard] == [
        (1, "queue_cleared", False),
        (1, "invocation_progress", True),
        (2, "queue_cleared", False),
    ]
    assert [(one.id, one.event.name) for one in log.read(0, 10).events] == [(1, "queue_cleared"), (2, "queue_cleared")]
