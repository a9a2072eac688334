"""Bad input gets a problem document that names node and field; nothing is queued, nothing is stored."""

from collections.abc import Iterator

import pytest
from support.servers import RunningServer, running_server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with running_server(tmp_path_factory.mktemp("root")) as running:
        yield running


def edge(source: str, output: str, destination: str, field: str) -> dict[str, object]:
    return {"source": {"node_id": source, "field": output}, "destination": {"node_id": destination, "field": field}}


def graph(*edges: dict[str, object], **nodes: dict[str, object]) -> dict[str, object]:
    return {"nodes": nodes, "edges": list(edges)}


NO_MODEL = {"key": "nope", "hash": "", "name": "", "base": "sd-1", "type": "main"}

#: A graph, and what its problem must name: node, field, and a word of the message.
BAD_GRAPHS = {
    "an unknown node type": (graph(a={"type": "integr"}), "a", None, "integer"),
    "an unknown field": (graph(a={"type": "integer", "valeu": 3}), "a", "valeu", "value"),
    "a missing required field": (graph(a={"type": "img_resize"}), "a", "image", "image"),
    "a value of the wrong type": (graph(a={"type": "integer", "value": "three"}), "a", "value", "integer"),
    "a value out of bounds": (
        graph(edge("b", "image", "a", "image"), b={"type": "blank_image"}, a={"type": "img_resize", "width": 0}),
        "a",
        "width",
        "greater than 0",
    ),
    "a cycle": (
        graph(edge("a", "value", "b", "a"), edge("b", "value", "a", "a"), a={"type": "add"}, b={"type": "add"}),
        "a",
        None,
        "a → b → a",
    ),
    "an edge between types that do not fit": (
        graph(edge("a", "value", "b", "image"), a={"type": "integer"}, b={"type": "img_resize"}),
        "b",
        "image",
        "ImageField",
    ),
    "an edge from nowhere": (graph(edge("x", "value", "b", "a"), b={"type": "add"}), "x", None, "x"),
    "an image that is not there": (
        graph(a={"type": "image", "image": {"image_name": "no.png"}}),
        "a",
        "image",
        "no.png",
    ),
    "a model that is not there": (graph(a={"type": "model_identifier", "model": NO_MODEL}), "a", "model", "nope"),
}


@pytest.mark.parametrize("what", BAD_GRAPHS)
def test_a_graph_that_cannot_run_is_refused_and_nothing_is_queued(server: RunningServer, what: str) -> None:
    document, node_id, field, hint = BAD_GRAPHS[what]
    with server.client() as client:
        answer = client.post("/api/v1/queue/default/enqueue_batch", json={"batch": {"graph": document, "runs": 1}})
        assert answer.status_code == 422
        assert answer.headers["content-type"] == "application/problem+json"
        problem = answer.json()
        assert {"type", "title", "status", "detail", "errors"} <= problem.keys()
        about = [error for error in problem["errors"] if error["node_id"] == node_id]
        assert about, problem
        if field is not None:
            assert field in {error["field"] for error in about}
        assert any(hint in error["message"] for error in about), about
        assert client.get("/api/v1/queue/default/status").json()["queue"]["total"] == 0


def test_a_batch_whose_items_do_not_fit_is_refused(server: RunningServer) -> None:
    document = graph(a={"type": "integer"})
    with server.client() as client:
        for data in (
            [[{"node_path": "a", "field_name": "value", "items": [1, "two"]}]],
            [[{"node_path": "b", "field_name": "value", "items": [1]}]],
            [[{"node_path": "a", "field_name": "valu", "items": [1]}]],
        ):
            answer = client.post(
                "/api/v1/queue/default/enqueue_batch", json={"batch": {"graph": document, "runs": 1, "data": data}}
            )
            assert answer.status_code == 422, answer.text
            assert answer.json()["errors"][0]["node_id"] == data[0][0]["node_path"]
        assert client.get("/api/v1/queue/default/status").json()["queue"]["total"] == 0


@pytest.mark.parametrize(
    "body", [b"{", b'"graph"', b"[]", b"", b"\xff\xfe", b'{"batch": 3}', b'{"batch": {"graph": []}}']
)
def test_malformed_json_is_a_problem_document(server: RunningServer, body: bytes) -> None:
    with server.client() as client:
        answer = client.post(
            "/api/v1/queue/default/enqueue_batch", content=body, headers={"content-type": "application/json"}
        )
    assert 400 <= answer.status_code < 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == answer.status_code


@pytest.mark.parametrize("data", [b"", b"not a picture", b"\x89PNG\r\n\x1a\n" + b"\0" * 40])
def test_an_upload_that_is_no_image_stores_nothing(server: RunningServer, data: bytes) -> None:
    files_before = sorted(path for path in (server.root / "images").rglob("*") if path.is_file())
    with server.client() as client:
        before = client.get("/api/v1/images/names").json()
        answer = client.post(
            "/api/v1/images/upload",
            params={"image_category": "user", "is_intermediate": False},
            files={"file": ("x.png", data, "image/png")},
        )
        assert 400 <= answer.status_code < 500
        assert answer.headers["content-type"] == "application/problem+json"
        assert client.get("/api/v1/images/names").json() == before
    assert sorted(path for path in (server.root / "images").rglob("*") if path.is_file()) == files_before
