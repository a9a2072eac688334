"""Every error leaves the API as a problem document that says what, where and how to mend it."""

import json
from typing import Any

import pytest
from fastapi import FastAPI, UploadFile
from pydantic import BaseModel, Field, field_validator
from starlette.testclient import TestClient

from impasto.api.problem_handlers import install_problem_handlers
from impasto.api.problems import problem_of
from impasto.api.router import Router
from impasto.errors import (
    BatchError,
    BatchNotFoundError,
    CoreError,
    CreationGoneError,
    CyclicalGraphError,
    GraphValidationError,
    IdempotencyKeyError,
    Problem,
    QueueFullError,
    QueueItemNotFoundError,
    StorageError,
    StorageUnavailableError,
    UnreadableImageError,
)
from impasto_sdk.errors import (
    EnqueueRefusedError,
    ImageNotFoundError,
    ImpastoError,
    ModelNotFoundError,
    PanelProblem,
    PanelValuesError,
)


class Size(BaseModel):
    width: int = Field(ge=1)
    height: int = Field(ge=1)


class Body(BaseModel):
    size: Size
    names: list[str] = Field(default_factory=list)

    @field_validator("names")
    @classmethod
    def _no_name_twice(cls, names: list[str]) -> list[str]:
        if len(set(names)) < len(names):
            raise ValueError("Give each name once")
        return names


@pytest.fixture
def client() -> TestClient:
    router = Router("/things", "things")

    @router.post("/")
    def make_thing(body: Body) -> dict[str, Any]:
        return body.model_dump()

    @router.get("/")
    def list_things(limit: int = 10) -> int:
        return limit

    @router.post("/upload")
    def upload_thing(file: UploadFile) -> str:
        return str(file.filename)

    @router.get("/full")
    def ask_full_queue() -> None:
        raise QueueFullError("default", 10, 10, 5, retry_after_s=7)

    @router.get("/disk")
    def ask_full_disk() -> None:
        raise StorageUnavailableError("/data/impasto.db", "written", "database or disk is full")

    @router.get("/cycle")
    def ask_cycle() -> None:
        raise CyclicalGraphError("a cycle", ["a", "b", "a"])

    api = FastAPI(redirect_slashes=False)
    api.include_router(router)
    install_problem_handlers(api)
    return TestClient(api)


def problem_in(answer: Any, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    document = answer.json()
    assert document.keys() == {"type", "title", "status", "detail", "errors"}
    assert document["status"] == status
    assert document["type"].startswith("urn:impasto:problem:")
    return dict(document)


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (BatchError("too few items", node_id="a", field="seed"), 422, "too few items"),
        (BatchNotFoundError("default", "b1"), 404, "'b1'"),
        (QueueItemNotFoundError("default", 7), 404, "no item 7"),
        (QueueFullError("default", 10, 10, 5), 429, "`max_queue_size`"),
        (IdempotencyKeyError("k", "image"), 422, "'k' was used for another image"),
        (CreationGoneError("k", "image", "a.png"), 409, "image 'a.png' that was created with idempotency key 'k'"),
        (EnqueueRefusedError("closed on Sundays"), 409, "closed on Sundays"),
        (ImageNotFoundError("x.png"), 404, "no image 'x.png'"),
        (ModelNotFoundError("k"), 404, "no model 'k'"),
        (UnreadableImageError("it is empty"), 415, "PNG, JPEG and WebP"),
    ],
)
def test_what_a_client_caused_has_a_status_below_500(error: ImpastoError, status: int, said: str) -> None:
    document = problem_of(error)

    assert document is not None
    assert document.status == status
    assert said in document.detail


@pytest.mark.parametrize("error", [StorageError("something about a file"), CoreError("something")])
def test_what_a_client_did_not_cause_is_none_of_its_problems(error: ImpastoError) -> None:
    assert problem_of(error) is None


def test_a_full_disk_is_said_and_when_to_come_back(client: TestClient) -> None:
    answer = client.get("/things/disk")
    document = problem_in(answer, 503)
    assert document["detail"] == "/data/impasto.db cannot be written: database or disk is full"
    assert answer.headers["retry-after"] == "30"


def test_every_problem_of_a_graph_is_in_the_document() -> None:
    error = GraphValidationError(
        [
            Problem(
                "unknown_type",
                "no node type 'ad'",
                node_id="a",
                found="ad",
                expected="a node type of the catalogue",
                suggestion="did you mean 'add'?",
            ),
            Problem("cycle", "b and c need each other", nodes=("b", "c", "b")),
        ]
    )

    document = problem_of(error)

    assert document is not None
    assert [(item.code, item.node_id, item.nodes) for item in document.errors] == [
        ("unknown_type", "a", []),
        ("cycle", None, ["b", "c", "b"]),
    ]
    assert document.errors[0].suggestion == "did you mean 'add'?"
    assert (document.errors[0].found, document.errors[0].expected) == ("ad", "a node type of the catalogue")
    assert "and 1 more" in document.detail


@pytest.mark.parametrize(
    ("value", "quoted"),
    [
        (3, 3),
        (None, None),
        ({"a": [1, "ü"]}, {"a": [1, "ü"]}),
        ("x" * 300, "x" * 200 + "…"),
        (list(range(1000)), str(list(range(1000)))[:200] + "…"),
        (float("nan"), "nan"),
        (int, "<class 'int'>"),
    ],
)
def test_what_was_found_is_quoted_as_it_is_while_that_is_short_json(value: Any, quoted: Any) -> None:
    document = problem_of(GraphValidationError([Problem("wrong", "it is wrong", found=value)]))

    assert document is not None
    assert document.errors[0].found == quoted


