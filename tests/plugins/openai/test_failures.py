"""Failures of the service: what they are called, what is tried again, and what is never repeated of the key."""

import asyncio
import logging
import threading
from typing import Any

import pytest
from support.openai_service import (
    OPENAI_KEY,
    failure,
    model_list,
    openai_context,
    openai_model,
    painted,
    refused,
    unpaid,
    wrong_key,
)
from support.provenance import signed_picture
from support.stand_in import Reply, StandIn

from impasto_openai.failures import explain
from impasto_openai.node import OpenAIImageGeneration
from impasto_openai.provider import OpenAIProvider
from impasto_sdk.errors import (
    ProviderContentRefusedError,
    ProviderDownError,
    ProviderError,
    ProviderNotConfiguredError,
    ProviderRateLimitError,
    ProviderRequestError,
    ProviderTimeoutError,
)
from impasto_sdk.testing import FakeContext, FakeProviderAccess, run_node

PICTURE = signed_picture()


def run(context: FakeContext, **inputs: Any) -> None:
    run_node(OpenAIImageGeneration(id="n", model=openai_model("dall-e-3"), prompt="a lighthouse", **inputs), context)


def verify(url: str, key: str | None = OPENAI_KEY) -> None:
    asyncio.run(OpenAIProvider(FakeProviderAccess(key, url)).verify())


@pytest.mark.parametrize(
    ("reply", "error", "problem", "outcome"),
    [
        (
            failure(400, "Invalid value: '7x7'. Supported values are: '1024x1024'.", "invalid_value"),
            ProviderRequestError,
            r"Invalid value: '7x7'. Supported values are: '1024x1024'. (status 400)",
            "refused",
        ),
        (
            failure(403, "Your organization must be verified to use the model.", None),
            ProviderRequestError,
            "the service does not take the key: Your organization must be verified to use the model. (status 403); "
            "set another with `impasto providers set openai`",
            "refused",
        ),
        (
            failure(404, "The model `dall-e-3` does not exist.", "model_not_found"),
            ProviderRequestError,
            "The model `dall-e-3` does not exist. (status 404)",
            "refused",
        ),
        (
            unpaid(),
            ProviderRateLimitError,
            "You exceeded your current quota, please check your plan and billing details. (status 429)",
            "refused",
        ),
        (
            unpaid("billing_hard_limit_reached"),
            ProviderRateLimitError,
            "You exceeded your current quota, please check your plan and billing details. (status 429)",
            "refused",
        ),
        (
            failure(500, "The server had an error", kind="server_error", x_should_retry="false"),
            ProviderDownError,
            "The server had an error (status 500)",
            "failed",
        ),
        (
            Reply.data(b"<html>Bad gateway", "text/html", 400),
            ProviderRequestError,
            "<html>Bad gateway (status 400)",
            "refused",
        ),
        (Reply.json({"error": "plain words"}, 400), ProviderRequestError, "plain words (status 400)", "refused"),
        (Reply.json({"detail": "not here"}, 404), ProviderRequestError, "not here (status 404)", "refused"),
    ],
)
def test_a_failure_that_stays_is_told_once_in_the_service_s_words(
    service: StandIn,
    context: FakeContext,
    reply: Reply,
    error: type[ProviderError],
    problem: str,
    outcome: str,
) -> None:
    service.answers(reply)
    with pytest.raises(error) as caught:
        run(context)
    assert type(caught.value) is error
    assert caught.value.problem == problem
    assert len(service.requests) == 1
    assert [used.outcome for used in context.providers("openai").used] == [outcome]


@pytest.mark.parametrize("code", ["moderation_blocked", "content_policy_violation"])
def test_a_refusal_of_the_safety_rules_is_one(service: StandIn, context: FakeContext, code: str) -> None:
    service.answers(refused(code))
    with pytest.raises(ProviderContentRefusedError, match=r"rejected by the safety system.*\[violence\]"):
        run(context)
    assert len(service.requests) == 1


