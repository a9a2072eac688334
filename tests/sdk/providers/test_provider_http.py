"""HTTP to a service: good answers, and every way of failing as an error that says what can be done."""

import asyncio
import socket
import threading
from collections.abc import Callable, Coroutine, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from support.easel import Easel
from support.stand_in import Reply, StandIn

from impasto_sdk.errors import (
    ProviderContentRefusedError,
    ProviderDownError,
    ProviderError,
    ProviderNotConfiguredError,
    ProviderRateLimitError,
    ProviderRequestError,
    ProviderTimeoutError,
)
from impasto_sdk.providers import http as provider_http
from impasto_sdk.providers.http import Explanation, ProviderHttp
from impasto_sdk.testing import FakeProviderAccess

KEY = "sk-planted-0123456789"


@pytest.fixture
def service() -> Iterator[StandIn]:
    with StandIn() as stand_in:
        yield stand_in


def ask(url: str, what: Callable[[ProviderHttp], Coroutine[Any, Any, Any]] | None = None, **options: Any) -> Any:
    """Open a client for a service at `url` and do something with it; a GET unless it is said."""

    async def asking() -> Any:
        provider = Easel(FakeProviderAccess(KEY, url))
        async with ProviderHttp(provider, headers={"authorization": f"Bearer {KEY}"}, **options) as http:
            return await (what or (lambda http: http.get("/it")))(http)

    return asyncio.run(asking())


def test_json_goes_out_and_comes_back_with_the_key_in_its_header(service: StandIn) -> None:
    service.answers(Reply.json({"fine": True}, x_request_id="r-1"))
    answer = ask(f"{service.url}/base/", lambda http: http.post("paint", {"prompt": "ä"}))
    assert answer.body == {"fine": True}
    assert answer.headers["x-request-id"] == "r-1"
    (request,) = service.requests
    assert (request.method, request.path) == ("POST", "/base/paint")
    assert request.json == {"prompt": "ä"}
    assert request.headers["authorization"] == f"Bearer {KEY}"


def test_a_form_goes_out_with_its_files(service: StandIn) -> None:
    service.answers(Reply.json({}))
    files = [("image[]", ("a.png", b"AAA", "image/png")), ("image[]", ("b.png", b"BBB", "image/png"))]
    ask(service.url, lambda http: http.post_form("/edit", {"prompt": "p"}, files))
    body = service.requests[0].body
    assert service.requests[0].headers["content-type"].startswith("multipart/form-data; boundary=")
    assert body.count(b'name="image[]"') == 2
    assert b"AAA" in body
    assert b'name="prompt"' in body


def test_server_sent_events_come_one_by_one(service: StandIn) -> None:
    async def collect(http: ProviderHttp) -> list[Any]:
        return [document async for document, _ in http.events("/paint", json={"stream": True})]

    service.answers(Reply.events({"type": "partial", "n": 0}, {"type": "done"}))
    assert ask(service.url, collect) == [{"type": "partial", "n": 0}, {"type": "done"}]


def test_a_service_that_does_not_stream_gives_its_document_as_the_only_event(service: StandIn) -> None:
    async def collect(http: ProviderHttp) -> list[Any]:
        return [document async for document, _ in http.events("/paint", json={"stream": True})]

    service.answers(Reply.json({"data": []}))
    assert ask(service.url, collect) == [{"data": []}]


def test_a_failure_in_the_middle_of_an_answer_is_not_asked_for_again_and_hides_the_key(service: StandIn) -> None:
    def explain(status: int, body: Any) -> Explanation:
        return Explanation(message=body["why"], refused="unsafe" in body["why"])

    async def fail(http: ProviderHttp) -> list[ProviderError]:
        return [http.broken_off({"why": f"overloaded, {KEY}"}), http.broken_off({"why": "unsafe"})]

    gave_up, refused = ask(service.url, fail, explain=explain)
    assert isinstance(gave_up, ProviderDownError)
    assert not gave_up.retryable
    assert gave_up.problem == "the service gave up: overloaded, ***"
    assert isinstance(refused, ProviderContentRefusedError)


def test_a_download_that_is_forbidden_does_not_put_the_blame_on_the_key(service: StandIn) -> None:
    service.answers(Reply.data(b"expired", "text/plain", 403))
    with pytest.raises(ProviderRequestError) as caught:
        ask(service.url, lambda http: http.download(f"{service.url}/file"))
    assert caught.value.problem == "expired (status 403)"


def test_a_download_does_not_carry_the_key(service: StandIn) -> None:
    service.answers(Reply.data(b"picture"))
    assert ask("http://elsewhere.invalid", lambda http: http.download(f"{service.url}/file")) == b"picture"
    assert "authorization" not in service.requests[0].headers


def test_a_redirect_is_not_followed(service: StandIn) -> None:
    service.answers(Reply(status=302, headers={"location": "http://elsewhere.invalid/"}))
    with pytest.raises(ProviderRequestError, match="status 302"):
        ask(service.url)