def test_a_value_that_was_found_leaves_as_json_whatever_it_is(client: TestClient) -> None:
    answer = client.post("/things/", json={"size": {"width": 1, "height": "no"}, "names": [{"k" * 5000: 1}]})

    found = {error["field"]: error["found"] for error in problem_in(answer, 422)["errors"]}
    assert found["size.height"] == "no"
    assert len(found["names.0"]) == 201


def test_a_key_that_was_used_names_itself() -> None:
    document = problem_of(IdempotencyKeyError("k", "image"))

    assert document is not None
    assert (document.status, document.errors[0].field, document.errors[0].found) == (422, "Idempotency-Key", "k")


def test_problems_of_panel_values_are_named_by_path() -> None:
    document = problem_of(PanelValuesError("sd.txt", [PanelProblem("/size/width", "is 3, at least 64")]))

    assert document is not None
    assert [(item.path, item.message) for item in document.errors] == [("/size/width", "is 3, at least 64")]


def test_a_full_queue_says_when_to_try_again(client: TestClient) -> None:
    answer = client.get("/things/full")

    problem_in(answer, 429)
    assert answer.headers["retry-after"] == "7"


def test_an_error_that_a_route_lets_through_becomes_a_document(client: TestClient) -> None:
    assert problem_in(client.get("/things/cycle"), 422)["errors"][0]["node_id"] == "a"


def test_an_unknown_path_is_a_document(client: TestClient) -> None:
    assert "/nowhere" in problem_in(client.get("/nowhere", headers={"accept": "text/html"}), 404)["detail"]


def test_a_wrong_method_is_a_document_that_names_the_right_ones(client: TestClient) -> None:
    answer = client.delete("/things/upload")

    assert "takes POST" in problem_in(answer, 405)["detail"]
    assert answer.headers["allow"] == "POST"


def test_every_field_that_does_not_fit_is_named(client: TestClient) -> None:
    answer = client.post("/things/", json={"size": {"width": 0}, "names": [1]})

    errors = {error["field"]: error for error in problem_in(answer, 422)["errors"]}
    assert errors.keys() == {"size.width", "size.height", "names.0"}
    assert errors["size.width"]["path"] == "/size/width"
    assert "greater than or equal to 1" in errors["size.width"]["message"]
    assert "it is 0" in errors["size.width"]["message"]


def test_a_rule_of_ours_speaks_in_its_own_words(client: TestClient) -> None:
    body = {"size": {"width": 1, "height": 1}, "names": ["a", "a"]}
    [error] = problem_in(client.post("/things/", json=body), 422)["errors"]

    assert error["message"] == "names: give each name once; it is ['a', 'a']"


def test_a_parameter_that_does_not_fit_is_named_with_its_value(client: TestClient) -> None:
    [error] = problem_in(client.get("/things/?limit=many"), 422)["errors"]

    assert error["field"] == "limit"
    assert "'many'" in error["message"]
    assert error["path"] is None


@pytest.mark.parametrize("body", [b"{", b'{"size": NaN}', b'{"names": ["\\ud800"]}', b'{"a": Infinity}', b"\xff\xfe{"])
def test_what_is_no_json_is_malformed_and_not_a_mistake_of_ours(client: TestClient, body: bytes) -> None:
    answer = client.post("/things/", content=body, headers={"content-type": "application/json"})

    problem_in(answer, 400)


@pytest.mark.parametrize("body", [b"[" * 200_000, b"[" * 300 + b"]" * 300])
def test_a_body_nested_too_deeply_is_malformed(client: TestClient, body: bytes) -> None:
    answer = client.post("/things/", content=body, headers={"content-type": "application/json"})

    assert "in one another" in problem_in(answer, 400)["detail"]


@pytest.mark.parametrize(
    ("path", "sent", "wanted"),
    [
        ("/things/", "text/plain", "application/json"),
        ("/things/", "application/x-www-form-urlencoded", "application/json"),
        ("/things/upload", "application/json", "multipart/form-data"),
    ],
)
def test_a_body_of_another_media_type_is_told_which_one_is_taken(
    client: TestClient, path: str, sent: str, wanted: str
) -> None:
    answer = client.post(path, content=json.dumps({"size": 1}), headers={"content-type": sent})

    detail = problem_in(answer, 415)["detail"]
    assert wanted in detail
    assert sent in detail


def test_a_missing_body_is_not_taken_for_a_wrong_media_type(client: TestClient) -> None:
    problem_in(client.post("/things/"), 422)


def test_a_path_that_ends_in_a_slash_is_served_without_it_too_and_documented_once(client: TestClient) -> None:
    assert client.get("/things/").json() == client.get("/things").json() == 10
    answer = client.post("/things", json={"size": {"width": 1, "height": 1}}, follow_redirects=False)
    assert answer.status_code == 200
    assert [path for path in client.get("/openapi.json").json()["paths"] if path.startswith("/things")] == [
        "/things/",
        "/things/upload",
        "/things/full",
        "/things/disk",
        "/things/cycle",
    ]
