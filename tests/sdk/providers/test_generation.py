"""Several requests run side by side, in the provider's places; what was paid for is given, and a cancel ends it all."""

import asyncio
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import pytest

from impasto_sdk.errors import (
    CanceledError,
    ProviderContentRefusedError,
    ProviderDownError,
    ProviderError,
    ProviderRateLimitError,
    ProviderTimeoutError,
)
from impasto_sdk.providers import (
    ExternalGenerationRequest,
    ExternalGenerationResult,
    ExternalImage,
    ExternalModel,
    ExternalProvider,
    PartialImage,
    RetryPolicy,
    generate_all,
)
from impasto_sdk.testing import FakeProviderAccess

PATIENCE_S = 30.0
Act = Callable[[int], "asyncio.Future[ExternalGenerationResult]"]


def result(number: int) -> ExternalGenerationResult:
    return ExternalGenerationResult(images=[ExternalImage(data=bytes([number]))], cost_usd=0.5, output_tokens=10)


class Scripted(ExternalProvider):
    """Does what a test says, by the number that is the request's seed."""

    provider_id, title, default_base_url = "scripted", "Scripted", "http://nowhere.invalid"
    retry = RetryPolicy(first_wait_s=0.001, longest_wait_s=0.001)
    timeout_s = 30.0
    act: ClassVar[Act]

    @classmethod
    def models(cls) -> Sequence[ExternalModel]:
        return []

    async def generate(self, request: ExternalGenerationRequest, partial: PartialImage) -> ExternalGenerationResult:
        assert request.seed is not None
        partial(b"half", 0.5)
        return await type(self).act(request.seed)


@dataclass
class Watch:
    """A `GenerationWatch` that keeps what it is told."""

    failed: bool = False
    stop: threading.Event = field(default_factory=threading.Event)
    partials: list[tuple[int, bytes, float]] = field(default_factory=list)
    waited: list[tuple[int, str]] = field(default_factory=list)

    @property
    def cancelled(self) -> bool:
        return self.stop.is_set()

    def partial(self, index: int, data: bytes, fraction: float) -> None:
        self.partials.append((index, data, fraction))

    def waits(self, index: int, error: ProviderError, wait_s: float) -> None:
        self.waited.append((index, error.problem))


def requests(count: int) -> list[ExternalGenerationRequest]:
    return [
        ExternalGenerationRequest(model="m", mode="txt2img", prompt="p", width=8, height=8, seed=number)
        for number in range(count)
    ]


def provider_that(act: Act, *, timeout_s: float = 30.0) -> type[Scripted]:
    return type("It", (Scripted,), {"act": staticmethod(act), "timeout_s": timeout_s})


def test_results_come_as_soon_as_they_are_there_with_the_number_of_their_request() -> None:
    async def act(number: int) -> ExternalGenerationResult:
        for _ in range(10 * (3 - number)):  # the last one is the first to be done
            await asyncio.sleep(0)
        return result(number)

    access, watch = FakeProviderAccess("key"), Watch()
    given = list(generate_all(provider_that(act)(access), access, requests(3), watch))
    assert [index for index, _ in given] == [2, 1, 0]
    assert [one.images[0].data for _, one in given] == [b"\2", b"\1", b"\0"]
    assert sorted(watch.partials) == [(number, b"half", 0.5) for number in range(3)]


def test_a_result_is_given_while_later_requests_are_under_way() -> None:
    second = threading.Event()

    async def act(number: int) -> ExternalGenerationResult:
        while number == 1 and not second.is_set():
            await asyncio.sleep(0.001)
        return result(number)

    access = FakeProviderAccess("key")
    running = generate_all(provider_that(act)(access), access, requests(2), Watch())
    assert next(running)[0] == 0
    second.set()
    assert next(running)[0] == 1


@pytest.mark.parametrize("places", [1, 3])
def test_no_more_requests_are_under_way_than_there_are_places(places: int) -> None:
    async def act(number: int) -> ExternalGenerationResult:
        await asyncio.sleep(0.01)
        return result(number)

    access = FakeProviderAccess("key", places=places)
    assert len(list(generate_all(provider_that(act)(access), access, requests(6), Watch()))) == 6
    assert access.most == places


