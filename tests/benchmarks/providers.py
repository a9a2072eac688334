"""What the platform adds to an external service: a picture by its node beside the bare request, several side by side,
and a picture through the whole server. The service is local, and answers at once or after a fixed time. Wall time.
"""

import base64
import io
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import httpx
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1]))  # for `support`, when run as a script

from support.easel import Easel, EaselImageGeneration
from support.http_servers import http_server
from support.openai_service import answer
from support.stand_in import Reply, StandIn

from impasto_sdk.providers import external_record
from impasto_sdk.testing import FakeContext, run_node

from benchmarks.harness import Row, main_of  # isort: skip

#: Pictures of one node, and what the service takes for each, in seconds.
PICTURES, TAKES_S = 16, 0.1
TURNS = 15


def png(side: int = 1024) -> bytes:
    """A picture as large as a service's."""
    buffer = io.BytesIO()
    Image.effect_noise((side, side), 40).convert("RGB").save(buffer, "PNG")
    return buffer.getvalue()


def painted(data: bytes) -> Reply:
    """An answer of the service."""
    return Reply.json({"picture": base64.b64encode(data).decode(), "id": "r", "price": 0.02})


def median_ms(work: Callable[[], object], turns: int = TURNS) -> float:
    """How long `work` takes, the median."""
    times = []
    for _ in range(turns):
        begin = time.perf_counter()
        work()
        times.append((time.perf_counter() - begin) * 1000)
    return statistics.median(times)


def node_of(service: StandIn, *, pictures: int = 1, places: int = 1) -> Callable[[], object]:
    """Runs the node of a provider, with a fresh context each time."""
    record = external_record(Easel, Easel.models()[0])

    def work() -> None:
        context = FakeContext()
        context.models.add(record)
        context.providers.add("easel", base_url=service.url, places=places)
        run_node(EaselImageGeneration(model=record.identifier(), prompt="a boat", num_images=pictures), context)

    return work


def of_a_node() -> Iterator[Row]:
    """A picture by a node beside the bare request, and several side by side."""
    with StandIn() as service:
        service.answers(painted(png()))
        with httpx.Client() as client:
            bare = median_ms(lambda: base64.b64decode(client.post(f"{service.url}/paint", json={}).json()["picture"]))
        node = median_ms(node_of(service))
        yield Row("a picture of 3 MB from a service: bare request", bare, "ms")
        yield Row("a picture of 3 MB from a service: by its node", node, "ms")
        # small ones, so that it is the waiting that is measured
        service.answers(painted(png(64)))
        with slowly(service):
            alone = median_ms(node_of(service, pictures=PICTURES), turns=1)
            together = median_ms(node_of(service, pictures=PICTURES, places=PICTURES), turns=3)
        yield Row(
            f"{PICTURES} pictures that take {TAKES_S:g} s each: side by side over one after the other",
            together / alone,
            "×",
        )


@contextmanager
def slowly(service: StandIn) -> Iterator[None]:
    """While the block runs, each answer takes its time."""
    record = service.record

    def wait(*arguments: object) -> Reply:
        reply = record(*arguments)  # type: ignore[arg-type]
        time.sleep(TAKES_S)
        return reply

    with patch.object(service, "record", wait):
        yield


def through_a_server() -> Iterator[Row]:
    """A picture through queue, worker, image library and events."""
    with StandIn() as service, tempfile.TemporaryDirectory() as folder:
        service.answers(answer(png()))
        with http_server(Path(folder), work=True, disabled_plugins=["impasto-sd", "impasto-starter"]) as server:
            provider = {"api_key": "key-of-the-benchmark", "base_url": service.url}
            server.client.post("/api/v1/app/external_providers/config/openai", json=provider).raise_for_status()
            values = {"prompt": "a boat", "model": {"key": "openai.dall-e-3"}}
            done = threading.Event()
            server.app.bus.add_listener(
                lambda event: done.set() if getattr(event, "status", "") == "completed" else None
            )

            def work() -> None:
                done.clear()
                server.client.post("/api/v1/panels/openai.image/enqueue", json={"values": values}).raise_for_status()
                assert done.wait(60)

            work()  # which starts a worker without a device
            yield Row("a picture of 3 MB from a service: through the whole server", median_ms(work), "ms")


def rows() -> Sequence[Row]:
    """All rows of this file."""
    return [*of_a_node(), *through_a_server()]


if __name__ == "__main__":
    main_of(rows)
