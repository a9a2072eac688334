"""What it takes to tell many clients of an event: a server in a process of its own, its WebSocket readers in this one.

Each event carries when it was published, on the clock that all processes of a machine share. Wall time, and CPU time of
the server.
"""

import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).parents[1]))  # for `support`, when run as a script

from support.event_clients import EventClient, event_client

from benchmarks.harness import Row, main_of  # isort: skip
from benchmarks.harness.event_server import LAST  # isort: skip

#: Clients that read; one more does not.
READERS = 49
#: Events whose way is timed, and how many of them there are in a second: what a batch of small sessions amounts to.
TIMED, PER_SECOND = 500, 50
#: Events whose cost is counted, as fast as they can be published.
COUNTED = 1_000
#: The server, a program.
SERVER = Path(__file__).with_name("harness") / "event_server.py"


class Rounds:
    """The server, and what is measured with it."""

    def __init__(self, process: "subprocess.Popen[str]", url: str) -> None:
        self._process = process
        self._url = url

    async def latencies_ms(self) -> list[float]:
        """How long each event took to each reader, while one more client reads nothing."""
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(event_client(self._url, small=True))
            readers = [await stack.enter_async_context(event_client(self._url)) for _ in range(READERS)]
            self._publish(TIMED, PER_SECOND)
            found = await asyncio.gather(*map(_latencies_ms, readers))
        return sorted(latency for each in found for latency in each)

    async def cpu_us(self, readers: int) -> float:
        """The server's CPU time for an event with so many readers, the median of three rounds."""
        async with AsyncExitStack() as stack:
            clients = [await stack.enter_async_context(event_client(self._url)) for _ in range(readers)]
            found = []
            for _ in range(3):
                begin = self._cpu_s()
                self._publish(COUNTED, 0)
                await asyncio.gather(*map(_latencies_ms, clients))
                found.append((self._cpu_s() - begin) / COUNTED * 1e6)
        return statistics.median(found)

    def _publish(self, count: int, per_second: int) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{count} {per_second}\n")
        self._process.stdin.flush()

    def _cpu_s(self) -> float:
        times = psutil.Process(self._process.pid).cpu_times()
        return float(times.user + times.system)


async def _latencies_ms(client: EventClient) -> list[float]:
    found = []
    while True:
        frame = json.loads(await client.connection.recv())
        now = time.perf_counter()
        if frame["event"] != "batch_enqueued":
            continue  # of starter models that are hashed meanwhile
        published = frame["data"]["batch_id"]
        if published == LAST:
            return found
        found.append((now - float(published)) * 1000)


def rows() -> Sequence[Row]:
    """All rows of this file."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, str(SERVER), folder]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            rounds = Rounds(process, process.stdout.readline().strip())
            one, fifty = asyncio.run(rounds.cpu_us(1)), asyncio.run(rounds.cpu_us(READERS + 1))
            times = asyncio.run(rounds.latencies_ms())
            assert process.stdin is not None
            process.stdin.close()
    way = f"an event to {READERS} clients, one more reads nothing"
    return [
        Row(f"{way}: median", statistics.median(times), "ms"),
        Row(f"{way}: 99 of 100", times[len(times) * 99 // 100], "ms"),
        Row(f"{way}: slowest", times[-1], "ms", budget=250),
        Row("an event, kept and told to 1 client: CPU of the server", one, "µs"),
        Row(f"an event, kept and told to {READERS + 1} clients: CPU of the server", fifty, "µs"),
    ]


if __name__ == "__main__":
    main_of(rows)