def test_every_request_is_counted_with_what_it_came_to() -> None:
    async def act(number: int) -> ExternalGenerationResult:
        if number == 1:
            raise ProviderContentRefusedError("scripted", "no")
        return result(number)

    access = FakeProviderAccess("key")
    with pytest.raises(ProviderContentRefusedError):
        list(generate_all(provider_that(act)(access), access, requests(2), Watch()))
    counted = {usage.outcome: usage for usage in access.used}
    assert counted["refused"].images == 0
    assert counted["completed"].images == 1
    assert counted["completed"].cost_usd == 0.5
    assert counted["completed"].output_tokens == 10


def test_what_was_paid_for_is_given_before_a_failure_is_raised() -> None:
    async def act(number: int) -> ExternalGenerationResult:
        await asyncio.sleep(0.01 if number == 0 else 0.03)  # the others are under way when the first one fails
        if number == 0:
            raise ProviderContentRefusedError("scripted", "the first one is not to be painted")
        return result(number)

    access = FakeProviderAccess("key")
    running = generate_all(provider_that(act)(access), access, requests(3), Watch())
    assert [next(running)[0], next(running)[0]] == [1, 2]
    with pytest.raises(ProviderContentRefusedError, match="the first one"):
        next(running)


def test_after_a_failure_nothing_new_is_sent() -> None:
    begun: list[int] = []

    async def act(number: int) -> ExternalGenerationResult:
        begun.append(number)
        raise ProviderContentRefusedError("scripted", "no")

    access = FakeProviderAccess("key", places=1)
    with pytest.raises(ProviderContentRefusedError):
        list(generate_all(provider_that(act)(access), access, requests(5), Watch()))
    assert begun == [0]


def test_nothing_is_sent_for_a_session_that_is_cancelled_already() -> None:
    async def act(number: int) -> ExternalGenerationResult:
        return result(number)

    access, watch = FakeProviderAccess("key"), Watch()
    watch.stop.set()
    with pytest.raises(CanceledError):
        list(generate_all(provider_that(act)(access), access, requests(3), watch))
    assert access.used == []


def test_a_service_that_was_down_is_asked_again_and_it_is_said() -> None:
    asked: list[int] = []

    async def act(number: int) -> ExternalGenerationResult:
        asked.append(number)
        if len(asked) < 3:
            raise ProviderDownError("scripted", "tired", 503)
        return result(number)

    access, watch = FakeProviderAccess("key"), Watch()
    assert len(list(generate_all(provider_that(act)(access), access, requests(1), watch))) == 1
    assert watch.waited == [(0, "tired"), (0, "tired")]
    assert [usage.outcome for usage in access.used] == ["failed", "failed", "completed"]


def test_a_cancel_ends_what_is_under_way_and_gives_every_place_back() -> None:
    under_way = threading.Event()

    async def act(number: int) -> ExternalGenerationResult:
        under_way.set()
        await asyncio.sleep(3600)
        return result(number)

    access, watch = FakeProviderAccess("key", places=2), Watch()
    running = generate_all(provider_that(act)(access), access, requests(4), watch)
    threading.Thread(target=lambda: (under_way.wait(), watch.stop.set())).start()
    with pytest.raises(CanceledError):
        next(running)
    running.close()
    assert {usage.outcome for usage in access.used} == {"canceled"}
    assert access.begin(), "a place is free again"


def test_closing_the_iterator_cancels_what_is_under_way() -> None:
    async def act(number: int) -> ExternalGenerationResult:
        if number:
            await asyncio.sleep(3600)
        return result(number)

    access = FakeProviderAccess("key")
    running = generate_all(provider_that(act)(access), access, requests(2), Watch())
    assert next(running)[0] == 0
    running.close()
    assert sorted(usage.outcome for usage in access.used) == ["canceled", "completed"]


def test_a_request_that_takes_too_long_is_given_up_and_not_sent_again() -> None:
    asked: list[int] = []

    async def act(number: int) -> ExternalGenerationResult:
        asked.append(number)
        await asyncio.sleep(3600)
        return result(number)

    access = FakeProviderAccess("key")
    with pytest.raises(ProviderTimeoutError, match=r"more than 0\.01 s"):
        list(generate_all(provider_that(act, timeout_s=0.01)(access), access, requests(1), Watch()))
    assert asked == [0]


