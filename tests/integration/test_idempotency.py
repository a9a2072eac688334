"""Whatever creates something takes an Idempotency-Key, and a request that is sent twice creates one thing."""

import io
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import httpx
import pytest
from PIL import Image
from support.batches import a_graph
from support.http_servers import HttpServer, http_server
from support.workflows import invocation, workflow

from impasto_sdk.ids import new_id

QUEUE = "/api/v1/queue/default"
REPLAYED = "idempotency-replayed"
#: What leads to the created thing, in the answer of each route that creates one.
CREATED = {
    "upload_image": "image_name",
    "create_workflow": "workflow_id",
    "register_model": "key",
    "enqueue_batch": "item_ids",
    "enqueue_workflow": "item_ids",
    "enqueue_panel": "item_ids",
    "retry_items_by_id": "retried_item_ids",
}
#: Where things are that a person can delete, and that a repeated request then cannot give.
DELETABLE = {
    "upload_image": "/api/v1/images/i/",
    "create_workflow": "/api/v1/workflows/i/",
    "register_model": "/api/v2/models/i/",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpServer]:
    with http_server(tmp_path_factory.mktemp("root")) as running:
        yield running


def picture(red: int = 200) -> bytes:
    data = io.BytesIO()
    Image.new("RGB", (8, 8), (red, 30, 30)).save(data, "PNG")
    return data.getvalue()


