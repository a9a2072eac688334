"""What stands before every request: foreign origins, bodies that are too large, mistakes of ours."""

from collections.abc import Iterator

import pytest
from fastapi import FastAPI, Request, WebSocket
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from impasto.api.guards import BodyLimit, OriginGuard, UnexpectedErrors
from impasto.api.problem_handlers import install_problem_handlers

LIMIT = 100


@pytest.fixture
def client() -> TestClient:
    api = FastAPI()
    install_problem_handlers(api)

    @api.post("/size")
    async def measure(request: Request) -> int:
        return len(await request.body())

    @api.get("/broken")
    def break_down() -> None:
        raise RuntimeError("the password is hunter2")

    @api.websocket("/socket")
    async def greet(socket: WebSocket) -> None:
        await socket.accept()
        await socket.send_text("hello")

    api.add_middleware(BodyLimit, limit=LIMIT)
    api.add_middleware(OriginGuard, allowed=["https://gallery.example"])
    api.add_middleware(UnexpectedErrors)
    return TestClient(api, base_url="http://127.0.0.1:9090")


def test_a_body_within_the_limit_passes(client: TestClient) -> None:
    assert client.post("/size", content=b"x" * LIMIT).json() == LIMIT


def test_a_body_that_announces_too_much_is_refused(client: TestClient) -> None:
    answer = client.post("/size", content=b"x" * (LIMIT + 1))

    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"
    assert "`max_upload_bytes`" in answer.json()["detail"]


def test_a_body_that_announces_nothing_is_counted_while_it_is_read(client: TestClient) -> None:
    sent = 0

    def parts() -> Iterator[bytes]:
        nonlocal sent
        while sent < 1000:
            sent += 40
            yield b"x" * 40

    answer = client.post("/size", content=parts())

    assert answer.status_code == 413
    assert answer.json()["title"] == "Too large"


def test_an_unexpected_error_is_answered_without_its_words_and_logged_under_the_id_that_is_answered(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    answer = client.get("/broken")

    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "hunter2" not in answer.text
    error_id = answer.json()["detail"].rpartition(" ")[2]
    [record] = [record for record in caplog.records if error_id in record.getMessage()]
    assert "GET /broken" in record.getMessage()
    assert record.exc_info is not None
    assert "hunter2" in str(record.exc_info[1])


@pytest.mark.parametrize("origin", ["https://evil.example", "http://127.0.0.1:9091", "null"])
def test_a_page_of_another_origin_may_change_nothing(client: TestClient, origin: str) -> None:
    answer = client.post("/size", content=b"x", headers={"origin": origin})

    assert answer.status_code == 403
    assert "`allow_origins`" in answer.json()["detail"]


@pytest.mark.parametrize("origin", ["http://127.0.0.1:9090", "https://gallery.example"])
def test_our_own_pages_and_allowed_ones_may(client: TestClient, origin: str) -> None:
    assert client.post("/size", content=b"x", headers={"origin": origin}).status_code == 200


def test_programs_that_send_no_origin_may(client: TestClient) -> None:
    assert client.post("/size", content=b"x").status_code == 200
    with client.websocket_connect("/socket") as socket:
        assert socket.receive_text() == "hello"


def test_a_page_of_another_origin_opens_no_socket(client: TestClient) -> None:
    with (
        pytest.raises(WebSocketDisconnect) as refused,
        client.websocket_connect("/socket", headers={"origin": "https://evil.example"}),
    ):
        pass
    assert refused.value.code == 1008
