"""The whole server, as a process: time to its first answer, its idle memory, and what a queue item costs.

Wall times, as a person waits for them.
"""

import statistics
import sys
import tempfile
import time
from pathlib import Path

import httpx
import psutil

sys.path.insert(0, str(Path(__file__).parents[1]))  # for `support`, when run as a script

from support.servers import RunningServer, running_server

from benchmarks.harness import Row, main_of  # isort: skip

#: Items of one trivial node in one batch.
ITEMS = 200


def launch() -> Row:
    """From the start of the process to the first answer, a root in use; the median of five."""
    seconds = []
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "root"
        with running_server(root):
            pass  # the first start makes the database and registers the starter model
        for _ in range(5):
            begin = time.perf_counter()
            with running_server(root):
                seconds.append(time.perf_counter() - begin)
    return Row("server: launch to first HTTP answer", statistics.median(seconds), "s", budget=1.0)


def idle_memory(server: RunningServer) -> Row:
    """Resident memory of the server process, its workers not counted."""
    megabytes = psutil.Process(server.process.pid).memory_info().rss / 1e6
    return Row("idle server, resident memory", megabytes, "MB", budget=120)


def trivial_items(server: RunningServer) -> Row:
    """Wall time of an item of one trivial node, queued over HTTP, in a batch that keeps the worker busy."""
    graph = {"nodes": {"add": {"type": "add", "a": 1, "use_cache": False}}}
    data = [[{"node_path": "add", "field_name": "b", "items": list(range(ITEMS))}]]
    with server.client() as client:
        _run(client, graph, data)  # the worker is up and warm
        begin = time.perf_counter()
        _run(client, graph, data)
        each = (time.perf_counter() - begin) / ITEMS
    return Row("a queue item of one trivial node through the whole server", each * 1000, "ms", budget=5)


def _run(client: httpx.Client, graph: object, data: object) -> None:
    answer = client.post(
        "/api/v1/queue/default/enqueue_batch", json={"batch": {"graph": graph, "data": data, "runs": 1}}
    ).raise_for_status()
    batch_id = answer.json()["batch"]["batch_id"]
    while True:
        status = client.get(f"/api/v1/queue/default/b/{batch_id}/status").raise_for_status().json()
        if status["completed"] == ITEMS:
            return
        if status["failed"] or status["canceled"]:
            raise RuntimeError(f"items failed: {status}")
        time.sleep(0.01)


def rows() -> list[Row]:
    """All rows of this file."""
    found = [launch()]
    with tempfile.TemporaryDirectory() as folder, running_server(Path(folder) / "root") as server:
        found.append(idle_memory(server))
        found.append(trivial_items(server))
    return found


if __name__ == "__main__":
    main_of(rows)
