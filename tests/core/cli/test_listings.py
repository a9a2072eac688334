"""Values of the server as people read them in a table."""

import time

import pytest

from impasto.cli.client import Client
from impasto.cli.listings import list_queue, size_in_words


@pytest.mark.parametrize(
    ("count", "words"),
    [(None, ""), (0, "0 kB"), (4096, "4 kB"), (1_500_000, "1.5 MB"), (25_000_000, "25.0 MB"), (3 * 10**9, "3.0 GB")],
)
def test_a_size_is_said_in_the_unit_that_suits_it(count: int | None, words: str) -> None:
    assert size_in_words(count) == words


def test_times_of_the_queue_are_told_to_the_second_on_the_local_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    item = {
        "item_id": 1,
        "status": "in_progress",
        "origin": None,
        "created_at": "2026-01-31T23:30:05.123456Z",
        "started_at": "2026-01-31T23:30:06.999999Z",
        "completed_at": None,
        "error_message": None,
    }
    status = dict.fromkeys(("pending", "in_progress", "completed", "failed", "canceled"), 0)
    answers = {"/api/v1/queue/q/list_all": [item], "/api/v1/queue/q/status": {"queue": status}}
    monkeypatch.setenv("TZ", "UTC-2")
    time.tzset()
    try:
        with Client("http://127.0.0.1:1") as client:
            monkeypatch.setattr(client, "get", answers.__getitem__)
            (row,) = list_queue(client, "q").rows
    finally:
        monkeypatch.undo()
        time.tzset()
    assert row[3:6] == ("2026-02-01 01:30:05", "2026-02-01 01:30:06", "")
