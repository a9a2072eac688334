"""What the server offers at large: pages, the description of itself, plugins, nodes, health, and no surprise paths."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.http_servers import HttpServer, http_server

import impasto


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpServer]:
    with http_server(tmp_path_factory.mktemp("root")) as running:
        yield running


@pytest.fixture(scope="module")
def openapi(server: HttpServer) -> dict[str, Any]:
    document: dict[str, Any] = server.client.get("/openapi.json").raise_for_status().json()
    return document


def operations(openapi: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in openapi["paths"].items():
        for method, operation in methods.items():
            yield f"{method} {path}", operation


def test_every_operation_has_a_readable_name_of_its_own(openapi: dict[str, Any]) -> None:
    names = [operation["operationId"] for _, operation in operations(openapi)]

    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", name) for name in names), names


def test_every_operation_is_described_tagged_and_says_what_it_answers(openapi: dict[str, Any]) -> None:
    tags = {tag["name"] for tag in openapi["tags"]}
    for where, operation in operations(openapi):
        assert operation["summary"], where
        assert operation["description"], where
        assert set(operation["tags"]) <= tags, where
        [success] = [answer for status, answer in operation["responses"].items() if status.startswith("2")]
        assert success.get("content") or where.startswith("delete"), where


def test_every_error_in_the_description_is_a_problem_document(openapi: dict[str, Any]) -> None:
    for where, operation in operations(openapi):
        errors = {status: answer for status, answer in operation["responses"].items() if status[0] in "45"}
        assert "500" in errors, where
        for status, answer in errors.items():
            if (where, status) == ("get /health/ready", "503"):
                continue  # an answer, not an error
            assert list(answer["content"]) == ["application/problem+json"], (where, status)
    assert "HTTPValidationError" not in openapi["components"]["schemas"]


def test_errors_from_before_the_routes_are_described_wherever_they_may_come(openapi: dict[str, Any]) -> None:
    for where, operation in operations(openapi):
        expected = {"500"}
        if not where.startswith("get "):
            expected.add("403")  # a page of another origin
        if "parameters" in operation:
            expected.add("422")
        if "requestBody" in operation:
            expected |= {"400", "413", "415", "422"}
        if "{" in where:
            expected.add("404")  # a slash in a name makes another path of it
        assert expected <= operation["responses"].keys(), where


def test_what_travels_as_text_is_never_null(openapi: dict[str, Any]) -> None:
    for where, operation in operations(openapi):
        for parameter in operation.get("parameters", ()):
            assert parameter["description"], (where, parameter["name"])
            assert {"type": "null"} not in parameter["schema"].get("anyOf", ()), (where, parameter["name"])
    upload = openapi["components"]["schemas"]["Body_upload_image"]["properties"]
    assert upload["metadata"]["type"] == "string"


def test_who_meets_a_full_queue_is_told_when_to_come_back(openapi: dict[str, Any]) -> None:
    full = [operation["responses"]["429"] for _, operation in operations(openapi) if "429" in operation["responses"]]

    assert full
    assert all(answer["headers"]["Retry-After"]["schema"]["type"] == "integer" for answer in full)


def test_bounds_of_numbers_are_told_exactly(openapi: dict[str, Any]) -> None:
    def bounds(part: Any) -> Iterator[float]:
        if isinstance(part, dict):
            yield from (part[name] for name in ("minimum", "maximum") if isinstance(part.get(name), int | float))
            for value in part.values():
                yield from bounds(value)
        elif isinstance(part, list):
            for value in part:
                yield from bounds(value)

    assert all(abs(bound) < 2**53 for bound in bounds(openapi))


def test_the_socket_of_events_is_described_in_words(openapi: dict[str, Any]) -> None:
    [events] = [tag["description"] for tag in openapi["tags"] if tag["name"] == "events"]

    assert "`/api/v1/events/ws`" in events


def test_every_reference_in_the_description_leads_somewhere(openapi: dict[str, Any]) -> None:
    def references(part: Any) -> Iterator[str]:
        if isinstance(part, dict):
            if isinstance(part.get("$ref"), str):
                yield part["$ref"]
            for value in part.values():
                yield from references(value)
        elif isinstance(part, list):
            for value in part:
                yield from references(value)

    known = {f"#/components/schemas/{name}" for name in openapi["components"]["schemas"]}
    assert set(references(openapi)) <= known


@pytest.mark.parametrize(
    "path", ["/api/v1/nodes", "/api/v1/panels", "/api/v1/plugins", "/api/v1/images", "/api/v2/models"]
)
def test_both_forms_of_a_path_that_ends_in_a_slash_answer_without_a_redirect(server: HttpServer, path: str) -> None:
    assert server.client.get(path).status_code == 200
    assert server.client.get(path + "/").status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/ws",
        "/ws/socket.io",
        "/sdapi/v1/options",
        "/prompt",
        "/queue",
        "/history",
        "/view",
        "/object_info",
    ],
)
@pytest.mark.parametrize("prefix", ["", "/api"])
def test_names_of_other_programs_are_left_free(server: HttpServer, prefix: str, path: str) -> None:
    server.problem(server.client.get(prefix + path, headers={"accept": "text/html"}), 404)


def test_a_name_that_a_plugin_has_taken_is_free_without_it(server: HttpServer, tmp_path: Path) -> None:
    assert server.client.get("/v1/models").json()["object"] == "list"
    with http_server(tmp_path, disabled_plugins=["impasto-openai-server"]) as without:
        without.problem(without.client.get("/v1/models"), 404)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/api/v1/images/i/x.png", "DELETE, GET, PATCH"),
        ("POST", "/api/v1/images/i/x.png/full", "GET, HEAD"),
        ("DELETE", "/api/v2/models", "GET, POST"),
        ("POST", "/docs", "GET, HEAD"),
    ],
)
def test_a_method_that_a_path_does_not_take_is_told_with_all_that_it_takes(
    server: HttpServer, method: str, path: str, allowed: str
) -> None:
    answer = server.client.request(method, path)

    assert allowed in server.problem(answer, 405)["detail"]
    assert answer.headers["allow"] == allowed


def test_the_version_has_highlights_that_are_null(server: HttpServer) -> None:
    answer = server.client.get("/api/v1/app/version").json()

    assert answer["version"] == impasto.__version__
    assert answer["highlights"] is None


def test_the_page_at_the_root_says_what_runs_here(server: HttpServer) -> None:
    answer = server.client.get("/")

    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    for said in (impasto.__version__, "impasto-primitives", "No worker has started yet", 'href="/docs"'):
        assert said in answer.text


def test_the_docs_describe_the_routes_and_load_nothing(server: HttpServer, openapi: dict[str, Any]) -> None:
    answer = server.client.get("/docs")

    for path in openapi["paths"]:
        assert path in answer.text
    assert not re.search(r"(src|href)=\"(https?:)?//", answer.text)
    assert "<script" not in answer.text


def test_a_server_without_workers_is_alive_and_not_ready(server: HttpServer) -> None:
    assert server.client.get("/health").json() == {"status": "ok"}
    assert server.client.get("/health/live").status_code == 200
    assert server.client.get("/api/v1/health").status_code == 200
    ready = server.client.get("/health/ready")
    assert ready.status_code == 503
    assert "is stopped" in ready.json()["reasons"][0]


def test_the_catalogue_is_sent_once_and_confirmed_afterwards(server: HttpServer) -> None:
    first = server.client.get("/api/v1/nodes")
    again = server.client.get("/api/v1/nodes", headers={"if-none-match": first.headers["etag"]})

    assert (again.status_code, again.content) == (304, b"")
    nodes = {node["type"]: node for node in first.json()["nodes"]}
    assert nodes["add"]["plugin"]["name"] == "impasto-primitives"
    assert nodes["add"]["input_schema"]["properties"]["a"]["type"] == "integer"
    assert server.client.get("/api/v1/nodes/add").json() == nodes["add"]


def test_an_unknown_node_type_is_told_with_the_one_that_was_meant(server: HttpServer) -> None:
    assert "'add'" in server.problem(server.client.get("/api/v1/nodes/addd"), 404)["detail"]


def test_panels_are_sent_once_and_confirmed_afterwards(server: HttpServer) -> None:
    first = server.client.get("/api/v1/panels")
    again = server.client.get("/api/v1/panels", headers={"if-none-match": f'"x", W/{first.headers["etag"]}'})

    assert first.headers["etag"] == f'"{first.json()["revision"]}"'
    assert (again.status_code, again.content) == (304, b"")


def test_plugins_say_what_became_of_them(server: HttpServer) -> None:
    answer = server.client.get("/api/v1/plugins").json()

    by_name = {plugin["name"]: plugin for plugin in answer["plugins"]}
    assert by_name["impasto-primitives"]["state"] == "active"
    assert "add" in by_name["impasto-primitives"]["contributions"]["invocations"]
    assert server.client.get("/api/v1/plugins/impasto-sd").json() == by_name["impasto-sd"]
    assert "impasto-sd" in server.problem(server.client.get("/api/v1/plugins/impasto-s"), 404)["detail"]


def test_models_are_listed_whole_with_what_foreign_clients_read(server: HttpServer) -> None:
    models = server.client.get("/api/v2/models/").json()["models"]

    for model in models:
        assert model["hash"]
        assert isinstance(model["description"], str)
        assert {"variant", "prediction_type", "default_settings", "trigger_phrases", "cover_image"} <= model.keys()
        assert server.client.get(f"/api/v2/models/i/{model['key']}").json() == model
    assert server.client.get("/api/v2/models/", params={"model_type": "nothing"}).json() == {"models": []}


def test_the_starter_model_is_offered_and_installed(server: HttpServer) -> None:
    offers = server.client.get("/api/v2/models/starter_models").json()["starter_models"]

    [offer] = [offer for offer in offers if offer["plugin"] == "impasto-starter"]
    assert offer["is_installed"] is True


@pytest.mark.parametrize(
    ("path", "said"), [("/no/such/folder", "/no/such/folder"), ("relative", "path"), ("/a\0b", "path")]
)
def test_a_model_that_is_not_there_cannot_be_registered(server: HttpServer, path: str, said: str) -> None:
    answer = server.client.post("/api/v2/models/", json={"path": path})

    assert said in server.problem(answer, 422)["detail"]


def test_an_unknown_model_is_not_found(server: HttpServer) -> None:
    for method in ("GET", "PATCH", "DELETE"):
        body = {} if method == "PATCH" else None
        server.problem(server.client.request(method, "/api/v2/models/i/nope", json=body), 404)


def test_pages_of_allowed_origins_may_call_and_read_and_others_may_not(tmp_path: Path) -> None:
    friend, stranger = "https://gallery.example", "https://evil.example"
    with http_server(tmp_path, allow_origins=[friend]) as server:
        for path, status in (("/api/v1/app/version", 200), ("/api/v1/queue/default/i/7", 404)):
            answer = server.client.get(path, headers={"origin": friend})
            assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (status, friend)
            assert "access-control-allow-origin" not in server.client.get(path, headers={"origin": stranger}).headers
        clear = "/api/v1/queue/default/clear"
        assert server.client.put(clear, headers={"origin": friend}).status_code == 200
        server.problem(server.client.put(clear, headers={"origin": stranger}), 403)
