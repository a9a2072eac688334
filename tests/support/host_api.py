"""`StandInHost`: as much of the server's API as a web app needs that makes pictures, and what it tells is a script.

For tests of what cannot be had from a real server on demand: a worker that is lost in the middle, a stream of events
that breaks off, a server that stops. `app_in` mounts a web app on it as the server does.
"""

import asyncio
import io
import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from PIL import Image
from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from impasto_sdk.asgi import API_SCOPE, SETTINGS_SCOPE, HostApi
from impasto_sdk.contributions import AsgiApp
from impasto_sdk.models import ModelRecord
from impasto_sdk.panels import PanelForm

__all__ = ["Close", "Ended", "Seen", "StandInHost", "app_in", "picture"]


@dataclass(frozen=True)
class Seen:
    """A node is so far with a picture, which looks like this."""

    item: int
    share: float
    colour: tuple[int, int, int] = (0, 0, 255)


@dataclass(frozen=True)
class Ended:
    """An item has ended; `event` is what tells of it, None: nothing, as when the event was missed."""

    item: int
    status: str = "completed"
    error: str | None = None
    event: str | None = "queue_item_status_changed"


@dataclass(frozen=True)
class Close:
    """The server ends the stream of events."""

    code: int
    reason: str = ""


@dataclass
class StandInHost:
    """The API. `script`: what is told once something is enqueued; after its end nothing more happens."""

    forms: Sequence[PanelForm]
    models: Sequence[ModelRecord]
    script: Sequence[Seen | Ended | Close] = ()
    #: Answers by path and method, in place of its own: status, document, headers.
    refusals: dict[str, tuple[int, dict[str, Any], dict[str, str]]] = field(default_factory=dict)
    #: What was enqueued: ``{panel_id, values, runs, …}``.
    enqueued: list[dict[str, Any]] = field(default_factory=list)
    #: Bytes of what was uploaded, by name.
    uploads: dict[str, bytes] = field(default_factory=dict)
    cancelled: list[str] = field(default_factory=list)
    #: The `last_id` of each stream of events that was opened.
    streams: list[str | None] = field(default_factory=list)
    #: How many of them are open.
    listeners: int = 0
    #: The images of an item's results, as (name, whether it is a step on the way).
    results: Sequence[tuple[str, bool]] = (("step.png", True), ("made.png", False))

    def __post_init__(self) -> None:
        self._told = 0
        self._statuses: dict[int, tuple[str, str | None]] = {}
        self._waiting = asyncio.Event()
        self._app = Starlette(
            routes=[
                Route("/api/v1/panels/", self._panels),
                Route("/api/v2/models/", self._list_models),
                Route("/api/v1/images/upload", self._upload, methods=["POST"]),
                Route("/api/v1/images/images_by_names", self._by_names, methods=["POST"]),
                Route("/api/v1/images/i/{name}/full", self._file),
                Route("/api/v1/panels/{panel_id}/enqueue", self._enqueue, methods=["POST"]),
                Route("/api/v1/queue/default/i/{item_id:int}", self._item),
                Route("/api/v1/queue/default/cancel_by_batch_ids", self._cancel, methods=["PUT"]),
                WebSocketRoute("/api/v1/events/ws", self._events),
            ]
        )

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        refusal = self.refusals.get(scope["path"])
        if refusal is not None and scope["type"] == "http":
            status, document, headers = refusal
            await JSONResponse(document, status, headers)(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _panels(self, request: Request) -> Response:
        return JSONResponse({"panels": [form.to_document() for form in self.forms]})

    async def _list_models(self, request: Request) -> Response:
        return JSONResponse({"models": [record.model_dump(mode="json") for record in self.models]})

    async def _upload(self, request: Request) -> Response:
        async with request.form() as form:
            file = form["file"]
            assert not isinstance(file, str)
            data = await file.read()
        name = f"upload-{len(self.uploads)}.png"
        self.uploads[name] = data
        with Image.open(io.BytesIO(data)) as opened:
            return JSONResponse(_image(name, *opened.size, is_intermediate=True), 201)

    async def _by_names(self, request: Request) -> Response:
        names = (await request.json())["image_names"]
        steps = dict(self.results)
        return JSONResponse([_image(name, 16, 8, is_intermediate=steps[name]) for name in names])

    async def _file(self, request: Request) -> Response:
        return Response(picture((255, 0, 0)), media_type="image/png")

    async def _enqueue(self, request: Request) -> Response:
        asked = {"panel_id": request.path_params["panel_id"], **(await request.json())}
        self.enqueued.append(asked)
        item_ids = list(range(1, asked["runs"] + 1))
        self._statuses = dict.fromkeys(item_ids, ("pending", None))
        self._waiting.set()
        return JSONResponse({"batch": {"batch_id": "the-batch"}, "item_ids": item_ids}, 201)

    async def _item(self, request: Request) -> Response:
        status, error = self._statuses[request.path_params["item_id"]]
        if status == "deleted":
            return JSONResponse({"detail": "no such item"}, 404)
        outputs = {name: {"type": "image_output", "image": {"image_name": name}} for name, _ in self.results}
        session = {"results": outputs if status == "completed" else {}}
        return JSONResponse({"status": status, "error_message": error, "session": session})

    async def _cancel(self, request: Request) -> Response:
        self.cancelled += (await request.json())["batch_ids"]
        return JSONResponse({"canceled": 1})

    async def _events(self, socket: WebSocket) -> None:
        self.streams.append(socket.query_params.get("last_id"))
        await socket.accept()
        await socket.send_json({"id": self._told, "event": "hello", "data": {}})
        self.listeners += 1
        telling = asyncio.create_task(self._tell(socket))
        try:
            while True:
                await socket.receive_text()
        except WebSocketDisconnect:
            pass
        finally:
            self.listeners -= 1
            telling.cancel()

    async def _tell(self, socket: WebSocket) -> None:
        await self._waiting.wait()
        while self._told < len(self.script):
            step = self.script[self._told]
            self._told += 1
            match step:
                case Seen():
                    await self._show(socket, step)
                case Ended():
                    self._statuses[step.item] = (step.status, step.error)
                    if step.event is None:
                        continue
                    data = {"item_id": step.item, "status": step.status}
                    await socket.send_json({"id": self._told, "event": step.event, "data": data})
                case Close():
                    await socket.close(step.code, step.reason)
                    return

    async def _show(self, socket: WebSocket, seen: Seen) -> None:
        data = {"item_id": seen.item, "percentage": seen.share}
        await socket.send_json({"id": self._told, "event": "invocation_progress", "data": data})
        header = {
            "id": self._told, "item_id": seen.item, "invocation_source_id": "denoise", "media_type": "image/webp",
        }  # fmt: skip
        encoded = json.dumps(header).encode()
        await socket.send_bytes(struct.pack(">I", len(encoded)) + encoded + picture(seen.colour, "WEBP"))


def app_in(app: AsgiApp, host: AsgiApp, *settings: BaseModel, at: str = "/v1") -> HostApi:
    """A client for `app`, mounted at a path of `host` as a server does it; `settings` are the operator's."""
    chosen = {type(one): one for one in settings}

    async def mounted(scope: Any, receive: Any, send: Any) -> None:
        about = {API_SCOPE: host, SETTINGS_SCOPE: lambda kind: chosen.get(kind) or kind(), "root_path": at}
        await app({**scope, **about}, receive, send)

    return HostApi(mounted, {"host": "pictures.example:9090"})


def picture(colour: tuple[int, int, int], form: str = "PNG") -> bytes:
    """A small picture of one colour, 4 × 2."""
    data = io.BytesIO()
    Image.new("RGB", (4, 2), colour).save(data, form)
    return data.getvalue()


def _image(name: str, width: int, height: int, *, is_intermediate: bool) -> Mapping[str, Any]:
    return {
        "image_name": name,
        "image_url": f"api/v1/images/i/{name}/full",
        "width": width,
        "height": height,
        "is_intermediate": is_intermediate,
    }