@pytest.mark.parametrize(
    ("status", "expected", "retryable"),
    [
        (400, ProviderRequestError, False),
        (401, ProviderRequestError, False),
        (403, ProviderRequestError, False),
        (404, ProviderRequestError, False),
        (408, ProviderDownError, True),
        (422, ProviderRequestError, False),
        (429, ProviderRateLimitError, True),
        (500, ProviderDownError, True),
        (502, ProviderDownError, True),
        (503, ProviderDownError, True),
    ],
)
def test_a_status_is_an_error_with_the_service_s_own_words(
    service: StandIn, status: int, expected: type[ProviderError], retryable: bool
) -> None:
    service.answers(Reply.json({"error": {"message": "the paint is dry"}}, status))
    with pytest.raises(expected, match=rf"easel: .*the paint is dry \(status {status}\)") as caught:
        ask(service.url)
    assert caught.value.retryable is retryable
    if isinstance(caught.value, ProviderRequestError):
        assert caught.value.status == status


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_says_how_to_set_another(service: StandIn, status: int) -> None:
    service.answers(Reply.json({"message": "who are you"}, status))
    with pytest.raises(ProviderRequestError, match=r"does not take the key: who are you.*impasto providers set easel"):
        ask(service.url)


def test_a_key_that_is_echoed_is_not_repeated(service: StandIn) -> None:
    service.answers(Reply.json({"error": f"Incorrect API key provided: {KEY}."}, 401), Reply.data(KEY.encode() + b"<"))
    for _ in range(2):
        with pytest.raises(ProviderRequestError) as caught:
            ask(service.url)
        assert KEY not in str(caught.value)
        assert "***" in str(caught.value)


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({"retry_after": "12"}, 12.0),
        ({"retry_after_ms": "1500", "retry_after": "9"}, 1.5),
        ({}, None),
        ({"retry_after": "soon"}, None),
        ({"retry_after_ms": "soon", "retry_after": "7"}, 7.0),
        ({"retry_after": "-4"}, 0.0),
    ],
)
def test_a_rate_limit_says_how_long_to_wait(service: StandIn, headers: dict[str, str], wait_s: float | None) -> None:
    service.answers(Reply.json({"error": "slowly"}, 429, **headers))
    with pytest.raises(ProviderRateLimitError) as caught:
        ask(service.url)
    assert caught.value.retry_after_s == wait_s


def test_a_date_to_come_back_at_is_understood(service: StandIn) -> None:
    moment = datetime.now(UTC) + timedelta(minutes=5)
    service.answers(Reply.json({}, 429, retry_after=format_datetime(moment, usegmt=True)))
    with pytest.raises(ProviderRateLimitError) as caught:
        ask(service.url)
    assert caught.value.retry_after_s == pytest.approx(300, abs=30)


def test_a_service_may_say_that_asking_again_is_useless(service: StandIn) -> None:
    service.answers(Reply.json({}, 500, x_should_retry="false"))
    with pytest.raises(ProviderDownError) as caught:
        ask(service.url)
    assert not caught.value.retryable


def test_a_provider_explains_its_own_errors(service: StandIn) -> None:
    def explain(status: int, body: Any) -> Explanation:
        return Explanation(message=body["why"], refused=body["why"] == "unsafe", retryable=body.get("again"))

    service.answers(Reply.json({"why": "unsafe"}, 400), Reply.json({"why": "no credit", "again": False}, 429))
    with pytest.raises(ProviderContentRefusedError, match="unsafe"):
        ask(service.url, explain=explain)
    with pytest.raises(ProviderRateLimitError, match="no credit") as caught:
        ask(service.url, explain=explain)
    assert not caught.value.retryable


def test_a_provider_reads_a_refused_key_and_a_wait_from_its_own_errors(service: StandIn) -> None:
    def explain(status: int, body: Any) -> Explanation:
        return Explanation(message=body["why"], key_refused=status == 400, retry_after_s=body.get("wait"))

    service.answers(
        Reply.json({"why": "no such key"}, 400),
        Reply.json({"why": "busy", "wait": 9.0}, 429, retry_after="4"),
        Reply.json({"why": "tired", "wait": 3.0}, 503, retry_after="7"),
    )
    with pytest.raises(ProviderRequestError, match="does not take the key: no such key"):
        ask(service.url, explain=explain)
    with pytest.raises(ProviderRateLimitError) as limited:
        ask(service.url, explain=explain)
    with pytest.raises(ProviderDownError) as down:
        ask(service.url, explain=explain)
    assert (limited.value.retry_after_s, down.value.retry_after_s) == (9.0, 7.0), "the longer of both"


def test_an_answer_that_breaks_off_is_not_asked_for_again(service: StandIn) -> None:
    service.answers(Reply(parts=[b'{"half":'], missing=100))
    with pytest.raises(ProviderDownError, match="broke off") as caught:
        ask(service.url)
    assert not caught.value.retryable


