"""`Client`: a server's HTTP interface as the commands use it. Answers are JSON values, failures are our own errors."""

import itertools
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx

from impasto.cli.event_stream import EventMessage, read_events
from impasto.cli.failures import CommandError, RequestRefusedError
from impasto.errors import ServerError

__all__ = ["Client", "JsonObject"]

#: An object of an answer. Its shape is the server's business; the commands read single keys.
JsonObject = dict[str, Any]

#: Seconds a server may take to answer, and to send something (an event or a sign of life) on the event stream.
TIMEOUT_S = 60.0


class Client:
    """Speaks to one server. Raises `ServerError` when it cannot be reached, `RequestRefusedError` when it refuses."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self._http = httpx.Client(
            base_url=self.url,
            timeout=TIMEOUT_S,
            # a proxy of the environment would be asked for a server on this machine
            trust_env=False,
            # certificates take longer to read than most answers
            verify=self.url.startswith("https:"),
        )

    def __enter__(self) -> "Client":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._http.close()

    def get(self, path: str, **parameters: str | int | bool) -> Any:
        """What a path answers."""
        return self._json(self._request("GET", path, params=parameters))

    def put(self, path: str, body: object = None) -> Any:
        """What a path answers to a change."""
        return self._json(self._request("PUT", path, json=body))

    def delete(self, path: str) -> None:
        """Have what a path names gone."""
        self._request("DELETE", path)

    def post(self, path: str, body: object) -> Any:
        """What a path answers to something new."""
        return self._json(self._request("POST", path, json=body))

    def patch(self, path: str, body: object) -> Any:
        """What a path answers to a change of a part."""
        return self._json(self._request("PATCH", path, json=body))

    def enqueue(self, path: str, body: Mapping[str, object]) -> JsonObject:
        """Put work into a queue, once: a key makes the server recognise a repeated request. An `EnqueueBatchResult`."""
        headers = {"Idempotency-Key": uuid.uuid4().hex}
        result: JsonObject = self._json(self._request("POST", path, json=body, headers=headers))
        return result

    def upload_image(self, path: Path) -> JsonObject:
        """Store a picture as the user's own; its record. Raises `CommandError` when the file cannot be read."""
        try:
            data = path.read_bytes()
        except OSError as error:
            raise CommandError(f"{path} cannot be read: {error.strerror}") from error
        parameters = {"image_category": "user", "is_intermediate": "false"}
        response = self._request("POST", "/api/v1/images/upload", params=parameters, files={"file": (path.name, data)})
        record: JsonObject = self._json(response)
        return record

    def image(self, name: str) -> JsonObject:
        """An image's record."""
        record: JsonObject = self.get(f"/api/v1/images/i/{name}")
        return record

    def image_data(self, name: str) -> bytes:
        """An image's file, as it was made."""
        return self._request("GET", f"/api/v1/images/i/{name}/full").content

    def reasons_not_ready(self) -> list[str]:
        """Why the server cannot run anything now; empty when it can."""
        # 503 is an answer here, not a refusal
        reasons: list[str] = self._json(self._send("GET", "/health/ready"))["reasons"]
        return reasons

    @contextmanager
    def events(self, since: str | None = None, **only: str | int) -> Iterator[Iterator[EventMessage]]:
        """A stream of events from now on, or of what came after the event `since`; open before anything is enqueued.

        `only` narrows it: `queue_id`, `item_id`, `batch_id`.

        The iterator ends when the connection does, and after `TIMEOUT_S` without a sign of life.
        """
        headers = {"Accept": "text/event-stream", **({} if since is None else {"Last-Event-ID": since})}
        try:
            with self._http.stream("GET", "/api/v1/events", headers=headers, params=only) as response:
                self._raise_for_problem(response)
                messages = read_events(response.iter_lines())
                # the stream is there once it says hello; the headers alone promise nothing
                hello = next(messages, None)
                if hello is None:
                    raise ServerError(f"the server at {self.url} ends its event stream at once; it may be stopping")
                yield itertools.chain([hello], messages)
        except httpx.TransportError as error:
            raise self._unreachable(error) from error

    def _request(self, method: str, path: str, **options: Any) -> httpx.Response:
        response = self._send(method, path, **options)
        self._raise_for_problem(response)
        return response

    def _send(self, method: str, path: str, **options: Any) -> httpx.Response:
        try:
            return self._http.request(method, path, **options)
        except httpx.TransportError as error:
            raise self._unreachable(error) from error

    def _unreachable(self, error: httpx.TransportError) -> ServerError:
        return ServerError(f"the server at {self.url} cannot be reached: {error}")

    def _raise_for_problem(self, response: httpx.Response) -> None:
        if response.is_success:
            return
        response.read()
        where = f"{response.request.method} {response.request.url.path}"
        try:
            document = response.json()
            detail = str(document["detail"])
        except (ValueError, KeyError, TypeError):
            # not a problem document: something else answers at that address
            raise RequestRefusedError(
                response.status_code, f"{where} at {self.url} answered {response.status_code}"
            ) from None
        raise RequestRefusedError(
            response.status_code,
            detail,
            title=str(document.get("title", "Refused")),
            errors=document.get("errors") or (),
        )

    def _json(self, response: httpx.Response) -> Any:
        try:
            return response.json()
        except ValueError:
            path = response.request.url.path
            raise ServerError(f"{self.url} is no Impasto server: {path} did not answer with JSON") from None
