"""Places are given out up to the limit over all workers and come back; what was paid for is counted."""

import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from impasto.app.providers.desk import UNKNOWN_MODEL, ProviderDesk, today
from impasto.errors import ExternalProviderNotFoundError
from impasto.storage.database import Database
from impasto.storage.provider_usage import ProviderUsageRecords, UsageRow
from impasto_sdk.usage import ProviderUsage

PAINTED = ProviderUsage(model="oils-1", outcome="completed", images=1, cost_usd=0.04)


@pytest.fixture
def records(database: Database) -> ProviderUsageRecords:
    return ProviderUsageRecords(database)


@pytest.fixture
def desk(records: ProviderUsageRecords) -> ProviderDesk:
    return ProviderDesk({"easel": 2, "other": 1}, records)


def rows(records: ProviderUsageRecords) -> list[UsageRow]:
    return list(records.since(today()))


def test_there_are_as_many_places_as_the_provider_allows_over_all_holders(desk: ProviderDesk) -> None:
    assert [desk.begin("easel", holder) for holder in ("io-0", "io-1", "cpu-0")] == [True, True, False]
    assert desk.begin("other", "cpu-0")
    desk.end("easel", "io-1", PAINTED)
    assert [desk.begin("easel", "cpu-0"), desk.begin("easel", "cpu-0")] == [True, False]


def test_what_a_request_came_to_is_on_disk_when_its_place_is_free(
    desk: ProviderDesk, records: ProviderUsageRecords
) -> None:
    desk.begin("easel", "io-0")
    desk.end("easel", "io-0", PAINTED, "ada")
    [row] = rows(records)
    assert (row.provider_id, row.model, row.counts.images, row.counts.cost_usd) == ("easel", "oils-1", 1, 0.04)


def test_a_holder_that_ends_leaves_no_place_taken_and_its_requests_count_as_failed(
    desk: ProviderDesk, records: ProviderUsageRecords, caplog: pytest.LogCaptureFixture
) -> None:
    desk.begin("easel", "io-0")
    desk.begin("easel", "io-0")
    with caplog.at_level(logging.WARNING):
        desk.release("io-0")
    assert "io-0 ended with 2 requests to easel under way" in caplog.text
    assert [desk.begin("easel", "io-1"), desk.begin("easel", "io-1")] == [True, True]
    [row] = rows(records)
    assert (row.model, row.counts.failed, row.counts.requests) == (UNKNOWN_MODEL, 2, 2)


def test_a_holder_that_has_given_everything_back_leaves_nothing(
    desk: ProviderDesk, records: ProviderUsageRecords
) -> None:
    desk.begin("easel", "io-0")
    desk.end("easel", "io-0", PAINTED)
    desk.release("io-0")
    desk.release("nobody")
    assert [row.counts.failed for row in rows(records)] == [0]


def test_what_is_told_after_its_holder_was_released_counts_and_frees_no_place_twice(
    desk: ProviderDesk, records: ProviderUsageRecords
) -> None:
    desk.begin("easel", "io-0")
    desk.begin("easel", "io-1")
    desk.release("io-0")
    desk.end("easel", "io-0", PAINTED)
    assert [desk.begin("easel", "io-2"), desk.begin("easel", "io-2")] == [True, False]
    assert sum(row.counts.completed for row in rows(records)) == 1


def test_a_provider_that_there_is_not_is_answered_with_those_there_are(desk: ProviderDesk) -> None:
    with pytest.raises(ExternalProviderNotFoundError, match="there are easel, other"):
        desk.begin("easle", "io-0")
    with pytest.raises(ExternalProviderNotFoundError):
        desk.end("easle", "io-0", PAINTED)


def test_a_limit_of_none_still_lets_one_request_through(records: ProviderUsageRecords) -> None:
    desk = ProviderDesk({"easel": 0}, records)
    assert [desk.begin("easel", "io-0"), desk.begin("easel", "io-0")] == [True, False]


def test_many_holders_at_once_never_have_more_places_than_there_are(desk: ProviderDesk) -> None:
    most, lock, under_way = 0, threading.Lock(), 0

    def request(number: int) -> bool:
        nonlocal most, under_way
        holder = f"io-{number % 5}"
        if not desk.begin("easel", holder):
            return False
        with lock:
            under_way += 1
            most = max(most, under_way)
        with lock:
            under_way -= 1
        desk.end("easel", holder, PAINTED)
        return True

    with ThreadPoolExecutor(16) as pool:
        done = sum(pool.map(request, range(400)))
    reading = desk.readings()["easel"]
    assert 1 <= most <= 2
    assert (reading.in_flight, reading.places, reading.counts.completed) == (0, 2, done)


def test_figures_are_those_since_the_server_started(desk: ProviderDesk, records: ProviderUsageRecords) -> None:
    desk.begin("easel", "io-0")
    desk.end("easel", "io-0", PAINTED)
    desk.begin("easel", "io-0")
    anew = ProviderDesk({"easel": 2}, records)
    assert (desk.readings()["easel"].counts.images, desk.readings()["easel"].in_flight) == (1, 1)
    assert (anew.readings()["easel"].counts.images, anew.readings()["easel"].in_flight) == (0, 0)
    assert desk.readings()["other"].counts.requests == 0


def let_write(database: Database, allowed: bool) -> None:
    """Whether usage can be written, as it cannot when the disk is full."""
    breaking = "CREATE TRIGGER breaking BEFORE INSERT ON provider_usage BEGIN DELETE FROM gone; END"
    statement = "DROP TRIGGER breaking" if allowed else breaking
    database.write(lambda connection: connection.exec_driver_sql(statement).close())


def test_usage_that_cannot_be_written_loses_no_picture_and_is_written_later(
    desk: ProviderDesk, records: ProviderUsageRecords, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    let_write(database, False)
    desk.begin("easel", "io-0")
    desk.end("easel", "io-0", PAINTED)
    assert "usage of easel is counted, and cannot be written now" in caplog.text
    assert desk.readings()["easel"].in_flight == 0
    assert rows(records) == []
    let_write(database, True)
    desk.end("easel", "io-0", PAINTED)
    assert [row.counts.completed for row in rows(records)] == [2]


@pytest.mark.parametrize(
    "wrong",
    [
        {"model": None},
        {"model": "half a pair \ud800"},
        {"model": ["oils-1"]},
        {"outcome": "splendid"},
        {"outcome": "images"},
        {"images": None},
        {"input_tokens": "many"},
        {"output_tokens": float("nan")},
        {"cost_usd": "a lot"},
    ],
)
def test_usage_that_makes_no_sense_frees_its_place_and_keeps_none_from_being_counted(
    desk: ProviderDesk, records: ProviderUsageRecords, wrong: dict[str, Any]
) -> None:
    desk.begin("other", "io-0")
    desk.end("other", "io-0", replace(PAINTED, **wrong))
    assert desk.begin("other", "io-0")
    desk.end("other", "io-0", PAINTED)
    assert sum(row.counts.requests for row in rows(records)) == 2


def test_usage_that_is_still_owed_is_written_when_the_desk_closes(
    desk: ProviderDesk, records: ProviderUsageRecords, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    let_write(database, False)
    desk.end("easel", "io-0", PAINTED)
    desk.close()
    assert "usage of 1 requests to external providers is lost" in caplog.text
    let_write(database, True)
    desk.close()
    desk.close()
    assert [row.counts.completed for row in rows(records)] == [1]
