"""Values of the server as people read them in a table."""

import time

import pytest

from impasto.cli.listings import duration_in_words, local_time, size_in_words


@pytest.mark.parametrize(
    ("count", "words"),
    [(None, ""), (0, "0 kB"), (4096, "4 kB"), (1_500_000, "1.5 MB"), (25_000_000, "25.0 MB"), (3 * 10**9, "3.0 GB")],
)
def test_a_size_is_said_in_the_unit_that_suits_it(count: int | None, words: str) -> None:
    assert size_in_words(count) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-0.2, "0.0 s"),
        (0.44, "0.4 s"),
        (12.7, "12 s"),
        (185, "3 min 5 s"),
        (7_500, "2 h 5 min"),
        (3 * 86_400 + 4 * 3_600, "3 d 4 h"),
    ],
)
def test_a_length_of_time_is_said_in_the_units_that_suit_it(seconds: float, words: str) -> None:
    assert duration_in_words(seconds) == words


def test_times_are_told_to_the_second_on_the_local_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC-2")
    time.tzset()
    try:
        assert local_time("2026-01-31T23:30:05.123456Z") == "2026-02-01 01:30:05"
        assert local_time(None) == ""
    finally:
        monkeypatch.undo()
        time.tzset()
