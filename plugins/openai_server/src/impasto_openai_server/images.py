"""`ImagesEndpoint`: makes the pictures of a request while its client waits, whole or as a stream. Imports Starlette."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse
from starlette.types import Message, Receive, Scope, Send

from impasto_openai_server.answers import (
    Kind,
    completed_event,
    image_document,
    images_document,
    partial_event,
    size_text,
    sse,
)
from impasto_openai_server.connection import ClientGoneError, while_connected, with_pauses
from impasto_openai_server.endpoint import host_of, studio_of
from impasto_openai_server.host import Host, StoredImage
from impasto_openai_server.image_request import ImageRequest
from impasto_openai_server.order import Order, order_of
from impasto_openai_server.partial_images import PartialImages
from impasto_openai_server.pictures import encoded, size_of
from impasto_openai_server.responses import as_refusal, refusal_response
from impasto_openai_server.run import Finished, PictureRun, Preview
from impasto_openai_server.settings import OpenAIServerSettings
from impasto_sdk.asgi import settings_of
from impasto_sdk.fields import JsonValue

__all__ = ["ImagesEndpoint"]

#: Seconds of silence after which a comment is sent, so that proxies keep the connection.
HEARTBEAT_S = 15.0
_COMMENT = b": the picture is being made\n\n"
_STREAM_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]


class ImagesEndpoint:
    """Makes pictures. `kind` is how its events are called, `read` how its requests are read."""

    def __init__(self, kind: Kind, read: Callable[[Request], Awaitable[ImageRequest]]) -> None:
        self._kind: Kind = kind
        self._read = read

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request. A client that leaves takes its pictures out of the queue."""
        started = False

        async def watch(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            asked = await self._read(Request(scope, receive))
            await while_connected(receive, self._answer(asked, scope, receive, watch))
        except (ClientDisconnect, ClientGoneError):
            return  # nobody is there to be told
        except Exception as error:  # noqa: BLE001  a request is held off from the server
            refused = as_refusal(error)
            if started:
                await send(_body(sse(refused.document()), more=False))
            else:
                await refusal_response(refused)(scope, receive, send)

    async def _answer(self, asked: ImageRequest, scope: Scope, receive: Receive, send: Send) -> None:
        host, settings = host_of(scope), settings_of(scope, OpenAIServerSettings)
        order = await order_of(asked, await studio_of(scope), host, settings)
        async with PictureRun(host, order, previews=asked.stream and asked.partial_images > 0) as run:
            if asked.stream:
                await self._stream(asked, host, order, run, send)
            else:
                document = await _whole(asked, host, run, Request(scope))
                await JSONResponse(document)(scope, receive, send)

    async def _stream(self, asked: ImageRequest, host: Host, order: Order, run: PictureRun, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": _STREAM_HEADERS})
        chosen = PartialImages(asked.partial_images)
        async with aclosing(with_pauses(run.pictures(), HEARTBEAT_S)) as pictures:
            async for told in pictures:
                if told is None:
                    await send(_body(_COMMENT))
                elif isinstance(told, Finished):
                    data = await _content(asked, host, told.image)
                    event = completed_event(self._kind, asked, data, size_text(told.image.size), int(time.time()))
                    await send(_body(sse(event)))
                elif (place := chosen.place(told.index, told.share)) is not None:
                    await send(_body(sse(await self._partial(asked, order, told, place))))
        await send(_body(b"", more=False))

    async def _partial(self, asked: ImageRequest, order: Order, preview: Preview, place: int) -> dict[str, JsonValue]:
        """A preview as large as the picture will be, so that it can be shown in its place."""
        size = order.size if order.size is not None else await asyncio.to_thread(size_of, preview.picture)
        data = await asyncio.to_thread(
            encoded, preview.picture, asked.output_format, asked.output_compression, size=size
        )
        return partial_event(self._kind, asked, data, size_text(size), int(time.time()), place)


async def _whole(asked: ImageRequest, host: Host, run: PictureRun, request: Request) -> dict[str, JsonValue]:
    """The answer with all pictures, in order, once all of them are done."""
    made: dict[int, StoredImage] = {}
    async with aclosing(run.pictures()) as pictures:
        async for told in pictures:
            if isinstance(told, Finished):
                made[told.index] = told.image
    images = [made[index] for index in sorted(made)]
    data = [
        image_document(None if asked.as_url else await _content(asked, host, image), _address(request, image))
        for image in images
    ]
    return images_document(asked, data, size_text(images[0].size), int(time.time()))


async def _content(asked: ImageRequest, host: Host, image: StoredImage) -> bytes:
    """The picture in the format that was asked for."""
    data = await host.content(image)
    return await asyncio.to_thread(encoded, data, asked.output_format, asked.output_compression)


def _address(request: Request, image: StoredImage) -> str:
    """Where a client finds an image: clients fetch it as it stands, so it is whole."""
    root = request.scope.get("app_root_path", "")
    return str(request.url.replace(path=f"{root}{image.url}", query="", fragment=""))


def _body(data: bytes, *, more: bool = True) -> Message:
    return {"type": "http.response.body", "body": data, "more_body": more}
