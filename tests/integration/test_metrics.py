"""`/metrics` of a real server after real runs: what Prometheus reads is what happened."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_open_metrics
from prometheus_client.parser import text_string_to_metric_families as parse
from support.http_servers import HttpServer, http_server

from impasto.app.metric_table import METRICS

#: Workers that load torch would be slow to start, and no node here needs it.
WITHOUT_TORCH = ["impasto-sd", "impasto-starter"]
PATIENCE_S = 60.0

Figures = dict[tuple[str, frozenset[tuple[str, str]]], float]


def figures(server: HttpServer) -> Figures:
    text = server.client.get("/metrics").raise_for_status().text
    samples = [sample for family in parse(text) for sample in family.samples]
    found = {(sample.name, frozenset(sample.labels.items())): sample.value for sample in samples}
    assert len(found) == len(samples), "a figure is there twice"
    return found


def figure(found: Figures, name: str, **labels: str) -> float:
    return found.get((name, frozenset(labels.items())), 0.0)


def run(server: HttpServer, nodes: dict[str, Any], edges: list[Any] | None = None, *, runs: int = 1) -> None:
    """Queue a batch and wait until it has ended and every event of it was counted."""
    batch = {"graph": {"nodes": nodes, "edges": edges or []}, "runs": runs}
    answer = server.client.post("/api/v1/queue/default/enqueue_batch", json={"batch": batch})
    batch_id = answer.raise_for_status().json()["batch"]["batch_id"]
    with server.app.bus.subscribe(since=0) as events:
        left = runs
        while left:
            envelope = events.get(PATIENCE_S)
            assert envelope is not None, f"{left} of {runs} items did not end"
            event: Any = envelope.event
            ended = event.name == "queue_item_status_changed" and event.completed_at and event.batch_id == batch_id
            left -= bool(ended)
    deadline = time.monotonic() + PATIENCE_S
    kept = server.app.queue.status("default")
    while not all(
        server.app.metrics.tally().counters["impasto_queue_items_total"].get(("default", status), 0) >= count
        for status, count in (("completed", kept.completed), ("failed", kept.failed))
    ):
        assert time.monotonic() < deadline, "the listener did not hear of it"
        time.sleep(0.01)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpServer]:
    root = tmp_path_factory.mktemp("root")
    # of so few events that wait in memory, most come to a listener from the log
    with http_server(root, work=True, disabled_plugins=WITHOUT_TORCH, event_buffer=10) as server:
        server.app.engine.wait_until_ready(PATIENCE_S)
        yield server


def test_what_ran_is_counted_once(server: HttpServer) -> None:
    before = figures(server)
    run(server, {"a": {"id": "a", "type": "add", "a": 1, "b": 41, "use_cache": False}}, runs=150)
    run(server, {"b": {"id": "b", "type": "add", "a": 7, "b": 7}}, runs=2)
    run(server, {"d": {"id": "d", "type": "div", "a": 1, "b": 0}})
    after = figures(server)

    def rise(name: str, **labels: str) -> float:
        return figure(after, name, **labels) - figure(before, name, **labels)

    def items(status: str) -> float:
        return rise("impasto_queue_items_total", queue_id="default", status=status)

    assert {status: items(status) for status in ("pending", "in_progress", "completed", "failed", "canceled")} == {
        "pending": 153,
        "in_progress": 153,
        "completed": 152,
        "failed": 1,
        "canceled": 0,
    }
    assert rise("impasto_queue_item_wait_seconds_count", queue_id="default") == 153
    assert rise("impasto_queue_item_run_seconds_count", queue_id="default", status="completed") == 152
    assert rise("impasto_invocations_total", node_type="add", outcome="completed") == 151
    assert rise("impasto_invocations_total", node_type="add", outcome="cached") == 1
    assert rise("impasto_invocations_total", node_type="div", outcome="failed") == 1
    assert rise("impasto_invocation_seconds_count", node_type="add", cached="false") == 151
    assert rise("impasto_invocation_seconds_count", node_type="add", cached="true") == 1
    assert 0 < rise("impasto_invocation_seconds_sum", node_type="add", cached="false") < PATIENCE_S
    assert rise("impasto_events_total", event="invocation_complete") == 152
    assert rise("impasto_events_total", event="batch_enqueued") == 3
    assert figure(after, "impasto_queue_depth", queue_id="default", status="completed") == 152
    assert figure(after, "impasto_queue_depth", queue_id="default", status="pending") == 0


def test_what_is_there_is_told(server: HttpServer) -> None:
    server.client.put("/api/v1/queue/night/processor/pause").raise_for_status()
    found = figures(server)
    by_name = {name for name, _ in found}
    assert sum(figure(found, "impasto_workers", kind="device", status=status) for status in ("ready", "busy")) == 1
    assert figure(found, "impasto_workers", kind="io", status="ready") == 0
    assert figure(found, "impasto_worker_restarts_total", worker_id="cpu-0") == 0
    assert figure(found, "impasto_worker_resident_memory_bytes", worker_id="cpu-0") > 10 * 2**20
    assert figure(found, "impasto_queue_paused", queue_id="night") == 1
    assert figure(found, "impasto_event_readers") >= 1
    assert figure(found, "impasto_database_bytes") > 0
    assert figure(found, "impasto_disk_free_bytes") > 0
    assert {"impasto_build_info", "process_resident_memory_bytes", "process_start_time_seconds"} <= by_name
    plugins = {dict(labels)["plugin"]: dict(labels)["state"] for name, labels in found if name == "impasto_plugin_info"}
    assert (plugins["impasto-primitives"], plugins["impasto-sd"]) == ("active", "disabled")


@pytest.mark.parametrize(
    ("accept", "media_type", "read"),
    [
        ("*/*", "text/plain; version=0.0.4; charset=utf-8", parse),
        (
            "application/openmetrics-text; version=1.0.0, text/plain;q=0.5",
            "application/openmetrics-text",
            parse_open_metrics,
        ),
        ("application/openmetrics-text; version=none of these", "application/openmetrics-text", parse_open_metrics),
    ],
)
def test_every_figure_is_declared_with_its_labels(server: HttpServer, accept: str, media_type: str, read: Any) -> None:
    answer = server.client.get("/metrics", headers={"Accept": accept})
    assert answer.headers["content-type"].startswith(media_type)
    declared = {metric.name: metric for metric in METRICS}
    seen = set()
    for family in read(answer.text):
        for sample in family.samples:
            if sample.name.startswith("process_"):
                continue
            name = sample.name
            if family.type == "histogram":
                name = family.name
            metric = declared[name]
            assert set(sample.labels) - {"le"} == set(metric.labels), sample
            seen.add(name)
    # no model was loaded, and no worker lost
    assert declared.keys() - seen == {"impasto_model_load_seconds", "impasto_worker_losses_total"}


def test_a_scrape_does_not_wait_for_the_writer(server: HttpServer) -> None:
    server.client.get("/metrics")
    release = threading.Event()
    held = server.app.database.submit(lambda connection: release.wait(PATIENCE_S))
    try:
        assert figure(figures(server), "impasto_queue_paused", queue_id="default") == 0
    finally:
        release.set()
    assert held.result(PATIENCE_S)


def test_what_writes_the_text_is_imported_by_the_first_scrape_only(tmp_path: Path) -> None:
    code = f"""
import pathlib, sys, urllib.request
from impasto.api.server import Server
from impasto.app import Impasto
from impasto.settings import Settings
server = Server(Impasto.build(Settings.load(root=pathlib.Path({str(tmp_path)!r}), flags={{"port": 0}})), work=False)
url = server.start_in_thread()
late = ("prometheus_client", "pythonjsonlogger")
urllib.request.urlopen(url + "/health").read()
print(*[name for name in late if name in sys.modules], sep=",")
urllib.request.urlopen(url + "/metrics").read()
print(*[name for name in late if name in sys.modules], sep=",")
server.stop()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.splitlines() == ["", "prometheus_client"]
