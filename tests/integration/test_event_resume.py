"""Who comes back to a server that was killed and started again has missed no durable event, and got none twice."""

import asyncio
import contextlib
import json
import threading
from pathlib import Path

import httpx
import pytest
from support.engine_room import SHIPPED
from support.event_clients import Told, event_client, told_over_http
from support.servers import RunningServer, running_server

ENVIRONMENT = {"IMPASTO_DISABLED_PLUGINS": json.dumps(SHIPPED), "IMPASTO_DEVICES": '["cpu"]'}
CHOSEN = "events=workflow_created"


def save_workflow(client: httpx.Client) -> str:
    document = {"workflow": {"name": "mine", "nodes": [], "edges": []}}
    workflow_id: str = client.post("/api/v1/workflows/", json=document).raise_for_status().json()["workflow_id"]
    return workflow_id


def save_workflows(server: RunningServer, count: int) -> list[str]:
    with server.client() as client:
        return [save_workflow(client) for _ in range(count)]


def save_until_it_is_gone(server: RunningServer, saved: list[str], enough: threading.Event, count: int) -> None:
    """Save workflows until the server is gone, noting each that it has answered for."""
    with server.client() as client, contextlib.suppress(httpx.TransportError):
        while True:
            saved.append(save_workflow(client))
            if len(saved) == count:
                enough.set()


async def come_and_go(server: RunningServer) -> tuple[str, list[str]]:
    """Where a client is that leaves after a few events, and what it was told of."""
    async with event_client(server.url, CHOSEN) as client:
        await asyncio.to_thread(save_workflows, server, 5)
        told = [await client.read() for _ in range(5)]
    return f"{told[-1].id}.{client.hello.data['epoch']}", [one.data["workflow_id"] for one in told]


async def come_back(server: RunningServer, last_id: str, count: int) -> list[Told]:
    """What a WebSocket client is told that comes back: the greeting, and so many events."""
    async with event_client(server.url, f"{CHOSEN}&last_id={last_id}") as client:
        return [client.hello, *[await client.read() for _ in range(count)]]


@pytest.mark.parametrize("count", [1, 40])
def test_a_client_that_comes_back_after_the_server_was_killed_has_missed_nothing(tmp_path: Path, count: int) -> None:
    saved: list[str] = []
    enough = threading.Event()
    with running_server(tmp_path / "root", environment=ENVIRONMENT) as server:
        last_id, before = asyncio.run(come_and_go(server))
        saving = threading.Thread(target=save_until_it_is_gone, args=(server, saved, enough, count))
        saving.start()
        assert enough.wait(60)
        server.process.kill()
        saving.join(60)
    with running_server(tmp_path / "root", environment=ENVIRONMENT) as server:
        with server.client() as client:
            there = {item["workflow_id"] for item in client.get("/api/v1/workflows/?per_page=1000").json()["items"]}
        missed = there - set(before)
        afterwards = save_workflows(server, 3)
        streams = [
            asyncio.run(come_back(server, last_id, len(missed) + 3)),
            told_over_http(server.url, last_id, CHOSEN, len(missed) + 3),
        ]

    # all that was answered for, and what may have been saved when the server was killed before it could answer
    assert set(saved) <= missed
    assert len(missed) <= len(saved) + 1
    for hello, *told in streams:
        assert hello.data["complete"]
        workflows = [one.data["workflow_id"] for one in told]
        assert workflows[: len(saved)] == saved
        assert set(workflows[:-3]) == missed
        assert workflows[-3:] == afterwards
        assert [one.id for one in told] == sorted({one.id for one in told})