@pytest.mark.parametrize(
    "first",
    [
        failure(429, "Rate limit reached", "rate_limit_exceeded", "requests", retry_after="0"),
        failure(429, "Rate limit reached", "rate_limit_exceeded", "requests", retry_after_ms="3"),
        failure(429, "Rate limit reached", "rate_limit_exceeded", "requests"),
        failure(500, "The server had an error", kind="server_error"),
        failure(503, "Overloaded", kind="server_error", retry_after="0"),
        Reply.data(b"upstream timed out", "text/plain", 502),
    ],
    ids=["429", "429-ms", "429-bare", "500", "503", "502"],
)
def test_what_passes_is_asked_for_again(
    service: StandIn, context: FakeContext, caplog: pytest.LogCaptureFixture, first: Reply
) -> None:
    service.answers(first, first, painted(PICTURE))
    with caplog.at_level(logging.WARNING):
        run(context)
    assert [image.data for image in context.images.saved] == [PICTURE]
    assert len({request.body for request in service.requests}) == 1
    assert len(service.requests) == 3
    assert len(caplog.records) == 2
    assert "completed" in {used.outcome for used in context.providers("openai").used}


def test_it_is_asked_for_again_so_often_and_no_oftener(service: StandIn, context: FakeContext) -> None:
    service.answers(failure(503, "Overloaded", kind="server_error"))
    with pytest.raises(ProviderDownError, match="Overloaded"):
        run(context)
    assert len(service.requests) == OpenAIProvider.retry.attempts


def test_a_wait_that_would_be_too_long_is_not_begun(service: StandIn, context: FakeContext) -> None:
    service.answers(failure(429, "Rate limit reached", "rate_limit_exceeded", "requests", retry_after="86400"))
    with pytest.raises(ProviderRateLimitError) as caught:
        run(context)
    assert caught.value.retry_after_s == 86400
    assert len(service.requests) == 1


@pytest.mark.parametrize(
    "quoted", [OPENAI_KEY, f"{OPENAI_KEY[:7]}{'*' * 20}{OPENAI_KEY[-4:]}", f"{OPENAI_KEY[:3]}***{OPENAI_KEY[-4:]}"]
)
def test_a_wrong_key_is_not_repeated_in_part_either(
    service: StandIn, context: FakeContext, caplog: pytest.LogCaptureFixture, quoted: str
) -> None:
    service.answers(wrong_key(quoted))
    with pytest.raises(ProviderRequestError) as caught:
        run(context)
    assert caught.value.problem == (
        "the service does not take the key: Incorrect API key provided: ***. You can find your API key at "
        "https://platform.openai.com/account/api-keys. (status 401); set another with `impasto providers set openai`"
    )
    said = f"{caught.value!r} {caught.value.__cause__!r} {context.progress.reports} {caplog.text}"
    assert OPENAI_KEY[:7] not in said
    assert OPENAI_KEY[-4:] not in said


def test_a_service_that_falls_silent_is_given_up(
    service: StandIn, context: FakeContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = threading.Event()
    monkeypatch.setattr(OpenAIProvider, "timeout_s", 0.05)
    whole = painted(PICTURE)
    service.answers(Reply(headers=whole.headers, parts=whole.parts, release=release))
    try:
        with pytest.raises(ProviderTimeoutError):
            run(context)
    finally:
        release.set()
    assert len(service.requests) == 1


def test_without_a_key_nothing_is_sent(service: StandIn) -> None:
    with pytest.raises(ProviderNotConfiguredError, match=r"impasto providers set openai.*openai.com/api-keys"):
        run(openai_context(service, api_key=None))
    assert service.requests == []


def test_a_key_is_tried_without_a_cost(service: StandIn) -> None:
    service.answers(model_list())
    verify(f"{service.url}/v1")
    (request,) = service.requests
    assert (request.method, request.path, request.body) == ("GET", "/v1/models", b"")
    assert request.headers["authorization"] == f"Bearer {OPENAI_KEY}"


def test_a_key_that_the_service_does_not_take_is_said(service: StandIn) -> None:
    service.answers(wrong_key(OPENAI_KEY))
    with pytest.raises(ProviderRequestError, match="does not take the key"):
        verify(f"{service.url}/v1")


def test_a_key_cannot_be_tried_without_one(service: StandIn) -> None:
    with pytest.raises(ProviderNotConfiguredError):
        verify(f"{service.url}/v1", key=None)
    assert service.requests == []


@pytest.mark.parametrize(
    "body",
    [
        None,
        7,
        [],
        {},
        {"error": None},
        {"error": {}},
        {"error": {"message": None}},
        {"error": {"code": [1], "type": {}}},
    ],
)
def test_a_document_that_says_nothing_is_explained_all_the_same(body: Any) -> None:
    said = explain(500, body)
    assert said.message
    assert not said.refused
    assert said.retryable is None
