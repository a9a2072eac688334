"""`StandIn`: a local service on real HTTP that answers what a test has scripted, and records every request raw.

The stand-ins of real services (their wire formats) are built on it. ::

    with StandIn() as service:
        service.answers(Reply.json({"ok": True}), Reply.status(503))
        ...
        assert service.requests[0].path == "/paint"
"""

import json
import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

__all__ = ["Recorded", "Reply", "StandIn"]


@dataclass(frozen=True)
class Recorded:
    """One request, as it came."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What is answered to one request."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    #: Sent one after the other.
    parts: Sequence[bytes] = ()
    #: Nothing more is sent until it is set; with `hang`, the answer waits for it before its last part.
    release: threading.Event | None = None
    #: Bytes that are promised and never come: the connection is cut before them.
    missing: int = 0

    @classmethod
    def json(cls, document: Any, status: int = 200, **headers: str) -> "Reply":
        """A JSON document; header names are written with underscores."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return cls(
            status=status, headers={"content-type": "application/json", **named}, parts=[json.dumps(document).encode()]
        )

    @classmethod
    def data(cls, data: bytes, media_type: str = "application/octet-stream", status: int = 200) -> "Reply":
        """Bytes of a media type."""
        return cls(status=status, headers={"content-type": media_type}, parts=[data])

    @classmethod
    def events(cls, *documents: Any, done: bool = True) -> "Reply":
        """Server-sent events, one for each document; ``[DONE]`` at the end."""
        parts = [f"event: {one.get('type', 'message')}\ndata: {json.dumps(one)}\n\n".encode() for one in documents]
        return cls(
            headers={"content-type": "text/event-stream"}, parts=[*parts, b"data: [DONE]\n\n"] if done else parts
        )


class StandIn:
    """The service, at `url` while the block runs. Without a script, every request is answered with the last reply."""

    def __init__(self) -> None:
        self.requests: list[Recorded] = []
        #: Requests that were under way at once, at most.
        self.most_at_once = 0
        self._replies: list[Reply] = []
        self._under_way = 0
        self._lock = threading.Lock()
        #: Set with every request that comes in.
        self.asked = threading.Semaphore(0)
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.stand_in = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=[0.01], daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answers(self, *replies: Reply) -> None:
        """From now on, answer with these, in order; the last one again and again."""
        with self._lock:
            self._replies = list(replies)

    def record(self, request: Recorded) -> Reply:
        """Keep a request and give the answer to it. For the server's threads."""
        with self._lock:
            self.requests.append(request)
            self._under_way += 1
            self.most_at_once = max(self.most_at_once, self._under_way)
            reply = self._replies[0]
            if len(self._replies) > 1:
                self._replies.pop(0)
        self.asked.release()
        return reply

    def answered(self) -> None:
        """An answer is out, or its client gone. For the server's threads."""
        with self._lock:
            self._under_way -= 1


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64
    stand_in: StandIn

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that is gone is no error of the service."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def log_message(self, format: str, *arguments: Any) -> None:
        """Say nothing."""

    def _answer(self) -> None:
        body = b"".join(self._body())
        stand_in = self.server.stand_in
        reply = stand_in.record(
            Recorded(self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body)
        )
        try:
            self._send(reply)
        finally:
            stand_in.answered()

    def _body(self) -> Iterator[bytes]:
        if "chunked" in self.headers.get("transfer-encoding", ""):
            while size := int(self.rfile.readline().split(b";")[0], 16):
                yield self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            yield self.rfile.read(int(self.headers.get("content-length") or 0))

    def _send(self, reply: Reply) -> None:
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(sum(map(len, reply.parts)) + reply.missing))
        self.end_headers()
        for index, part in enumerate(reply.parts):
            if reply.release is not None and index == len(reply.parts) - 1:
                self.wfile.flush()
                reply.release.wait(30)
            self.wfile.write(part)
            self.wfile.flush()
        if reply.missing:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
