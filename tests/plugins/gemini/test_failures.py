"""Requests that fail: what is said, which are tried again and when, and that giving up is at once."""

import asyncio
import threading

import pytest
from support.gemini_cases import CASES
from support.gemini_service import (
    GEMINI_KEY,
    exhausted,
    failure,
    gemini_context,
    gemini_model,
    pictures,
    refused_key,
)
from support.provenance import signed_picture
from support.stand_in import Reply, StandIn

from impasto_gemini.node import GeminiImageGeneration
from impasto_gemini.provider import GeminiProvider
from impasto_sdk.errors import (
    CanceledError,
    ProviderDownError,
    ProviderError,
    ProviderNotConfiguredError,
    ProviderRateLimitError,
    ProviderRequestError,
)
from impasto_sdk.providers import ExternalGenerationRequest, ExternalGenerationResult, RetryPolicy, with_retries
from impasto_sdk.testing import FakeContext, FakeProviderAccess, run_node

ASKED = ExternalGenerationRequest(
    model="gemini-2.5-flash-image", mode="txt2img", prompt="a fox", width=1024, height=1024, aspect_ratio="1:1"
)
OVERLOADED = failure(503, "UNAVAILABLE", "The model is overloaded. Please try again later.")
GOOD = pictures(signed_picture())


def ask(url: str) -> ExternalGenerationResult:
    """One request, once."""

    async def asked() -> ExternalGenerationResult:
        return await GeminiProvider(FakeProviderAccess(GEMINI_KEY, url)).generate(ASKED, lambda data, fraction: None)

    return asyncio.run(asked())


