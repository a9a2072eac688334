"""Partial runs and the invocation cache as clients see them: a server, a real worker, HTTP and the command line."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.http_servers import HttpServer, http_server
from support.servers import wait_for_item

CACHE = "/api/v1/app/invocation_cache"
#: ``start → first → second``, and beside them what nobody has finished: a node of no known type, and an open input.
GRAPH: dict[str, Any] = {
    "id": "unfinished",
    "nodes": {
        "start": {"type": "integer", "value": 3},
        "first": {"type": "add", "b": 1},
        "second": {"type": "add", "b": 10},
        "unknown": {"type": "not_installed"},
        "open": {"type": "collect"},
        "shown": {"type": "show_image"},
    },
    "edges": [
        {"source": {"node_id": "start", "field": "value"}, "destination": {"node_id": "first", "field": "a"}},
        {"source": {"node_id": "first", "field": "value"}, "destination": {"node_id": "second", "field": "a"}},
        {"source": {"node_id": "second", "field": "value"}, "destination": {"node_id": "unknown", "field": "x"}},
    ],
}
#: ``range → iterate → add → collect``, and an `if` over the list of which one side is never needed.
LOOP: dict[str, Any] = {
    "id": "loop",
    "nodes": {
        "range": {"type": "range", "start": 0, "stop": 4, "step": 1},
        "each": {"type": "iterate"},
        "plus": {"type": "add", "b": 1},
        "all": {"type": "collect"},
        "never": {"type": "div", "a": 1, "b": 0},
        "which": {"type": "if", "condition": True},
        "after": {"type": "iterate"},
        "lost": {"type": "not_installed"},
    },
    "edges": [
        {
            "source": {"node_id": "range", "field": "collection"},
            "destination": {"node_id": "each", "field": "collection"},
        },
        {"source": {"node_id": "each", "field": "item"}, "destination": {"node_id": "plus", "field": "a"}},
        {"source": {"node_id": "plus", "field": "value"}, "destination": {"node_id": "all", "field": "item"}},
        {
            "source": {"node_id": "all", "field": "collection"},
            "destination": {"node_id": "which", "field": "true_input"},
        },
        {"source": {"node_id": "never", "field": "value"}, "destination": {"node_id": "which", "field": "false_input"}},
        {"source": {"node_id": "which", "field": "value"}, "destination": {"node_id": "after", "field": "collection"}},
        {"source": {"node_id": "after", "field": "item"}, "destination": {"node_id": "lost", "field": "x"}},
    ],
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpServer]:
    root = tmp_path_factory.mktemp("root")
    with http_server(root, work=True, disabled_plugins=["impasto-sd", "impasto-starter"]) as running:
        running.app.engine.wait_until_ready(120)
        yield running


def enqueue(server: HttpServer, **batch: Any) -> Any:
    return server.client.post("/api/v1/queue/default/enqueue_batch", json={"batch": {"graph": GRAPH, **batch}})


def run(server: HttpServer, **batch: Any) -> dict[str, Any]:
    """The outputs of the only session of a batch, by node."""
    answer = enqueue(server, **batch)
    assert answer.status_code == 201, answer.text
    item: dict[str, Any] = wait_for_item(server.client, *answer.json()["item_ids"])
    assert item["status"] == "completed", item["error_message"]
    results: dict[str, Any] = item["session"]["results"]
    return results


def impasto(*arguments: str, root: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "IMPASTO_ROOT": str(root), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "impasto", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120, check=False)


def test_only_what_a_target_needs_is_run_and_answered(server: HttpServer) -> None:
    answer = enqueue(server, targets=["first"])
    batch = answer.json()["batch"]
    assert (batch["targets"], sorted(batch["graph"]["nodes"])) == (["first"], ["first", "start"])
    item: dict[str, Any] = wait_for_item(server.client, *answer.json()["item_ids"])
    results = item["session"]["results"]
    assert (item["status"], sorted(results), results["first"]["value"]) == ("completed", ["first", "start"], 4)
    assert sorted(item["session"]["graph"]["nodes"]) == ["first", "start"]


def test_without_targets_the_same_graph_is_refused_for_its_rest(server: HttpServer) -> None:
    document = server.problem(enqueue(server), 422)
    assert {error["node_id"] for error in document["errors"]} >= {"unknown", "shown"}


def test_iterations_and_lazy_branches_run_as_ever_among_what_a_target_needs(server: HttpServer) -> None:
    assert run(server, graph=LOOP, targets=["which"])["which"]["value"] == [1, 2, 3, 4]
    assert run(server, graph=LOOP, targets=["all"])["all"]["collection"] == [1, 2, 3, 4]


def test_an_unknown_target_is_named_with_the_nearest_node(server: HttpServer) -> None:
    (error,) = server.problem(enqueue(server, targets=["frist"]), 422)["errors"]
    assert (error["code"], error["field"], error["suggestion"]) == (
        "unknown_target",
        "targets",
        "did you mean 'first'?",
    )
    assert "'frist'" in error["message"]


def test_an_empty_list_of_targets_is_refused(server: HttpServer) -> None:
    document = server.problem(enqueue(server, targets=[]), 422)
    assert "nothing would run" in document["detail"]


def test_values_for_the_rest_of_the_graph_still_make_sessions(server: HttpServer) -> None:
    data = [[{"node_path": "unknown", "field_name": "x", "items": [1, 2]}]]
    answer = enqueue(server, targets=["first"], data=data)
    assert answer.json()["requested"] == 2
    for item_id in answer.json()["item_ids"]:
        assert wait_for_item(server.client, item_id)["status"] == "completed"


def test_a_larger_part_finds_what_a_smaller_one_left(server: HttpServer) -> None:
    server.client.delete(CACHE).raise_for_status()
    assert run(server, targets=["first"])["first"]["value"] == 4
    assert run(server, targets=["second"])["second"]["value"] == 14
    status = server.client.get(f"{CACHE}/status").json()
    assert (status["hits"], status["misses"], status["size"]) == (2, 3, 3)


def test_the_status_has_what_clients_read_and_each_workers_own(server: HttpServer) -> None:
    server.client.delete(CACHE).raise_for_status()
    run(server, targets=["first"])
    status = server.client.get(f"{CACHE}/status").json()
    (worker,) = status.pop("workers")
    assert status.keys() == {"size", "max_size", "hits", "misses", "enabled", "bytes", "max_bytes"}
    assert status["max_size"] > status["size"] == 2
    assert worker == {"worker_id": "cpu-0", **{key: status[key] for key in worker if key != "worker_id"}}


def test_the_cache_is_cleared_and_switched_over_http(server: HttpServer) -> None:
    run(server, targets=["first"])
    assert server.client.put(f"{CACHE}/disable").json() is None
    before = server.client.get(f"{CACHE}/status").json()
    run(server, targets=["first"])
    assert server.client.get(f"{CACHE}/status").json() == before
    assert before["enabled"] is False
    assert server.client.put(f"{CACHE}/enable").json() is None
    run(server, targets=["first"])
    after = server.client.get(f"{CACHE}/status").json()
    assert (after["enabled"], after["hits"]) == (True, before["hits"] + 2)
    assert server.client.delete(CACHE).json() is None
    cleared = server.client.get(f"{CACHE}/status").json()
    assert (cleared["size"], cleared["bytes"], cleared["hits"], cleared["misses"]) == (0, 0, 0, 0)


def test_a_part_of_a_graph_is_run_from_the_command_line(server: HttpServer, tmp_path: Path) -> None:
    path = tmp_path / "graph.json"
    path.write_text(json.dumps(GRAPH))
    done = impasto(
        "run", str(path), "--target", "first", "--target", "start", "--json", "--url", server.url, root=tmp_path
    )
    assert done.returncode == 0, done.stderr
    results = json.loads(done.stdout)["results"]
    assert {name: output["value"] for name, output in results.items()} == {"start": 3, "first": 4}

    refused = impasto("run", str(path), "--target", "frist", "--url", server.url, root=tmp_path)
    assert refused.returncode == 1
    assert "did you mean 'first'?" in refused.stderr


def test_the_caches_are_seen_and_changed_from_the_command_line(server: HttpServer, tmp_path: Path) -> None:
    run(server, targets=["first"])
    table = impasto("cache", "--url", server.url, root=tmp_path)
    assert table.returncode == 0, table.stderr
    assert table.stdout.split()[:2] == ["worker", "enabled"]
    assert "cpu-0" in table.stdout
    for action, enabled in (("disable", False), ("enable", True)):
        status = json.loads(impasto("cache", action, "--json", "--url", server.url, root=tmp_path).stdout)
        assert status["enabled"] is enabled
    assert json.loads(impasto("cache", "clear", "--json", "--url", server.url, root=tmp_path).stdout)["size"] == 0


def test_without_a_server_there_is_no_cache_to_speak_of(tmp_path: Path) -> None:
    done = impasto("cache", "clear", root=tmp_path)
    assert done.returncode == 3
    assert "no server runs on" in done.stderr
