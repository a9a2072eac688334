"""An order in the queue whose client leaves: nothing of it stays behind, whenever that happens."""

import asyncio
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from support.host_api import StandInHost

from impasto_openai_server.host import Host
from impasto_openai_server.order import Order
from impasto_openai_server.run import PictureRun
from impasto_sdk.asgi import HostApi

ORDER = Order(panel_id="any.panel", values={}, count=2, size=None, params={})


class SlowHost(StandInHost):
    """A host that stores a batch and answers only when it is let go."""

    def __post_init__(self) -> None:
        self.asked, self.go = asyncio.Event(), asyncio.Event()
        super().__post_init__()

    async def _enqueue(self, request: Request) -> Response:
        answer = await super()._enqueue(request)
        self.asked.set()
        await self.go.wait()
        return answer


def leave(times: int, **options: Any) -> SlowHost:
    """What a host has seen of one who is cancelled so many times while its order is stored."""

    async def run() -> SlowHost:
        host = SlowHost([], [], **options)

        async def enter() -> None:
            async with PictureRun(Host(HostApi(host), "default"), ORDER, previews=False):
                raise AssertionError("it was let in")

        async with asyncio.timeout(30):
            entering = asyncio.create_task(enter())
            await host.asked.wait()
            for _ in range(times):
                entering.cancel()
                await asyncio.sleep(0)
            host.go.set()
            await asyncio.wait({entering})
            assert entering.cancelled()
            while host.listeners:  # the end of it is in a task of its own
                await asyncio.sleep(0)
        return host

    return asyncio.run(run())


def test_who_leaves_while_the_order_is_stored_takes_it_out_again() -> None:
    assert leave(1).cancelled == ["the-batch"]


def test_who_is_cancelled_once_more_meanwhile_does_so_too() -> None:
    assert leave(2).cancelled == ["the-batch"]
