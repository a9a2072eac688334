"""`with_retries`: try a request again when that can help, bounded in count and in time.

Again are tried a rate limit and a service that is down, and only when the error says that it is `retryable`: a request
that may have been carried out, and paid for, is not sent twice. Waits grow exponentially with equal jitter, see
https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/ ; the service's ``Retry-After`` is kept to.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from impasto_sdk.errors import ProviderDownError, ProviderError, ProviderRateLimitError

__all__ = ["RetryPolicy", "with_retries"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How often and how long a request is tried."""

    #: Times in all, the first one included.
    attempts: int = 4
    #: The first wait is between half of this and all of it, in seconds; it doubles with each attempt …
    first_wait_s: float = 1.0
    #: … up to this.
    longest_wait_s: float = 30.0
    #: All waits together. A service that asks for more is not waited for: its error is raised.
    total_wait_s: float = 120.0


async def with_retries(
    attempt: Callable[[], Awaitable[T]],
    policy: RetryPolicy,
    told: Callable[[ProviderError, float], None],
    *,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    draw: Callable[[], float] = random.random,
) -> T:
    """What `attempt` gives, tried again as `policy` says.

    `told(error, wait_s)` is called before each wait. `draw` gives a random number from 0 to 1. Raises what the last
    attempt raised.
    """
    waited_s = 0.0
    for number in range(1, policy.attempts + 1):
        try:
            return await attempt()
        except ProviderError as error:
            if not error.retryable or number == policy.attempts:
                raise
            wait_s = _wait_after(error, number, policy, draw())
            if waited_s + wait_s > policy.total_wait_s:
                raise
            told(error, wait_s)
        waited_s += wait_s
        await sleep(wait_s)
    raise AssertionError("a policy allows one attempt at least")


def _wait_after(error: ProviderError, number: int, policy: RetryPolicy, drawn: float) -> float:
    own_s: float = min(policy.first_wait_s * 2 ** (number - 1), policy.longest_wait_s) * (0.5 + drawn / 2)
    asked_s = error.retry_after_s if isinstance(error, ProviderRateLimitError | ProviderDownError) else None
    # never before the service says so, and not all at once when it says so to many
    return own_s if asked_s is None else asked_s + min(drawn, own_s)
