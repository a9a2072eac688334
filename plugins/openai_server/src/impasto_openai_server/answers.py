"""What is sent back: the documents of OpenAI's API. Pure."""

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Literal

from impasto_openai_server.image_request import ImageRequest
from impasto_sdk.fields import JsonValue
from impasto_sdk.models import ModelRecord

__all__ = [
    "Kind",
    "completed_event",
    "image_document",
    "images_document",
    "model_document",
    "models_document",
    "partial_event",
    "size_text",
    "sse",
]

Kind = Literal["image_generation", "image_edit"]

#: Nothing is counted in tokens here, and nothing is charged.
_USAGE: dict[str, JsonValue] = {
    "input_tokens": 0,
    "output_tokens": 0,
    "total_tokens": 0,
    "input_tokens_details": {"image_tokens": 0, "text_tokens": 0},
}
#: When a model came is not known.
_UNKNOWN_TIME = 0


def images_document(asked: ImageRequest, data: Sequence[JsonValue], size: str, created: int) -> dict[str, JsonValue]:
    """The answer to a request: ``{created, data: [{b64_json} or {url}], size, …}``. `size`: what was made."""
    return {
        "created": created,
        "data": list(data),
        "background": "opaque",
        "output_format": "png" if asked.as_url else asked.output_format,
        "size": size,
        "usage": _USAGE,
    }


def image_document(data: bytes | None, url: str) -> dict[str, JsonValue]:
    """One picture of an answer: its bytes, or where it is."""
    return {"url": url} if data is None else {"b64_json": base64.b64encode(data).decode()}


def partial_event(
    kind: Kind, asked: ImageRequest, data: bytes, size: str, created: int, place: int
) -> dict[str, JsonValue]:
    """How a picture looks so far; `place` is the preview's among those that are sent, from 0."""
    return {**_event(f"{kind}.partial_image", asked, data, size, created), "partial_image_index": place}


def completed_event(kind: Kind, asked: ImageRequest, data: bytes, size: str, created: int) -> dict[str, JsonValue]:
    """A picture is done."""
    return {**_event(f"{kind}.completed", asked, data, size, created), "usage": _USAGE}


def model_document(model_id: str, record: ModelRecord) -> dict[str, JsonValue]:
    """A model, as OpenAI describes its own."""
    return {
        "id": model_id,
        "object": "model",
        "created": _UNKNOWN_TIME,
        "owned_by": "impasto",
        "name": record.name,
        "description": record.description,
    }


def models_document(models: Mapping[str, ModelRecord]) -> dict[str, JsonValue]:
    """All models."""
    return {"object": "list", "data": [model_document(model_id, record) for model_id, record in models.items()]}


def size_text(size: tuple[int, int]) -> str:
    """A size as this API writes it: ``WIDTHxHEIGHT``."""
    return f"{size[0]}x{size[1]}"


def sse(document: Mapping[str, JsonValue]) -> bytes:
    """A document as a server-sent event, named by its ``type``; an error document is the event ``error``."""
    name = document.get("type", "error")
    return f"event: {name}\ndata: {json.dumps(document, separators=(',', ':'))}\n\n".encode()


def _event(name: str, asked: ImageRequest, data: bytes, size: str, created: int) -> dict[str, JsonValue]:
    return {
        "type": name,
        "b64_json": base64.b64encode(data).decode(),
        "created_at": created,
        "size": size,
        "quality": asked.quality,
        "background": "opaque",
        "output_format": asked.output_format,
    }
