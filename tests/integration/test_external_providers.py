"""External providers over HTTP and from the command line, in front of a real server and a service on another port.

What a stranger's provider comes to as a whole is in `test_stranger_provider`; here it is the routes and the commands.
"""

import base64
import io
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image
from support import easel
from support.http_servers import HttpServer, http_server
from support.plugins import make_plugin
from support.servers import wait_for_item
from support.stand_in import Reply, StandIn
from typer.testing import CliRunner

from impasto.app.providers.desk import UNKNOWN_MODEL
from impasto.cli.commands import program
from impasto.cli.failures import status_of
from impasto_sdk.errors import ImpastoError

KEY = "easel-key-0123456789"
ROUTES = "/api/v1/app/external_providers"
OILS = "easel.oils-1"
WITHOUT_TORCH = ["impasto-sd", "impasto-starter"]

#: Easel of the stranger, with a test of its key.
WITH_A_TEST = '''

from impasto_sdk.errors import ProviderRequestError


async def verify(self) -> None:
    """Show the key to the service, which repeats it when it does not like it."""
    from impasto_sdk.providers.http import ProviderHttp

    async with ProviderHttp(self, headers={"authorization": f"Easel {self.api_key}"}) as http:
        await http.get("/me")


Easel.verify = verify
'''


def painting() -> Reply:
    data = io.BytesIO()
    Image.new("RGB", (64, 64), "red").save(data, "PNG")
    return Reply.json({"picture": base64.b64encode(data.getvalue()).decode(), "id": "r-1", "price": 0.04})


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Easel, installed for this process and for those that it starts."""
    folder = tmp_path_factory.mktemp("site")
    source = Path(easel.__file__).read_text("utf-8")
    module = make_plugin(folder, "impasto-easel", source + WITH_A_TEST).stem
    sys.path.insert(0, str(folder))
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(folder), before]))
    yield folder
    sys.path.remove(str(folder))
    sys.modules.pop(module, None)
    if before is None:
        del os.environ["PYTHONPATH"]
    else:
        os.environ["PYTHONPATH"] = before


@pytest.fixture(scope="module")
def service() -> Iterator[StandIn]:
    with StandIn() as service:
        yield service


@pytest.fixture(scope="module")
def running(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpServer]:
    with http_server(tmp_path_factory.mktemp("root"), work=True, disabled_plugins=WITHOUT_TORCH) as server:
        yield server


@pytest.fixture
def server(running: HttpServer) -> Iterator[HttpServer]:
    """The server, without a key before and after the test."""
    yield running
    running.client.delete(f"{ROUTES}/config/easel").raise_for_status()


def of_easel(answer: httpx.Response) -> dict[str, Any]:
    [found] = [one for one in answer.raise_for_status().json() if one["provider_id"] == "easel"]
    return found


def set_up(server: HttpServer, service: StandIn, **more: Any) -> httpx.Response:
    return server.client.post(f"{ROUTES}/config/easel", json={"api_key": KEY, "base_url": service.url, **more})


def model_keys(server: HttpServer) -> set[str]:
    return {model["key"] for model in server.client.get("/api/v2/models/").json()["models"]}


def enqueue(server: HttpServer, **inputs: Any) -> int:
    node = {"type": "easel_image_generation", "model": {"key": OILS}, "prompt": "a boat", **inputs}
    batch = {"graph": {"nodes": {"it": node}, "edges": []}}
    answer = server.client.post("/api/v1/queue/default/enqueue_batch", json={"batch": batch})
    item_id: int = answer.raise_for_status().json()["item_ids"][0]
    return item_id


def test_what_is_set_is_told_in_invokeais_shapes_and_without_the_key(server: HttpServer, service: StandIn) -> None:
    status = of_easel(server.client.get(f"{ROUTES}/status"))
    assert (status["configured"], "impasto providers set easel" in status["message"]) == (False, True)
    answer = set_up(server, service, api_key=f" {KEY}\n")
    told = {"provider_id": "easel", "api_key_configured": True, "base_url": service.url}
    assert told.items() <= answer.raise_for_status().json().items()
    assert of_easel(server.client.get(f"{ROUTES}/status"))["configured"] is True
    gone = server.client.delete(f"{ROUTES}/config/easel").raise_for_status().json()
    assert (gone["api_key_configured"], gone["base_url"]) == (False, None)
    again = server.client.delete(f"{ROUTES}/config/easel")
    assert again.json() == gone


def test_models_are_offered_with_what_they_need_and_are_there_with_the_key(
    server: HttpServer, service: StandIn
) -> None:
    def offer() -> dict[str, Any]:
        offers = server.client.get("/api/v2/models/starter_models").json()["starter_models"]
        [found] = [one for one in offers if one["id"] == OILS]
        return dict(found)

    before = offer()
    assert (before["is_installed"], before["provider_id"]) == (False, "easel")
    assert (before["source"], before["plugin"]) == ("external://easel/oils-1", "impasto-easel")
    assert "Needs an API key of Easel; usage may cost money." in before["description"]
    set_up(server, service).raise_for_status()
    assert offer()["is_installed"]
    assert OILS in model_keys(server)


def test_a_model_of_a_service_cannot_be_identified_anew_and_weights_can(
    server: HttpServer, service: StandIn, tmp_path: Path
) -> None:
    set_up(server, service).raise_for_status()
    document = server.problem(server.client.post(f"/api/v2/models/i/{OILS}/reidentify"), 409)
    assert document["type"] == "urn:impasto:problem:model-of-an-external-service"
    assert "has no weights" in document["detail"]
    server.problem(server.client.patch(f"/api/v2/models/i/{OILS}", json={"base": "sd-1"}), 409)
    renamed = server.client.patch(f"/api/v2/models/i/{OILS}", json={"name": "Oil"}).raise_for_status().json()
    assert renamed["name"] == "Oil"
    server.problem(server.client.post("/api/v2/models/i/nope/reidentify"), 404)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"api_key": ""}, "the API key is empty"),
        ({"api_key": f"{KEY} {KEY}"}, "holds a blank"),
        ({"api_key": KEY, "base_url": f"ftp://{KEY}"}, "the base URL is none"),
        ({"api_key": KEY, "base_url": f"https://{KEY}@service.example"}, "a user or a password"),
        ({}, "nothing is to be set"),
        ({"api_key": None}, "nothing is to be set"),
        ({"api_key": [KEY]}, "api_key: input should be a valid string"),
        ({"api_key": {"value": KEY}}, "api_key: input should be a valid string"),
        (KEY, "body: input should be"),
        ([KEY], "body: input should be"),
    ],
)
def test_what_cannot_be_set_is_refused_and_not_repeated(server: HttpServer, body: Any, said: str) -> None:
    answer = server.client.post(f"{ROUTES}/config/easel", json=body)
    assert said in server.problem(answer, 422)["detail"]
    assert KEY not in answer.text
    assert not of_easel(server.client.get(f"{ROUTES}/status"))["configured"]


def test_a_body_that_is_no_json_is_not_repeated_either(server: HttpServer) -> None:
    for content, status in ((f'{{"api_key": "{KEY}', 400), (f"api_key={KEY}", 415)):
        headers = {"content-type": "application/json" if status == 400 else "application/x-www-form-urlencoded"}
        answer = server.client.post(f"{ROUTES}/config/easel", content=content, headers=headers)
        server.problem(answer, status)
        assert KEY not in answer.text


def test_a_file_of_keys_that_cannot_be_changed_is_told_of_and_changes_nothing(server: HttpServer) -> None:
    file = server.app.settings.secrets_path
    file.write_text(f"easel_api_key: {KEY}\nbroken: [\n", "utf-8")  # by a person, while the server runs
    file.chmod(0o600)
    try:
        answer = server.client.post(f"{ROUTES}/config/easel", json={"api_key": "another-key-0123"})
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")
        assert answer.json()["type"] == "urn:impasto:problem:storage-unavailable"
        assert "api_keys.yaml cannot be changed: line 3: not YAML" in answer.json()["detail"]
        assert KEY not in answer.text
        assert "another-key" not in answer.text
        assert not of_easel(server.client.get(f"{ROUTES}/config"))["api_key_configured"]
    finally:
        file.unlink()
    file.mkdir()  # as good as a disk that only can be read, also to whoever may do everything
    try:
        answer = server.client.post(f"{ROUTES}/config/easel", json={"api_key": KEY})
        assert answer.status_code == 503
        assert "api_keys.yaml cannot be changed: cannot be read: Is a directory" in answer.json()["detail"]
        assert OILS not in model_keys(server)
    finally:
        file.rmdir()


def test_a_client_that_holds_the_panels_hears_that_a_key_came_and_went(server: HttpServer, service: StandIn) -> None:
    def asked_with(etag: str) -> httpx.Response:
        return server.client.get("/api/v1/panels/", headers={"if-none-match": etag})

    without = server.client.get("/api/v1/panels/").headers["etag"]
    assert asked_with(without).status_code == 304
    set_up(server, service).raise_for_status()
    now = asked_with(without)
    assert (now.status_code, [panel["id"] for panel in now.json()["panels"]]) == (200, ["easel.image"])
    server.client.delete(f"{ROUTES}/config/easel").raise_for_status()
    assert asked_with(now.headers["etag"]).status_code == 200
    assert asked_with(without).status_code == 304


def test_a_key_that_is_stored_goes_to_no_address_that_came_without_it(server: HttpServer, service: StandIn) -> None:
    set_up(server, service).raise_for_status()
    refused = server.client.post(f"{ROUTES}/config/easel", json={"base_url": "http://127.0.0.1:1"})
    document = server.problem(refused, 409)
    assert document["type"] == "urn:impasto:problem:key-is-for-another-address"
    assert document["errors"][0]["field"] == "base_url"
    assert of_easel(server.client.get(f"{ROUTES}/config"))["base_url"] == service.url


def test_a_provider_that_there_is_not_is_answered_with_those_there_are(server: HttpServer) -> None:
    path = f"{ROUTES}/config/easle"
    for answer in (
        server.client.post(path, json={"api_key": KEY}),
        server.client.delete(path),
        server.client.post(f"{path}/test"),
    ):
        assert "easel" in server.problem(answer, 404)["detail"].partition(":")[2]


def test_a_key_is_tested_at_the_service_and_never_told(server: HttpServer, service: StandIn) -> None:
    path = f"{ROUTES}/config/easel/test"
    assert server.client.post(path).json()["outcome"] == "not_configured"
    set_up(server, service).raise_for_status()
    service.answers(Reply.json({"error": f"{KEY} is no key"}, 401), Reply.json({"me": "a painter"}))
    refused = server.client.post(path)
    assert (refused.json()["ok"], refused.json()["outcome"]) == (False, "refused")
    assert "*** is no key" in refused.json()["message"]
    assert KEY not in refused.text
    assert server.client.post(path).json() == {
        "provider_id": "easel", "ok": True, "outcome": "accepted", "message": "Easel takes the key",
    }  # fmt: skip
    assert service.requests[-1].headers["authorization"] == f"Easel {KEY}"
    set_up(server, service, base_url="http://127.0.0.1:1").raise_for_status()
    assert server.client.post(path).json()["outcome"] == "unanswered"


def test_who_watches_events_hears_of_keys_and_models_and_not_of_what_they_are(
    server: HttpServer, service: StandIn
) -> None:
    with server.app.bus.subscribe(since=0) as events:
        set_up(server, service).raise_for_status()
        server.client.delete(f"{ROUTES}/config/easel").raise_for_status()
        told: list[tuple[str, Any]] = []
        while len(told) < 6:
            envelope = events.get(60)
            assert envelope is not None, told
            event: Any = envelope.event
            assert KEY not in json.dumps(event.to_document())
            if event.name in ("external_provider_changed", "model_install_complete", "model_deleted"):
                told.append((event.name, getattr(event, "configured", None)))
    assert told == [
        ("model_install_complete", None),
        ("external_provider_changed", True),
        ("external_provider_changed", True),  # its address
        ("model_deleted", None),
        ("external_provider_changed", False),
        ("external_provider_changed", False),
    ]


def test_what_is_asked_for_is_counted_with_its_cost(server: HttpServer, service: StandIn) -> None:
    def figure(name: str, labels: str) -> float:
        lines = server.client.get("/metrics").text.splitlines()
        [line] = [line for line in lines if line.startswith(f"{name}{{{labels}}}")]
        return float(line.rpartition(" ")[2])

    def total() -> dict[str, Any]:
        answer = server.client.get(f"{ROUTES}/usage", params={"days": 2, "provider_id": "easel"})
        return dict(answer.raise_for_status().json())

    set_up(server, service).raise_for_status()
    service.answers(painting())
    before = total()["total"]
    completed = figure("impasto_provider_requests_total", 'outcome="completed",provider="easel"')
    item = wait_for_item(server.client, enqueue(server, num_images=2))
    assert item["status"] == "completed", item["error_message"]
    after = total()
    assert {name: after["total"][name] - before[name] for name in ("requests", "completed", "images", "unpriced")} == {
        "requests": 2, "completed": 2, "images": 2, "unpriced": 0,
    }  # fmt: skip
    assert after["total"]["cost_usd"] - before["cost_usd"] == pytest.approx(0.08)
    assert {(one["provider_id"], one["model"]) for one in after["models"]} <= {
        ("easel", "oils-1"), ("easel", UNKNOWN_MODEL),
    }  # fmt: skip
    assert [one["day"] for one in after["days"]] == [after["last_day"]]
    assert figure("impasto_provider_requests_total", 'outcome="completed",provider="easel"') == completed + 2
    assert figure("impasto_provider_requests_in_flight", 'provider="easel"') == 0
    assert figure("impasto_provider_places", 'provider="easel"') == 4


def test_a_key_that_is_removed_in_the_middle_ends_nothing_and_the_next_request_says_so(
    server: HttpServer, service: StandIn
) -> None:
    set_up(server, service).raise_for_status()
    slow, go_on = painting(), threading.Event()
    service.answers(Reply(headers=slow.headers, parts=[b"", *slow.parts], release=go_on))
    asked, places = len(service.requests), easel.Easel.max_concurrent_requests
    while service.asked.acquire(blocking=False):
        pass
    item_id = enqueue(server, num_images=places + 2)
    try:
        for _ in range(places):
            assert service.asked.acquire(timeout=60)
        server.client.delete(f"{ROUTES}/config/easel").raise_for_status()
        assert OILS not in model_keys(server)
    finally:
        go_on.set()
    item = wait_for_item(server.client, item_id)
    assert (item["status"], item["error_type"]) == ("failed", "ProviderNotConfiguredError")
    assert "no API key is set for Easel; set one with `impasto providers set easel`" in str(item["error_message"])
    assert len(service.requests) == asked + places
    gallery = server.client.get("/api/v1/images/", params={"limit": 100}).json()["items"]
    assert sum(image["session_id"] == item["session_id"] for image in gallery) == places


def test_a_graph_that_names_a_model_without_its_key_is_refused_with_what_to_do(server: HttpServer) -> None:
    node = {"type": "easel_image_generation", "model": {"key": OILS}, "prompt": "a boat"}
    batch = {"graph": {"nodes": {"it": node}, "edges": []}}
    refused = server.client.post("/api/v1/queue/default/enqueue_batch", json={"batch": batch})
    [error] = server.problem(refused, 422)["errors"]
    assert (error["code"], error["field"]) == ("model_not_found", "model")
    assert "no API key is set for Easel; set one with `impasto providers set easel`" in error["suggestion"]


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    status: int
    printed: str
    #: What went wrong, as a person reads it.
    failure: str


def impasto(server: HttpServer, *arguments: str, typed: str = "") -> Done:
    """Run ``impasto providers …`` in this process."""
    result = CliRunner().invoke(program, ["providers", *arguments, "--url", server.url], input=typed)
    error = result.exception
    if error is None or isinstance(error, SystemExit):
        return Done(result.exit_code, result.stdout, "")
    assert isinstance(error, ImpastoError), error
    return Done(status_of(error), result.stdout, str(error))


def test_a_key_is_set_tested_and_removed_from_the_command_line(server: HttpServer, service: StandIn) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "impasto", "providers", "set", "easel", "--base-url", service.url, "--url", server.url],
        input=f"{KEY}\n",
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "the key of Easel is set\n"), done.stderr
    assert KEY not in done.stderr
    [row] = [line for line in impasto(server, "list").printed.splitlines() if line.startswith("easel")]
    assert row.split() == ["easel", "Easel", "set", service.url, "impasto-easel"]
    service.answers(Reply.json({"me": "a painter"}), Reply.json({"error": "no"}, 403))
    assert impasto(server, "test", "easel").printed == "Easel takes the key\n"
    refused = impasto(server, "test", "easel")
    assert refused.status == 1
    assert "the service does not take the key" in refused.failure
    assert impasto(server, "remove", "easel").printed == "no key of Easel is set\n"
    told = impasto(server, "test", "easel", "--json")
    assert (told.status, json.loads(told.printed)["outcome"]) == (1, "not_configured")


def test_what_is_no_key_or_no_provider_is_refused_before_anything_is_set(server: HttpServer) -> None:
    as_argument = impasto(server, "set", "easel", KEY)
    assert as_argument.status == 2
    assert "a key is not taken as an argument" in as_argument.failure
    assert KEY not in as_argument.failure
    assert "there are" in impasto(server, "set", "easle", typed=KEY).failure
    assert "no key of Easel was given" in impasto(server, "set", "easel", typed=" \n").failure
    assert "holds a blank" in impasto(server, "set", "easel", typed="two keys").failure
    assert not of_easel(server.client.get(f"{ROUTES}/status"))["configured"]


def test_usage_is_a_table_with_the_sum_of_what_is_known(server: HttpServer, service: StandIn) -> None:
    set_up(server, service).raise_for_status()
    service.answers(painting())
    assert wait_for_item(server.client, enqueue(server))["status"] == "completed"
    header, *rows = impasto(server, "usage", "--provider", "easel").printed.splitlines()
    assert header.split()[:3] == ["provider", "model", "requests"]
    assert any(row.split()[:2] == ["easel", "oils-1"] and "$" in row for row in rows)
    assert impasto(server, "usage", "--by-day").printed.split()[:2] == ["day", "provider"]
    total = server.client.get(f"{ROUTES}/usage").json()["total"]
    assert json.loads(impasto(server, "usage", "--json").printed)["total"] == total


def test_a_key_of_the_environment_is_used_and_cannot_be_changed(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMPASTO_SECRET_EASEL_API_KEY", KEY)
    with http_server(tmp_path / "root", disabled_plugins=WITHOUT_TORCH) as server:
        assert OILS in model_keys(server)
        path = f"{ROUTES}/config/easel"
        for answer in (server.client.post(path, json={"api_key": "another-key"}), server.client.delete(path)):
            assert "IMPASTO_SECRET_EASEL_API_KEY" in server.problem(answer, 409)["detail"]
        assert of_easel(server.client.get(f"{ROUTES}/config"))["api_key_source"] == "environment"
