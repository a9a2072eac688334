"""`Host`: what this plugin asks of the server, in its own words. The only module that knows the server's paths."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from impasto_openai_server.errors import RunFailedError
from impasto_sdk.asgi import HostApi, UploadFile
from impasto_sdk.fields import JsonValue
from impasto_sdk.models import ModelRecord
from impasto_sdk.panels import PanelForm

__all__ = ["Enqueued", "Host", "Item", "StoredImage"]

#: Where items come from, as the queue shows it.
ORIGIN = "openai"


@dataclass(frozen=True, slots=True)
class StoredImage:
    """An image of the library."""

    name: str
    width: int
    height: int
    #: Where it is served, from the root of the server.
    url: str

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.width, self.height


@dataclass(frozen=True, slots=True)
class Enqueued:
    """A batch that waits."""

    batch_id: str
    #: One for each picture, in order.
    item_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Item:
    """A queue item as it is now."""

    status: str
    error: str | None
    #: The names of the images of its results, in the order in which they were made.
    image_names: tuple[str, ...]


class Host:
    """The server's own API. Everything raises `ApiError` when the server refuses."""

    def __init__(self, api: HostApi, queue_id: str) -> None:
        self.api = api
        self._queue = f"/api/v1/queue/{queue_id}"
        self._queue_id = queue_id

    async def forms(self) -> list[PanelForm]:
        """All panels, in order."""
        document = (await self.api.get("/api/v1/panels/")).checked().json()
        return [PanelForm.model_validate(panel) for panel in document["panels"]]

    async def models(self) -> list[ModelRecord]:
        """All model records, by name."""
        document = (await self.api.get("/api/v2/models/")).checked().json()
        return [ModelRecord.model_validate(record) for record in document["models"]]

    async def store(self, data: bytes, extension: str, category: str = "user") -> StoredImage:
        """Put a picture into the library, out of sight of the gallery."""
        answer = await self.api.request(
            "POST",
            "/api/v1/images/upload",
            query={"image_category": category, "is_intermediate": True},
            form={"file": UploadFile(data, f"upload.{extension}", f"image/{extension}")},
        )
        return _image(answer.checked().json())

    async def enqueue(self, panel_id: str, values: Mapping[str, JsonValue], count: int) -> Enqueued:
        """Put the graph of a panel's values into the queue, `count` times with a seed each."""
        answer = await self.api.request(
            "POST",
            f"/api/v1/panels/{panel_id}/enqueue",
            json={"values": dict(values), "runs": count, "queue_id": self._queue_id, "origin": ORIGIN},
        )
        result = answer.checked().json()
        return Enqueued(result["batch"]["batch_id"], tuple(result["item_ids"]))

    async def item(self, item_id: int) -> Item:
        """An item as it is now; one that is gone counts as canceled."""
        answer = await self.api.get(f"{self._queue}/i/{item_id}")
        if answer.status == 404:
            return Item("canceled", None, ())
        document = answer.checked().json()
        names = tuple(_image_names(document["session"]["results"]))
        return Item(document["status"], document["error_message"], names)

    async def picture_of(self, item: Item) -> StoredImage:
        """The picture that a completed item made: the last of its results that is no step on the way.

        Raises `RunFailedError` when there is none.
        """
        body = {"image_names": list(item.image_names)}
        answer = await self.api.request("POST", "/api/v1/images/images_by_names", json=body)
        kept = [image for image in answer.checked().json() if not image["is_intermediate"]]
        if not kept:
            raise RunFailedError("the run ended without a picture; its panel may not be made for pictures")
        return _image(kept[-1])

    async def content(self, image: StoredImage) -> bytes:
        """The file of an image."""
        return (await self.api.get(image.url)).checked().body

    async def cancel(self, enqueued: Enqueued) -> None:
        """Cancel whatever of a batch has not ended."""
        body = {"batch_ids": [enqueued.batch_id]}
        answer = await self.api.request("PUT", f"{self._queue}/cancel_by_batch_ids", json=body)
        if answer.status != 404:
            answer.checked()


def _image(document: Mapping[str, JsonValue]) -> StoredImage:
    url = "/" + document["image_url"].removeprefix("/")
    return StoredImage(document["image_name"], document["width"], document["height"], url)


def _image_names(value: JsonValue) -> Iterator[str]:
    """Every image that outputs refer to."""
    if isinstance(value, dict):
        name = value.get("image_name")
        if isinstance(name, str):
            yield name
        for inner in value.values():
            yield from _image_names(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _image_names(inner)