def test_a_mistake_in_a_provider_is_raised_as_it_is() -> None:
    async def act(number: int) -> ExternalGenerationResult:
        raise KeyError("data")

    access = FakeProviderAccess("key")
    with pytest.raises(KeyError, match="data"):
        list(generate_all(provider_that(act)(access), access, requests(1), Watch()))
    assert [usage.outcome for usage in access.used] == ["failed"]


def test_those_that_wait_for_a_place_stand_in_line_and_only_the_first_asks() -> None:
    refused: list[int] = []

    class Counting(FakeProviderAccess):
        """Counts in vain askers."""

        def begin(self) -> bool:
            granted = super().begin()
            if not granted:
                refused.append(1)
            return granted

    asked_meanwhile: list[int] = []

    async def act(number: int) -> ExternalGenerationResult:
        if number == 0:
            for _ in range(5):
                await asyncio.sleep(0)
            asked_meanwhile.append(len(refused))
        return result(number)

    access = Counting("key", places=1)
    assert len(list(generate_all(provider_that(act)(access), access, requests(30), Watch()))) == 30
    assert asked_meanwhile[0] < 5, "29 others wait"


def test_a_failure_does_not_wait_for_one_that_is_to_be_asked_again_much_later() -> None:
    waits = threading.Event()

    async def act(number: int) -> ExternalGenerationResult:
        if number == 0:
            raise ProviderRateLimitError("scripted", "slowly", 3600.0)
        while not waits.is_set():
            await asyncio.sleep(0.001)
        raise ProviderContentRefusedError("scripted", "no")

    class Waiting(Watch):
        """Says when the first one waits."""

        def waits(self, index: int, error: ProviderError, wait_s: float) -> None:
            waits.set()

    access, failures = FakeProviderAccess("key"), []
    provider = provider_that(act)
    provider.retry = RetryPolicy(total_wait_s=7200.0)

    def run() -> None:
        try:
            list(generate_all(provider(access), access, requests(2), Waiting()))
        except ProviderError as error:
            failures.append(error.problem)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(PATIENCE_S)
    assert failures == ["no"]


def test_one_whose_watch_cannot_be_asked_ends_with_that() -> None:
    class Lost(Watch):
        """The wire to the server is gone."""

        @property
        def cancelled(self) -> bool:
            if self.partials:
                raise ConnectionError("the server is gone")
            return False

    async def act(number: int) -> ExternalGenerationResult:
        await asyncio.sleep(3600)
        return result(number)

    access = FakeProviderAccess("key")
    with pytest.raises(ConnectionError, match="the server is gone"):
        list(generate_all(provider_that(act)(access), access, requests(2), Lost()))
    assert {usage.outcome for usage in access.used} == {"canceled"}, "every place was given back"


def test_a_report_that_fails_ends_its_request_and_gives_what_the_others_came_to() -> None:
    class Stubborn(Watch):
        """Takes no previews of the second."""

        def partial(self, index: int, data: bytes, fraction: float) -> None:
            if index == 1:
                raise ConnectionError("nobody listens")

    async def act(number: int) -> ExternalGenerationResult:
        await asyncio.sleep(0.01)
        return result(number)

    access = FakeProviderAccess("key")
    running = generate_all(provider_that(act)(access), access, requests(2), Stubborn())
    assert next(running)[0] == 0
    with pytest.raises(ConnectionError, match="nobody listens"):
        next(running)
    assert sorted(usage.outcome for usage in access.used) == ["completed", "failed"]


def test_nothing_more_is_sent_once_what_came_could_not_be_used() -> None:
    begun: list[int] = []
    watch = Watch()

    async def act(number: int) -> ExternalGenerationResult:
        begun.append(number)
        watch.failed = True
        return result(number)

    access = FakeProviderAccess("key", places=1)
    running = generate_all(provider_that(act)(access), access, requests(3), watch)
    assert next(running)[0] == 0
    with pytest.raises(CanceledError):
        next(running)
    assert begun == [0]
