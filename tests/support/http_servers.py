"""`http_server`: a whole server in this process, behind a real socket, for tests of the HTTP interface.

Without workers unless asked for them: what is enqueued then stays as it is, which is what most of those tests want.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from impasto.api.server import Server
from impasto.app import Impasto
from impasto.settings import Settings

__all__ = ["HttpServer", "http_server"]


@dataclass(frozen=True)
class HttpServer:
    """A server in this process: its address, what is behind it, and a client that talks to it."""

    url: str
    app: Impasto
    client: httpx.Client

    def problem(self, answer: httpx.Response, status: int) -> dict[str, Any]:
        """The problem document of an answer, which must have `status`."""
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        document: dict[str, Any] = answer.json()
        assert document["status"] == status
        return document


@contextmanager
def http_server(root: Path, *, work: bool = False, **settings: Any) -> Iterator[HttpServer]:
    """A server on `root` and a free port. `work=True`: with a worker on the CPU, which need not be ready yet."""
    flags = {"host": "127.0.0.1", "port": 0, "devices": ["cpu"], **settings}
    app = Impasto.build(Settings.load(root=root, flags=flags))
    server = Server(app, work=work)
    url = server.start_in_thread()
    try:
        with httpx.Client(base_url=url, timeout=60, trust_env=False) as client:
            yield HttpServer(url, app, client)
    finally:
        server.stop()
