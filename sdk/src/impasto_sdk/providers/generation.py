"""`generate_all`: several requests of one node, side by side, each tried again where that helps, cancelled at once.

They run on an event loop in a thread of their own, so that a node stays an ordinary function; what comes back is given
as soon as it is there, in whatever order, so that it can be written down. When one fails, those that were not sent yet
are given up, those under way are waited for (they are paid for), and the failure is raised after the last picture.
"""

import asyncio
import threading
from collections.abc import Generator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Protocol

from impasto_sdk.context import ProviderAccess
from impasto_sdk.errors import (
    CanceledError,
    ProviderContentRefusedError,
    ProviderError,
    ProviderRateLimitError,
    ProviderRequestError,
    ProviderTimeoutError,
)
from impasto_sdk.providers.attempts import with_retries
from impasto_sdk.providers.provider import ExternalProvider
from impasto_sdk.providers.request import ExternalGenerationRequest, ExternalGenerationResult
from impasto_sdk.usage import ProviderUsage, RequestOutcome

__all__ = ["GenerationWatch", "generate_all"]

#: How often it is asked whether the session was cancelled, and whether a place is free, in seconds.
_LOOK_S = 0.05

_REFUSED = (ProviderRequestError, ProviderRateLimitError, ProviderContentRefusedError)


class GenerationWatch(Protocol):
    """Who asked for the pictures. Called on a thread of the requests."""

    @property
    def cancelled(self) -> bool:
        """Whether nothing is wanted any more."""
        ...

    @property
    def failed(self) -> bool:
        """Whether what was given could not be used: what is under way is still wanted, and nothing more is sent."""
        ...

    def partial(self, index: int, data: bytes, fraction: float) -> None:
        """An unfinished picture of request `index` has come; `fraction` of it is done."""
        ...

    def waits(self, index: int, error: ProviderError, wait_s: float) -> None:
        """Request `index` has failed with `error`, and is tried again after `wait_s` seconds."""
        ...


@dataclass(slots=True)
class _Requests:
    """The requests of one node, while they are under way. Lives on the thread of the event loop."""

    provider: ExternalProvider
    access: ProviderAccess
    requests: Sequence[ExternalGenerationRequest]
    watch: GenerationWatch
    #: Set when nobody takes results any more.
    unwanted: threading.Event = field(default_factory=threading.Event)
    #: Set when one has failed: no other is begun.
    failed: asyncio.Event = field(default_factory=asyncio.Event)
    #: Held by the one request that looks for a place; the others wait in line, and ask nobody.
    first_in_line: asyncio.Lock = field(default_factory=asyncio.Lock)
    #: What the requests came to, as they come: results with their indices, and failures; then None.
    ends: "SimpleQueue[tuple[int, ExternalGenerationResult] | BaseException | None]" = field(
        default_factory=SimpleQueue
    )

    def run(self) -> None:
        try:
            asyncio.run(self._run())
        except BaseException as error:  # noqa: BLE001 - raised again where the node runs, which waits for it
            self.ends.put(error)
        finally:
            self.ends.put(None)

    async def _run(self) -> None:
        tasks = {asyncio.create_task(self._end_of(index)) for index in range(len(self.requests))}
        while tasks:
            _, tasks = await asyncio.wait(tasks, timeout=_LOOK_S, return_when=asyncio.FIRST_COMPLETED)
            if self.watch.failed:
                self.failed.set()
            if self.unwanted.is_set() or self.watch.cancelled:
                for task in tasks:
                    task.cancel()

    async def _end_of(self, index: int) -> None:
        try:
            result = await with_retries(
                lambda: self._attempt(index),
                self.provider.retry,
                lambda error, wait_s: self.watch.waits(index, error, wait_s),
                sleep=self._rest,
            )
        except asyncio.CancelledError:
            self.ends.put(CanceledError())
        except Exception as error:  # noqa: BLE001 - raised again where the node runs
            self.failed.set()
            self.ends.put(error)
        else:
            self.ends.put((index, result))

    async def _rest(self, wait_s: float) -> None:
        """Let `wait_s` seconds pass before the next attempt; fewer, when there will be none."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.failed.wait(), wait_s)

    @property
    def _is_over(self) -> bool:
        """Whether nothing more is to be sent."""
        return self.failed.is_set() or self.watch.failed or self.unwanted.is_set() or self.watch.cancelled

    async def _attempt(self, index: int) -> ExternalGenerationResult:
        request = self.requests[index]
        await self._take_place()
        outcome: RequestOutcome = "failed"
        result = None
        try:
            async with asyncio.timeout(self.provider.timeout_s):
                result = await self.provider.generate(
                    request, lambda data, fraction: self.watch.partial(index, data, fraction)
                )
            outcome = "completed"
        except TimeoutError as error:
            limit_s = self.provider.timeout_s
            raise ProviderTimeoutError(
                self.provider.provider_id, f"the service took more than {limit_s:g} s and was given up"
            ) from error
        except _REFUSED:
            outcome = "refused"
            raise
        except asyncio.CancelledError:
            outcome = "canceled"
            raise
        finally:
            self.access.end(_usage(request, outcome, result))
        return result

    async def _take_place(self) -> None:
        """Wait until the request may be sent. Raises `CanceledError` when it is not to be sent any more."""
        async with self.first_in_line:
            while not self._is_over:
                if self.access.begin():
                    return
                await asyncio.sleep(_LOOK_S)
        raise CanceledError


def generate_all(
    provider: ExternalProvider,
    access: ProviderAccess,
    requests: Sequence[ExternalGenerationRequest],
    watch: GenerationWatch,
) -> Generator[tuple[int, ExternalGenerationResult], None, None]:
    """Index and result of each request that succeeded, as they come; then the first failure is raised, if any.

    Raises what `provider.generate` raises, `ProviderTimeoutError` for one that took too long, and `CanceledError`.
    Closing the generator cancels what is under way.
    """
    under_way = _Requests(provider, access, requests, watch)
    thread = threading.Thread(target=under_way.run, name=f"impasto-{provider.provider_id}", daemon=True)
    thread.start()
    try:
        yield from _as_they_come(under_way.ends)
    finally:
        under_way.unwanted.set()
        thread.join()


def _as_they_come(
    ends: "SimpleQueue[tuple[int, ExternalGenerationResult] | BaseException | None]",
) -> Generator[tuple[int, ExternalGenerationResult], None, None]:
    failures: list[BaseException] = []
    while (end := ends.get()) is not None:
        if isinstance(end, BaseException):
            failures.append(end)
        else:
            yield end
    if failures:
        # what was given up because of a failure is not the reason
        raise next((one for one in failures if not isinstance(one, CanceledError)), failures[0])


def _usage(
    request: ExternalGenerationRequest, outcome: RequestOutcome, result: ExternalGenerationResult | None
) -> ProviderUsage:
    if result is None:
        return ProviderUsage(model=request.model, outcome=outcome)
    return ProviderUsage(
        model=request.model,
        outcome=outcome,
        images=len(result.images),
        input_tokens=result.input_tokens,
        output_tokens=result.output_tokens,
        cost_usd=result.cost_usd,
    )