def waits_until_done(url: str, policy: RetryPolicy, *, drawn: float = 0.5) -> list[float]:
    """The waits between the attempts of one request, none of which is really waited."""
    waits: list[float] = []
    provider = GeminiProvider(FakeProviderAccess(GEMINI_KEY, url))

    async def sleep(wait_s: float) -> None:
        waits.append(wait_s)

    async def asked() -> None:
        await with_retries(
            lambda: provider.generate(ASKED, lambda data, fraction: None),
            policy,
            lambda error, wait_s: None,
            sleep=sleep,
            draw=lambda: drawn,
        )

    asyncio.run(asked())
    return waits


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries that hardly wait where the service does not ask for it."""
    monkeypatch.setattr(GeminiProvider, "retry", RetryPolicy(first_wait_s=0.001, longest_wait_s=0.001))


@pytest.mark.parametrize(
    ("reply", "error", "told"),
    [
        (
            failure(400, "INVALID_ARGUMENT", "Request contains an invalid argument."),
            ProviderRequestError,
            r"^gemini: Request contains an invalid argument\. \(status 400\)$",
        ),
        (
            failure(400, "FAILED_PRECONDITION", "User location is not supported for the API use."),
            ProviderRequestError,
            "User location is not supported",
        ),
        (
            refused_key(),
            ProviderRequestError,
            "does not take the key: API key not valid.*; set another with `impasto providers set gemini`",
        ),
        (
            failure(401, "UNAUTHENTICATED", "Request had invalid authentication credentials."),
            ProviderRequestError,
            "does not take the key: Request had invalid authentication",
        ),
        (
            failure(403, "PERMISSION_DENIED", "Your API key was reported as leaked."),
            ProviderRequestError,
            "does not take the key: Your API key was reported as leaked",
        ),
        (
            failure(404, "NOT_FOUND", "models/gemini-2.5-flash-image is not found for API version v1beta."),
            ProviderRequestError,
            r"is not found for API version v1beta\. \(status 404\)",
        ),
        (exhausted(), ProviderRateLimitError, r"You exceeded your current quota.* \(status 429\)"),
        (failure(500, "INTERNAL", "An internal error has occurred."), ProviderDownError, "An internal error"),
        (OVERLOADED, ProviderDownError, "The model is overloaded"),
        (failure(504, "DEADLINE_EXCEEDED", "Deadline expired."), ProviderDownError, "Deadline expired"),
        (Reply.data(b"<html>Bad gateway</html>", "text/html", 502), ProviderDownError, "<html>Bad gateway"),
        (Reply.json({"error": "no route"}, 404), ProviderRequestError, "no route"),
        (
            Reply.json([{"error": {"code": 400, "message": "wrapped", "status": "X"}}], 400),
            ProviderRequestError,
            "wrap",
        ),
        (Reply(status=302, headers={"location": "http://127.0.0.1:9/"}), ProviderRequestError, "status 302"),
    ],
)
def test_a_failure_is_told_in_the_services_words(
    service: StandIn, reply: Reply, error: type[ProviderError], told: str
) -> None:
    service.answers(reply)
    with pytest.raises(error, match=told):
        ask(service.url)
    assert len(service.requests) == 1


def test_a_service_that_repeats_the_key_in_an_error_does_not_give_it_away(service: StandIn) -> None:
    service.answers(refused_key(f"API key {GEMINI_KEY} not valid."))
    with pytest.raises(ProviderRequestError, match=r"API key \*\*\* not valid") as caught:
        ask(service.url)
    assert GEMINI_KEY not in str(caught.value)


@pytest.mark.parametrize(
    ("reply", "wait_s"),
    [
        (exhausted("27s"), 27.0),
        (exhausted("38.618326853s"), 38.618326853),
        (exhausted(retry_after="5"), 5.0),
        (exhausted("27s", retry_after="31"), 31.0),
        (exhausted("27s", retry_after="3"), 27.0),
        (exhausted("soon"), None),
        (exhausted(), None),
        (failure(503, "UNAVAILABLE", "Down.", retry_after="12"), 12.0),
    ],
)
def test_how_long_to_wait_is_read_from_the_document_and_the_headers(
    service: StandIn, reply: Reply, wait_s: float | None
) -> None:
    service.answers(reply)
    with pytest.raises((ProviderRateLimitError, ProviderDownError)) as caught:
        ask(service.url)
    assert caught.value.retry_after_s == (None if wait_s is None else pytest.approx(wait_s))
    assert caught.value.retryable


def test_the_next_request_goes_out_when_the_service_says_and_not_before(service: StandIn) -> None:
    service.answers(exhausted("27s"), exhausted(retry_after="3"), OVERLOADED, GOOD)
    first, second, third = waits_until_done(service.url, RetryPolicy())
    assert 27 <= first <= 28
    assert 3 <= second <= 4
    assert third == pytest.approx(4 * 0.75), "where nothing is said, waits double from one second on, with jitter"
    assert len(service.requests) == 4
    assert len({request.body for request in service.requests}) == 1, "the same is asked again"


def test_a_wait_that_is_too_long_is_not_waited(service: StandIn) -> None:
    service.answers(exhausted("3600s"))
    with pytest.raises(ProviderRateLimitError) as caught:
        waits_until_done(service.url, RetryPolicy(total_wait_s=120))
    assert caught.value.retry_after_s == 3600
    assert len(service.requests) == 1


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (exhausted("40s", quota="GenerateRequestsPerDayPerProjectPerModel", value="100"), "the day's quota is used up"),
        (exhausted("40s", value="0"), "the account has no quota for this at all"),
        (failure(429, "RESOURCE_EXHAUSTED", "Quota exceeded, limit: 0, model: x"), "has no quota for this at all"),
    ],
)
@pytest.mark.usefixtures("impatient")
def test_a_quota_that_waiting_does_not_renew_is_not_waited_for(
    service: StandIn, context: FakeContext, reply: Reply, told: str
) -> None:
    service.answers(reply)
    with pytest.raises(ProviderRateLimitError, match=told) as caught:
        run_node(CASES[0].node(context), context)
    assert not caught.value.retryable
    assert len(service.requests) == 1


@pytest.mark.usefixtures("impatient")
def test_a_node_gets_its_picture_after_a_rate_limit_and_an_overload(service: StandIn, context: FakeContext) -> None:
    service.answers(exhausted("0.001s"), OVERLOADED, GOOD)
    output = run_node(CASES[0].node(context), context)
    assert len(output.collection) == 1
    assert len(service.requests) == 3
    assert [one.outcome for one in context.provider("gemini").used] == ["refused", "failed", "completed"]
    told = [report.message for report in context.progress.reports]
    assert any("The model is overloaded" in message and "asked again" in message for message in told), told


@pytest.mark.usefixtures("impatient")
def test_a_service_that_stays_down_is_given_up(service: StandIn, context: FakeContext) -> None:
    service.answers(OVERLOADED)
    with pytest.raises(ProviderDownError, match="overloaded"):
        run_node(CASES[0].node(context), context)
    assert len(service.requests) == RetryPolicy().attempts


@pytest.mark.parametrize("sent", [[], [b'{"candidates": ', b"[]}"]], ids=["after the headers", "amid the answer"])
def test_a_node_that_is_cancelled_while_the_service_works_ends_at_once(service: StandIn, sent: list[bytes]) -> None:
    never = threading.Event()
    context = gemini_context(service.url)
    service.answers(Reply(parts=sent or [b"{}"], release=never))
    node = GeminiImageGeneration(model=gemini_model("gemini-2.5-flash-image"), prompt="a fox", num_images=2)
    ended: list[BaseException] = []

    def run() -> None:
        try:
            run_node(node, context)
        except CanceledError as error:
            ended.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    for _ in range(2):
        assert service.asked.acquire(timeout=30)
    context.cancel()
    thread.join(
        30
    )  # the answer would come when the stand-in gives up waiting, and the node would then not be cancelled
    never.set()
    assert len(ended) == 1
    assert [one.outcome for one in context.provider("gemini").used] == ["canceled"] * 2
    assert context.images.saved == []


def test_without_a_key_nothing_is_sent(service: StandIn) -> None:
    context = gemini_context(service.url, api_key=None)
    with pytest.raises(ProviderNotConfiguredError, match=r"impasto providers set gemini.*aistudio\.google\.com/apikey"):
        run_node(CASES[0].node(context), context)
    assert service.requests == []


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (refused_key(), "does not take the key"),
        (failure(403, "PERMISSION_DENIED", "Disabled."), "does not take the key"),
    ],
)
def test_testing_a_wrong_key_says_that_it_is_wrong(service: StandIn, reply: Reply, told: str) -> None:
    service.answers(reply)
    with pytest.raises(ProviderRequestError, match=told):
        asyncio.run(GeminiProvider(FakeProviderAccess("wrong", service.url)).verify())
