"""What requests to external providers came to adds up exactly, by provider, model, day and user."""

import math
from dataclasses import asdict

import pytest

from impasto.errors import StorageError
from impasto.storage.database import Database
from impasto.storage.provider_usage import ProviderUsageRecords, UsageCounts, UsageKey
from impasto_sdk.usage import ProviderUsage


@pytest.fixture
def records(database: Database) -> ProviderUsageRecords:
    return ProviderUsageRecords(database)


def key(model: str = "oils-1", day: str = "2026-11-22", *, provider: str = "easel", user: str = "system") -> UsageKey:
    return UsageKey(provider_id=provider, model=model, day=day, user_id=user)


def used(cost_usd: float | None = 0.04, **facts) -> UsageCounts:
    return UsageCounts.of(ProviderUsage(**{"model": "oils-1", "outcome": "completed", "cost_usd": cost_usd, **facts}))


def test_what_one_request_came_to_is_counted_with_its_cost_in_millionths() -> None:
    counts = used(0.0421, images=2, input_tokens=13, output_tokens=4160)
    assert {name: value for name, value in asdict(counts).items() if value} == {
        "completed": 1, "images": 2, "input_tokens": 13, "output_tokens": 4160, "cost_microdollars": 42_100,
    }  # fmt: skip
    assert (counts.requests, counts.cost_usd) == (1, 0.0421)


def test_sums_of_costs_are_exact(records: ProviderUsageRecords) -> None:
    for _ in range(10):
        records.add([(key(), used(0.1))])
    [row] = records.since("2026-11-22")
    assert sum(0.1 for _ in range(10)) != 1.0
    assert row.counts.cost_usd == 1.0


@pytest.mark.parametrize("cost", [None, math.nan, math.inf, -1.0])
def test_a_cost_that_is_not_known_or_makes_no_sense_is_no_price(cost: float | None) -> None:
    counts = used(cost)
    assert (counts.cost_microdollars, counts.unpriced) == (0, 1)


def test_only_a_completed_request_can_lack_a_price() -> None:
    assert [used(None, outcome=outcome).unpriced for outcome in ("completed", "refused", "failed", "canceled")] == [
        1, 0, 0, 0,
    ]  # fmt: skip


def test_numbers_that_a_plugin_makes_up_fit_into_the_database(records: ProviderUsageRecords) -> None:
    records.add([(key(), used(1e300, images=-5, input_tokens=2**200))])
    [row] = records.since("2026-11-22")
    assert row.counts.images == 0
    assert row.counts.input_tokens == row.counts.cost_microdollars == 2**40


def test_users_are_added_up_and_models_days_and_providers_are_not(records: ProviderUsageRecords) -> None:
    records.add([(key(), used()), (key(user="ada"), used()), (key(), used())])
    records.add([(key("oils-2"), used()), (key(day="2026-11-21"), used()), (key(provider="other"), used())])
    assert [(row.day, row.provider_id, row.model, row.counts.completed) for row in records.since("2026-11-21")] == [
        ("2026-11-21", "easel", "oils-1", 1),
        ("2026-11-22", "easel", "oils-1", 3),
        ("2026-11-22", "easel", "oils-2", 1),
        ("2026-11-22", "other", "oils-1", 1),
    ]
    assert [row.provider_id for row in records.since("2026-11-22", provider_id="other")] == ["other"]
    assert records.since("2026-11-23") == []


def test_what_cannot_be_written_is_written_not_even_in_part(records: ProviderUsageRecords, database: Database) -> None:
    records.add([(key("a"), used())])
    breaking = "CREATE TRIGGER breaking BEFORE INSERT ON provider_usage BEGIN DELETE FROM gone; END"
    database.write(lambda connection: connection.exec_driver_sql(breaking).close())
    with pytest.raises(StorageError):
        records.add([(key("a"), used()), (key("b"), used())])
    assert [(row.model, row.counts.completed) for row in records.since("2026-11-22")] == [("a", 1)]