@pytest.fixture
def requests(server: HttpServer, tmp_path: Path) -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    """For each route that creates something, a request and another one, as `httpx.Client.request` takes them."""
    weights = tmp_path / "weights"
    [starter] = [found.value for found in server.app.host.contributions.starter_models]
    shutil.copytree(starter.source, weights)
    document = workflow([invocation("a", "add")])
    saved = server.app.workflows.create(document).workflow_id
    values = {"prompt": "a red star", "model": {"key": starter.id}}
    enqueued = server.client.post(f"{QUEUE}/enqueue_batch", json={"batch": {"graph": a_graph(), "runs": 2}}).json()
    first, second = enqueued["item_ids"]
    for item_id in (first, second):
        server.client.put(f"{QUEUE}/i/{item_id}/cancel").raise_for_status()

    def posts(url: str, *bodies: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        one, other = ({"method": "POST", "url": url, "json": body} for body in bodies)
        return one, other

    upload = {"method": "POST", "url": "/api/v1/images/upload"}
    retry = {"method": "PUT", "url": f"{QUEUE}/retry_items_by_id"}
    return {
        "upload_image": (
            {**upload, "files": {"file": ("a.png", picture(200))}},
            {**upload, "files": {"file": ("a.png", picture(100))}},
        ),
        "create_workflow": posts("/api/v1/workflows/", {"workflow": document}, {"workflow": {**document, "name": "B"}}),
        "register_model": posts("/api/v2/models/", {"path": str(weights)}, {"path": str(weights), "name": "Mine"}),
        "enqueue_batch": posts(
            f"{QUEUE}/enqueue_batch", {"batch": {"graph": a_graph()}}, {"batch": {"graph": a_graph(), "runs": 2}}
        ),
        "enqueue_workflow": posts(
            f"{QUEUE}/enqueue_workflow", {"workflow_id": saved}, {"workflow_id": saved, "runs": 2}
        ),
        "enqueue_panel": posts(
            "/api/v1/panels/sd.text_to_image/enqueue", {"values": values}, {"values": values, "runs": 2}
        ),
        "retry_items_by_id": ({**retry, "json": [first]}, {**retry, "json": [second]}),
    }


def send(server: HttpServer, request: dict[str, Any], key: str | None) -> httpx.Response:
    return server.client.request(**request, headers={} if key is None else {"Idempotency-Key": key})


def operations(server: HttpServer) -> Iterator[dict[str, Any]]:
    document = server.client.get("/openapi.json").json()
    for methods in document["paths"].values():
        yield from methods.values()


def takes_keys(operation: dict[str, Any]) -> bool:
    return any(parameter["name"] == "Idempotency-Key" for parameter in operation.get("parameters", ()))


def test_every_route_that_creates_something_takes_a_key_and_is_tested_here(server: HttpServer) -> None:
    creating = {operation["operationId"] for operation in operations(server) if "201" in operation["responses"]}
    taking = {operation["operationId"] for operation in operations(server) if takes_keys(operation)}

    assert creating <= taking
    assert taking == CREATED.keys()


def test_routes_that_take_a_key_say_what_a_repeated_answer_looks_like(server: HttpServer) -> None:
    for operation in filter(takes_keys, operations(server)):
        [answer] = [answer for status, answer in operation["responses"].items() if status.startswith("2")]
        assert answer["headers"].keys() == {"Idempotency-Replayed"}, operation["operationId"]


@pytest.mark.parametrize("name", CREATED)
def test_a_repeated_request_gives_what_the_first_one_created(
    server: HttpServer, requests: dict[str, Any], name: str
) -> None:
    key = new_id()
    request, _ = requests[name]

    first, again = send(server, request, key), send(server, request, key)

    assert first.status_code == again.status_code == (200 if name == "retry_items_by_id" else 201), first.text
    assert REPLAYED not in first.headers
    assert again.headers[REPLAYED] == "true"
    assert first.json()[CREATED[name]] == again.json()[CREATED[name]]


@pytest.mark.parametrize("name", sorted(CREATED.keys() - {"register_model", "retry_items_by_id"}))
def test_without_a_key_the_same_request_creates_another_thing(
    server: HttpServer, requests: dict[str, Any], name: str
) -> None:
    request, _ = requests[name]

    first, second = send(server, request, None), send(server, request, None)

    assert first.json()[CREATED[name]] != second.json()[CREATED[name]]
    assert REPLAYED not in second.headers


@pytest.mark.parametrize("name", CREATED)
def test_a_key_that_was_used_for_another_request_is_refused(
    server: HttpServer, requests: dict[str, Any], name: str
) -> None:
    key = new_id()
    request, other = requests[name]
    assert send(server, request, key).is_success

    refused = server.problem(send(server, other, key), 422)

    assert refused["type"] == "urn:impasto:problem:idempotency-key-was-used"
    assert refused["detail"].startswith(f"idempotency key '{key}' was used for another ")
    assert refused["detail"].endswith("use a fresh one")
    assert [(error["field"], error["found"]) for error in refused["errors"]] == [("Idempotency-Key", key)]


@pytest.mark.parametrize("name", CREATED)
def test_a_request_that_is_sent_many_times_at_once_creates_one_thing(
    server: HttpServer, requests: dict[str, Any], name: str
) -> None:
    key, at_once = new_id(), Barrier(6)
    request, _ = requests[name]

    def create(_: int) -> httpx.Response:
        at_once.wait()
        return send(server, request, key)

    with ThreadPoolExecutor(6) as clients:
        answers = list(clients.map(create, range(6)))

    assert [answer.text for answer in answers if not answer.is_success] == []
    assert len({str(answer.json()[CREATED[name]]) for answer in answers}) == 1
    assert sorted(answer.headers.get(REPLAYED, "") for answer in answers) == ["", *["true"] * 5]


@pytest.mark.parametrize("name", CREATED)
@pytest.mark.parametrize("key", [b"", b"k" * 256, "schlüssel".encode("latin-1"), b"a\tb"])
def test_a_key_that_is_none_is_refused_by_name(
    server: HttpServer, requests: dict[str, Any], name: str, key: bytes
) -> None:
    request, _ = requests[name]

    answer = server.client.request(**request, headers=[(b"Idempotency-Key", key)])

    assert [error["field"] for error in server.problem(answer, 422)["errors"]] == ["Idempotency-Key"]


def test_any_printable_key_will_do(server: HttpServer, requests: dict[str, Any]) -> None:
    request, _ = requests["create_workflow"]
    for key in ("k", "k" * 255, '"8e03978e-40d5-43dd-bc93-6894a57f9324"', "a b ~!"):
        assert send(server, request, key).status_code == 201
        assert send(server, request, key).headers[REPLAYED] == "true"


def test_one_key_may_create_one_thing_of_each_kind(server: HttpServer, requests: dict[str, Any]) -> None:
    key = new_id()

    answers = [send(server, request, key) for request, _ in requests.values() if "panels" not in request["url"]]

    batch, run = 3, 4  # which are of one kind: batches of one queue
    assert [answer.status_code for answer in answers[:batch]] == [201] * 3
    assert [answers[batch].status_code, answers[run].status_code] == [201, 422]


@pytest.mark.parametrize("name", DELETABLE)
def test_what_was_deleted_is_neither_given_nor_created_again(
    server: HttpServer, requests: dict[str, Any], name: str
) -> None:
    key = new_id()
    request, _ = requests[name]
    created = send(server, request, key).json()[CREATED[name]]
    server.client.delete(DELETABLE[name] + created).raise_for_status()

    gone = server.problem(send(server, request, key), 409)

    assert gone["type"] == "urn:impasto:problem:creation-is-gone"
    assert created in gone["detail"]
    assert "use a fresh key" in gone["detail"]
    assert send(server, request, new_id()).status_code == 201


def test_a_repeated_upload_leaves_no_second_file_and_shows_the_image_as_it_is_now(
    server: HttpServer, requests: dict[str, Any]
) -> None:
    key = new_id()
    request, _ = requests["upload_image"]
    image = send(server, request, key).json()
    server.client.patch(f"/api/v1/images/i/{image['image_name']}", json={"starred": True}).raise_for_status()
    before = pictures_of(server)

    again = send(server, {**request, "url": "/api/v1/images/uploads"}, key)

    assert again.json()["starred"] is True
    assert pictures_of(server) == before


def test_uploads_at_once_leave_one_file(server: HttpServer, requests: dict[str, Any]) -> None:
    key, at_once, before = new_id(), Barrier(6), pictures_of(server)
    request, _ = requests["upload_image"]

    def create(_: int) -> str:
        at_once.wait()
        return str(send(server, request, key).json()["image_name"])

    with ThreadPoolExecutor(6) as clients:
        [name] = set(clients.map(create, range(6)))

    assert pictures_of(server) - before == {name}


@pytest.mark.parametrize(
    "changed",
    [{"params": {"is_intermediate": True}}, {"params": {"board_id": "b"}}, {"data": {"metadata": '{"a": 1}'}}],
)
def test_an_upload_of_the_same_bytes_with_other_facts_is_another_one(
    server: HttpServer, requests: dict[str, Any], changed: dict[str, Any]
) -> None:
    key = new_id()
    request, _ = requests["upload_image"]
    assert send(server, request, key).status_code == 201

    server.problem(send(server, {**request, **changed}, key), 422)


def test_weights_that_were_registered_before_are_remembered_under_the_key_too(
    server: HttpServer, requests: dict[str, Any]
) -> None:
    request, named = requests["register_model"]
    record = send(server, request, None).json()
    key = new_id()

    first = send(server, named, key)
    shutil.rmtree(request["json"]["path"])
    again = send(server, named, key)

    assert first.json()["key"] == again.json()["key"] == record["key"]
    assert REPLAYED not in first.headers
    assert again.headers[REPLAYED] == "true"


def test_what_was_enqueued_is_told_again_whatever_became_of_what_it_was_made_of(
    server: HttpServer, requests: dict[str, Any]
) -> None:
    key = new_id()
    request, _ = requests["enqueue_workflow"]
    first = send(server, request, key)
    server.client.delete(f"/api/v1/workflows/i/{request['json']['workflow_id']}").raise_for_status()

    again = send(server, request, key)

    assert again.headers[REPLAYED] == "true"
    assert again.json() == first.json()
    server.problem(send(server, request, new_id()), 404)


def test_a_request_that_failed_uses_no_key_up(server: HttpServer) -> None:
    key, upload = new_id(), {"method": "POST", "url": "/api/v1/images/upload"}
    server.problem(send(server, {**upload, "files": {"file": ("a.png", b"no picture")}}, key), 415)

    assert send(server, {**upload, "files": {"file": ("a.png", picture())}}, key).status_code == 201


def test_keys_are_remembered_over_a_restart(tmp_path: Path) -> None:
    request = {"method": "POST", "url": "/api/v1/images/upload", "files": {"file": ("a.png", picture())}}
    with http_server(tmp_path) as server:
        first = send(server, request, "k").json()
    with http_server(tmp_path) as server:
        again = send(server, request, "k")

    assert again.json() == first
    assert again.headers[REPLAYED] == "true"


def test_pages_of_other_origins_may_read_that_an_answer_was_repeated(tmp_path: Path) -> None:
    origin = "https://gallery.example"
    with http_server(tmp_path, allow_origins=[origin]) as server:
        answer = server.client.get("/health", headers={"Origin": origin})

    assert "Idempotency-Replayed" in answer.headers["access-control-expose-headers"]


def pictures_of(server: HttpServer) -> set[str]:
    """The files of all images, without their thumbnails."""
    folder = server.app.settings.images_folder
    return {path.name for path in folder.rglob("*.png") if path.is_file()}
