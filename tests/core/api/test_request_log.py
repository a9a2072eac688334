"""Every request has an id, which its answer and the log name, and a line at debug that quotes nobody."""

import logging
from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from impasto.api.guards import UnexpectedErrors
from impasto.api.request_log import REQUEST_ID_HEADER, RequestLog
from impasto.engine.log_fields import fields_of, request_id

logger = logging.getLogger("impasto.test")


@pytest.fixture
def client() -> Iterator[TestClient]:
    api = FastAPI()

    @api.get("/plain/{name}")
    def plain(name: str) -> str | None:
        logger.warning("working")  # on a thread of the pool, as most routes
        return request_id.get()

    @api.get("/broken")
    async def broken() -> None:
        raise RuntimeError("oh")

    api.add_middleware(UnexpectedErrors)
    api.add_middleware(RequestLog)
    with TestClient(api) as client:
        yield client


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG, "impasto")
    return caplog


def test_a_request_is_given_an_id_that_its_answer_names(client: TestClient) -> None:
    first, second = client.get("/plain/a"), client.get("/plain/a")
    assert first.headers[REQUEST_ID_HEADER] == first.json()
    assert len(first.json()) == 32
    assert first.json() != second.json()


@pytest.mark.parametrize("chosen", ["r-1", "9f1c/7:a_b.c=", "x" * 128])
def test_a_client_may_choose_the_id(client: TestClient, chosen: str) -> None:
    answer = client.get("/plain/a", headers={REQUEST_ID_HEADER: chosen})
    assert (answer.headers[REQUEST_ID_HEADER], answer.json()) == (chosen, chosen)


@pytest.mark.parametrize("chosen", ["", "x" * 129, "two words", 'a"quote', "tab\there", "é".encode().decode("latin-1")])
def test_an_id_that_could_harm_a_log_gives_way_to_one_of_ours(client: TestClient, chosen: str) -> None:
    answer = client.get("/plain/a", headers={REQUEST_ID_HEADER: chosen.encode("latin-1")})
    assert answer.headers[REQUEST_ID_HEADER] != chosen
    assert len(answer.headers[REQUEST_ID_HEADER]) == 32


def test_the_line_of_a_request_has_method_path_status_and_time_and_no_query(
    client: TestClient, log: pytest.LogCaptureFixture
) -> None:
    client.get("/plain/a%0Ab?search=a+secret+wish", headers={REQUEST_ID_HEADER: "r-1"})
    (line,) = [record for record in log.records if record.name == "impasto.api.request_log"]
    text = line.getMessage()
    assert text.startswith("GET /plain/a%0Ab: 200 in ")
    assert text.endswith(" ms")
    assert line.levelno == logging.DEBUG


def test_lines_of_a_request_are_logged_under_its_id(client: TestClient) -> None:
    seen: list[dict[str, object]] = []
    handler = logging.Handler()
    handler.emit = lambda record: seen.append(fields_of(record))  # type: ignore[method-assign]
    logger.addHandler(handler)
    try:
        client.get("/plain/a", headers={REQUEST_ID_HEADER: "r-1"})
    finally:
        logger.removeHandler(handler)
    assert seen == [{"request_id": "r-1"}]
    assert request_id.get() is None


def test_a_mistake_of_ours_is_answered_and_logged_under_the_id_of_its_request(
    client: TestClient, log: pytest.LogCaptureFixture
) -> None:
    answer = client.get("/broken", headers={REQUEST_ID_HEADER: "r-1"})
    assert answer.status_code == 500
    assert answer.headers[REQUEST_ID_HEADER] == "r-1"
    assert answer.json()["detail"].endswith("under error r-1")
    assert [r.getMessage() for r in log.records if r.exc_info] == ["error r-1: GET /broken failed"]
