"""A request is tried again when that can help, in bounds, and never before the service says so."""

import asyncio
from collections.abc import Sequence

import pytest

from impasto_sdk.errors import (
    ProviderContentRefusedError,
    ProviderDownError,
    ProviderError,
    ProviderRateLimitError,
    ProviderRequestError,
    ProviderTimeoutError,
)
from impasto_sdk.providers import RetryPolicy, with_retries


class Attempts:
    """A request that fails so often, and a clock that only counts."""

    def __init__(self, errors: Sequence[ProviderError]) -> None:
        self.errors = list(errors)
        self.made = 0
        self.waits: list[float] = []
        self.told: list[tuple[ProviderError, float]] = []

    async def attempt(self) -> str:
        self.made += 1
        if self.errors:
            raise self.errors.pop(0)
        return "done"

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)

    def run(self, policy: RetryPolicy | None = None, *, drawn: float = 1.0) -> str:
        trying = with_retries(
            self.attempt,
            policy or RetryPolicy(),
            lambda error, wait_s: self.told.append((error, wait_s)),
            sleep=self.sleep,
            draw=lambda: drawn,
        )
        return asyncio.run(trying)


def test_a_service_that_is_down_is_asked_again_with_growing_waits() -> None:
    attempts = Attempts([ProviderDownError("p", "down")] * 3)
    assert attempts.run() == "done"
    assert attempts.waits == [1.0, 2.0, 4.0]
    assert [wait_s for _, wait_s in attempts.told] == attempts.waits


def test_waits_are_drawn_so_that_many_clients_do_not_come_back_at_once() -> None:
    shortest, longest = Attempts([ProviderDownError("p", "down")] * 3), Attempts([ProviderDownError("p", "down")] * 3)
    shortest.run(drawn=0.0)
    longest.run(drawn=1.0)
    assert shortest.waits == [wait / 2 for wait in longest.waits]


@pytest.mark.parametrize(
    "error",
    [ProviderRateLimitError("p", "slowly", retry_after_s=7.0), ProviderDownError("p", "down", 503, retry_after_s=7.0)],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize("drawn", [0.0, 0.5, 1.0])
def test_nobody_comes_back_before_the_service_says_so(drawn: float, error: ProviderError) -> None:
    attempts = Attempts([error])
    assert attempts.run(drawn=drawn) == "done"
    assert 7.0 <= attempts.waits[0] <= 8.0


def test_attempts_are_counted() -> None:
    attempts = Attempts([ProviderDownError("p", f"down {n}") for n in range(9)])
    with pytest.raises(ProviderDownError, match="down 3"):
        attempts.run()
    assert attempts.made == 4


def test_all_waits_together_are_bounded() -> None:
    attempts = Attempts([ProviderRateLimitError("p", "slowly", retry_after_s=50.0)] * 9)
    with pytest.raises(ProviderRateLimitError):
        attempts.run()
    assert attempts.made == 3
    assert sum(attempts.waits) <= RetryPolicy().total_wait_s


def test_a_service_that_asks_for_an_hour_is_not_waited_for() -> None:
    attempts = Attempts([ProviderRateLimitError("p", "slowly", retry_after_s=3600.0)])
    with pytest.raises(ProviderRateLimitError):
        attempts.run()
    assert attempts.waits == []


@pytest.mark.parametrize(
    "error",
    [
        ProviderRequestError("p", "bad", 400),
        ProviderContentRefusedError("p", "no"),
        ProviderTimeoutError("p", "slow"),
        ProviderDownError("p", "the answer broke off", retryable=False),
        ProviderRateLimitError("p", "no credit left", retryable=False),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_may_have_been_paid_for_or_cannot_get_better_is_not_sent_twice(error: ProviderError) -> None:
    attempts = Attempts([error])
    with pytest.raises(type(error)):
        attempts.run()
    assert attempts.made == 1