def test_an_answer_that_is_no_json_says_how_it_begins(service: StandIn) -> None:
    service.answers(Reply.data(b"<html>Gateway</html>"))
    with pytest.raises(ProviderRequestError, match="no JSON; it begins with '<html>Gateway"):
        ask(service.url)


def test_a_service_that_falls_silent_is_given_up(service: StandIn) -> None:
    release = threading.Event()
    service.answers(Reply(parts=[b"{", b"}"], release=release))
    with pytest.raises(ProviderTimeoutError, match="silent"):
        ask(service.url, read_s=0.05)
    release.set()


def test_a_service_that_is_not_there_is_down() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        with pytest.raises(ProviderDownError, match=r"127\.0\.0\.1 cannot be reached") as caught:
            ask(f"http://127.0.0.1:{port}")
    assert caught.value.retryable


@pytest.mark.parametrize("url", ["nonsense", "ftp://host", "http://", "http://host:notaport"])
def test_a_base_url_that_is_none_is_named(url: str) -> None:
    with pytest.raises(ProviderRequestError, match=r"base URL '.*' is none; write http:// or https:// and a host"):
        ask(url)


def test_an_endless_answer_is_not_read_to_its_end(service: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provider_http, "MAX_ANSWER_BYTES", 1000)
    service.answers(Reply(parts=[b"x" * 600] * 3))
    with pytest.raises(ProviderRequestError, match="more than 1,000 bytes"):
        ask(service.url)


def test_long_words_of_a_service_are_shortened(service: StandIn) -> None:
    service.answers(Reply.json({"error": "x" * 10_000}, 500))
    with pytest.raises(ProviderDownError) as caught:
        ask(service.url)
    assert len(str(caught.value)) < 700


@pytest.mark.parametrize("status", [429, 503])
def test_a_failure_counts_as_its_status_says_even_when_its_document_breaks_off(service: StandIn, status: int) -> None:
    service.answers(Reply(status=status, headers={"retry-after": "3"}, parts=[b'{"error":'], missing=100))
    with pytest.raises((ProviderRateLimitError, ProviderDownError)) as caught:
        ask(service.url)
    assert caught.value.retryable
    assert caught.value.retry_after_s == 3.0


def test_of_a_failure_s_document_only_the_beginning_is_read(service: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provider_http, "MAX_FAILURE_BYTES", 10)
    release = threading.Event()
    service.answers(Reply(status=503, parts=[b"a" * 100, b"never"], release=release))
    with pytest.raises(ProviderDownError, match="aaa"):
        ask(service.url)
    release.set()


@pytest.mark.parametrize("filler", range(60, 80, 4))
def test_a_key_is_hidden_where_the_words_are_cut(service: StandIn, filler: int) -> None:
    service.answers(Reply.data(b"x" * filler + KEY.encode()))
    with pytest.raises(ProviderRequestError) as caught:
        ask(service.url)
    assert KEY[:4] not in str(caught.value)


@pytest.mark.parametrize("body", [b'{"price": NaN}', b"[" * 100_000, b'{"a": "\xff"}'], ids=["NaN", "deep", "Latin-1"])
def test_what_only_looks_like_json_is_refused(service: StandIn, body: bytes) -> None:
    service.answers(Reply.data(body))
    with pytest.raises(ProviderRequestError, match="no JSON"):
        ask(service.url)
    service.answers(Reply.data(body, status=500))
    with pytest.raises(ProviderDownError):
        ask(service.url)


def test_words_that_no_text_can_hold_are_shown_all_the_same(service: StandIn) -> None:
    service.answers(Reply.data(b'{"error": "bad \\ud83d paint"}', "application/json", 500))
    with pytest.raises(ProviderDownError, match=r"bad \? paint") as caught:
        ask(service.url)
    str(caught.value).encode()


def test_a_page_in_the_place_of_events_is_named(service: StandIn) -> None:
    async def collect(http: ProviderHttp) -> list[Any]:
        return [document async for document, _ in http.events("/paint", json={"stream": True})]

    service.answers(Reply.data(b"<html>Sign in</html>", "text/html"))
    with pytest.raises(ProviderRequestError, match="no JSON; it begins with '<html>Sign in"):
        ask(service.url, collect)


def test_an_address_to_fetch_that_is_none_is_not_called_the_base_url() -> None:
    with pytest.raises(ProviderRequestError, match="'http://host:port/' is no address"):
        ask("http://nowhere.invalid", lambda http: http.download("http://host:port/"))


@pytest.mark.parametrize("key", ["sk-one\nsk-two", "sk-ключ", "sk-\x07"])
def test_a_key_that_no_header_can_carry_is_not_repeated(key: str) -> None:
    provider = Easel(FakeProviderAccess(key))
    with pytest.raises(ProviderNotConfiguredError, match="has characters that no key has") as caught:
        _ = provider.api_key
    assert "sk-" not in str(caught.value)


def test_blanks_around_a_key_are_left_out() -> None:
    assert Easel(FakeProviderAccess(f" {KEY}\n")).api_key == KEY
    assert not Easel(FakeProviderAccess(" \n")).is_configured
