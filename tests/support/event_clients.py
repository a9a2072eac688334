"""Clients of the event streams for tests: WebSocket clients that note what they are told, or read nothing for now."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx
from websockets.asyncio.client import ClientConnection, connect

from impasto.cli.event_stream import read_events

__all__ = ["PATIENCE_S", "EventClient", "Told", "event_client", "told_over_http"]

#: How long a client waits for the next event before a test gives up, in seconds.
PATIENCE_S = 120.0
#: What the operating system may hold for a client that reads nothing, in bytes.
SMALL_BUFFER = 16 * 2**10


@dataclass(frozen=True, slots=True)
class Told:
    """An event as a client was told of it."""

    id: int
    name: str
    data: dict[str, Any]

    @property
    def durable(self) -> bool:
        """Whether it is kept for clients that come back."""
        return self.name != "invocation_progress"


@dataclass
class EventClient:
    """A WebSocket client. `hello` is what it was greeted with, `told` what it has read since."""

    connection: ClientConnection
    hello: Told
    told: list[Told] = field(default_factory=list)

    @property
    def durable_ids(self) -> list[int]:
        """The ids of the durable events that it was told of."""
        return [told.id for told in self.told if told.durable]

    async def read(self) -> Told:
        """The next frame; it is noted unless it answers a request."""
        told = await _next(self.connection)
        if told.name not in ("subscribed", "refused"):
            self.told.append(told)
        return told

    async def read_until(self, wanted: Callable[[Told], bool]) -> None:
        """Read until the client was told of such an event, which may have been before."""
        found = any(map(wanted, self.told))
        while not found:
            found = wanted(await self.read())

    async def subscribe(self, **wanted: Any) -> None:
        """Choose other events; returns when that is in force."""
        await self.connection.send(json.dumps({"subscribe": wanted}))
        while (await self.read()).name != "subscribed":
            pass


@asynccontextmanager
async def event_client(url: str, query: str = "", *, small: bool = False) -> AsyncIterator[EventClient]:
    """A client that has been greeted. `small`: one behind which little fits when it does not read."""
    address = f"{url.replace('http', 'ws', 1)}/api/v1/events/ws?{query}"
    options: dict[str, Any] = {"proxy": None, "compression": None, "ping_interval": None, "max_size": None}
    if small:
        options |= {"sock": _small_socket(url), "max_queue": 1}
    async with connect(address, **options) as connection:
        yield EventClient(connection, await _next(connection))


def told_over_http(url: str, last_id: str, query: str, count: int) -> list[Told]:
    """What the server-sent events tell who comes back with `last_id`: the greeting, and so many events."""
    found: list[Told] = []
    options: dict[str, Any] = {"headers": {"Last-Event-ID": last_id}, "timeout": PATIENCE_S, "trust_env": False}
    with httpx.stream("GET", f"{url}/api/v1/events?{query}", **options) as answer:
        for message in read_events(answer.raise_for_status().iter_lines()):
            assert message.id is not None
            found.append(Told(int(message.id.partition(".")[0]), message.name, message.data))
            if len(found) > count:
                break
    return found


async def _next(connection: ClientConnection) -> Told:
    async with asyncio.timeout(PATIENCE_S):
        frame = json.loads(await connection.recv())
    return Told(frame["id"], frame["event"], frame["data"])


def _small_socket(url: str) -> socket.socket:
    parts = urlsplit(url)
    small = socket.socket()
    small.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER)  # before it is connected, or it is too late
    small.connect((parts.hostname, parts.port))
    return small
