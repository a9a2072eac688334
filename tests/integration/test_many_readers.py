"""Fifty WebSocket clients of a real server, one of which reads nothing: nobody misses anything, and memory is bounded.

How long an event takes to its readers is not asserted here; `tests/benchmarks/events.py` measures it.
"""

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from support.engine_room import SHIPPED, graph, install_toys, node
from support.event_clients import EventClient, Told, event_client
from support.servers import RunningServer, running_server

READERS = 49
#: Items of the first part, of which everybody is told everything.
ITEMS = 40
#: In the second part twice as many nodes run, each of which is told of twice.
ITERATIONS = 5_500
#: By how much the resident memory of the server may grow while the events of the second part pass the client that reads
#: nothing. What is kept for that client is 1,000 events, about 1 MB; without any client it grows by up to 10 MB.
MOST_GROWTH_MB = 25
REPORTING = graph([node("p", "progress", steps=50), node("a", "add", a=1, b=2, use_cache=False)])
LARGE = graph(
    [node("numbers", "numbers", count=ITERATIONS), node("each", "each"), node("add", "add", b=2, use_cache=False)],
    ["numbers.collection each.collection", "each.item add.a"],
)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RunningServer]:
    install_toys(tmp_path / "site")
    environment = {"IMPASTO_DISABLED_PLUGINS": json.dumps(SHIPPED), "IMPASTO_DEVICES": '["cpu"]'}
    with running_server(tmp_path / "root", environment=environment, python_path=tmp_path / "site") as running:
        yield running


async def run(server: RunningServer, document: dict[str, Any], batch_id: str, runs: int = 1) -> None:
    """Queue sessions, and wait until they have completed."""
    batch = {"batch_id": batch_id, "graph": document, "runs": runs}
    async with httpx.AsyncClient(base_url=server.url, timeout=60, trust_env=False) as client:
        answer = await client.post("/api/v1/queue/default/enqueue_batch", json={"batch": batch})
        assert answer.is_success, answer.text
        while True:
            status = (await client.get(f"/api/v1/queue/default/b/{batch_id}/status")).raise_for_status().json()
            assert not status["failed"], status
            if status["completed"] == runs:
                return
            await asyncio.sleep(0.05)


def last_of(batch_id: str) -> Callable[[Told], bool]:
    """Which event is the last to tell of a batch."""

    def wanted(told: Told) -> bool:
        status = told.data.get("batch_status", {})
        return told.data.get("batch_id") == batch_id and status.get("completed") == status.get("total", -1)

    return wanted


def check_order(client: EventClient) -> None:
    """That nothing came twice, and nothing after what is newer."""
    assert client.durable_ids == sorted(set(client.durable_ids))
    places = [told.id for told in client.told]
    assert places == sorted(places)


def resident_mb(server: RunningServer) -> float:
    return psutil.Process(server.process.pid).memory_info().rss / 1e6


async def follow(server: RunningServer) -> None:
    async with AsyncExitStack() as stack:
        silent = await stack.enter_async_context(event_client(server.url, small=True))
        # what it takes the first time, with as much kept for that client as ever will be, is no growth
        await run(server, LARGE, "warm")
        readers = [await stack.enter_async_context(event_client(server.url)) for _ in range(READERS)]

        start = readers[-1].hello.id
        await asyncio.gather(
            run(server, REPORTING, "first", ITEMS), *(reader.read_until(last_of("first")) for reader in readers)
        )
        middle = readers[0].durable_ids[-1]
        first = [number for number in readers[0].durable_ids if start < number <= middle]
        assert len(first) >= ITEMS * 6
        for reader in readers:
            check_order(reader)
            assert [number for number in reader.durable_ids if start < number <= middle] == first
            assert any(not told.durable for told in reader.told)

        chosen = ["batch_enqueued", "queue_item_status_changed"]
        await asyncio.gather(*(reader.subscribe(events=chosen) for reader in readers))
        before_mb = resident_mb(server)
        await asyncio.gather(
            run(server, LARGE, "second"), *(reader.read_until(last_of("second")) for reader in readers)
        )
        growth_mb = resident_mb(server) - before_mb
        assert growth_mb < MOST_GROWTH_MB

        await silent.read_until(last_of("second"))
        check_order(silent)
        assert [number for number in silent.durable_ids if start < number <= middle] == first
        second = [told for told in silent.told if told.durable and told.id > middle]
        assert len(second) > 20_000
        expected = [told.id for told in second if told.name in chosen]
        for reader in readers:
            check_order(reader)
            assert [told.id for told in reader.told if told.id > middle and told.name in chosen] == expected


def test_fifty_clients_miss_nothing_though_one_of_them_reads_nothing(server: RunningServer) -> None:
    asyncio.run(follow(server))
