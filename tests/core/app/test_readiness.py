"""Whether work can be done: each thing that keeps it from being done is said in words, and a pause is none."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from impasto.app.readiness import Readiness, free_bytes
from impasto.engine import WorkerInfo
from impasto.storage.database import Database


def worker(status: str, reason: str | None = None, kind: str = "device") -> WorkerInfo:
    name = {"device": "cpu-0", "io": "io-0"}[kind]
    facts = {"device": None, "pid": None, "item_id": None, "starts": 1, "models": ()}
    return WorkerInfo(worker_id=name, kind=kind, status=status, reason=reason, **facts)


def readiness(folder: Path, **parts: Any) -> Readiness:
    given = {
        "workers": lambda: [worker("lost", "torch is missing"), worker("ready")],
        "database_trouble": lambda: None,
        "paused_queues": list,
        "folder": folder,
        "min_free_bytes": 1,
        **parts,
    }
    return Readiness(**given)


@pytest.mark.parametrize("status", ["ready", "busy"])
def test_one_worker_that_is_there_is_enough(tmp_path: Path, status: str) -> None:
    assert readiness(tmp_path, workers=lambda: [worker("lost", "x"), worker(status)]).report().ready


def test_workers_that_are_not_there_are_named_with_their_reasons(tmp_path: Path) -> None:
    lost = readiness(tmp_path, workers=lambda: [worker("lost", "torch is missing"), worker("starting")]).report()
    assert lost.reasons == ("worker cpu-0 is lost: torch is missing", "worker cpu-0 is starting")
    none = readiness(tmp_path, workers=list).report()
    assert none.reasons == ("no worker with a device is configured; the setting `devices` names none",)


def test_a_worker_without_a_device_makes_up_for_none_that_has_one(tmp_path: Path) -> None:
    beside = readiness(tmp_path, workers=lambda: [worker("starting"), worker("ready", kind="io")]).report()
    assert beside.reasons == ("worker cpu-0 is starting",)
    alone = readiness(tmp_path, workers=lambda: [worker("ready", kind="io")]).report()
    assert not alone.ready
    assert readiness(tmp_path, workers=lambda: [worker("ready"), worker("lost", "x", kind="io")]).report().ready


def test_a_disk_with_too_little_room_is_a_reason(tmp_path: Path) -> None:
    report = readiness(tmp_path / "not" / "made yet", min_free_bytes=2**62).report()
    (reason,) = report.reasons
    assert str(tmp_path) in reason
    assert "`min_free_disk_bytes`" in reason
    assert free_bytes(tmp_path / "not" / "made yet") is not None


def test_a_paused_queue_is_named_and_no_reason(tmp_path: Path) -> None:
    report = readiness(tmp_path, paused_queues=lambda: ["night"]).report()
    assert (report.ready, report.paused_queues) == (True, ("night",))


def test_a_server_that_stops_is_not_ready_whatever_else_is_so(tmp_path: Path) -> None:
    stopping = readiness(tmp_path)
    stopping.stop()
    assert stopping.report().reasons == ("the server stops",)


def test_a_database_that_cannot_be_written_is_a_reason_until_it_can(tmp_path: Path) -> None:
    with Database(tmp_path / "impasto.db") as database:
        ready = readiness(tmp_path, database_trouble=lambda: database.trouble(fresh_s=0, timeout_s=0.1))
        assert ready.report().ready
        other = sqlite3.connect(tmp_path / "impasto.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        (reason,) = ready.report().reasons
        assert "has not been written for 0.1 s" in reason
        other.rollback()
        other.close()
        database.write(lambda connection: None)  # behind the one that had waited
        assert ready.report().ready


def test_a_database_that_was_just_written_is_not_written_to_find_out(tmp_path: Path) -> None:
    with Database(tmp_path / "impasto.db") as database:
        log = tmp_path / "impasto.db-wal"
        assert database.trouble() is None
        written = log.stat().st_size
        assert written > 0, "what finds out is a real write"
        for _ in range(10):
            assert database.trouble() is None
        assert log.stat().st_size == written
        assert database.trouble(fresh_s=0) is None
        assert log.stat().st_size > written


def test_a_database_that_is_not_open_is_in_trouble(tmp_path: Path) -> None:
    assert "is not open" in str(Database(tmp_path / "impasto.db").trouble())
