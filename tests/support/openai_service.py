"""Answers of OpenAI's Images API as it gives them, for a `StandIn` that speaks its wire format, and a context that asks
it. ::

    with StandIn() as service:
        service.answers(answer(signed_picture()), failure(503, message="Overloaded"), streamed([signed_picture()]))
        run_node(OpenAIImageGeneration(model=openai_model("gpt-image-1"), …), openai_context(service))

Shapes are those of OpenAI's API description, which its own Python client is made of; a test holds them to that client.
"""

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from impasto_openai.provider import OpenAIProvider
from impasto_sdk.fields import ModelIdentifierField
from impasto_sdk.models import ModelRecord
from impasto_sdk.testing import FakeContext
from support.provider_contexts import provider_context, records_of
from support.stand_in import Recorded, Reply, StandIn

__all__ = [
    "OPENAI_KEY",
    "REQUEST_ID",
    "FormPart",
    "addresses",
    "answer",
    "error",
    "failure",
    "form_of",
    "model_list",
    "openai_context",
    "openai_model",
    "openai_records",
    "painted",
    "previewed",
    "refused",
    "streamed",
    "tokens",
    "unpaid",
    "wrong_key",
]

#: A key of the form that the service gives out. It opens nothing.
OPENAI_KEY = "sk-proj-standinkeywhichopensnothing1234"
REQUEST_ID = "req_3f1c5a0e9d7b4c2f8a6e"
_CREATED = 1_763_800_000
#: What the service says it chose, where it was left to it.
_CHOICES = {"background": "opaque", "output_format": "png", "quality": "medium", "size": "1024x1024"}


def openai_records() -> dict[str, ModelRecord]:
    """The records of the provider's models, by the id that the service knows."""
    return records_of(OpenAIProvider)


def openai_model(model_id: str) -> ModelIdentifierField:
    """What a node's `model` is to be for one of them."""
    return openai_records()[model_id].identifier()


def openai_context(service: StandIn, *, api_key: str | None = OPENAI_KEY, places: int = 4) -> FakeContext:
    """A context with all of the provider's models and a key, whose OpenAI is `service`."""
    return provider_context(OpenAIProvider, f"{service.url}/v1", api_key=api_key, places=places)


def tokens(text: int = 12, image: int = 0, output: int = 1056, words: int | None = None) -> dict[str, Any]:
    """The meter of an answer; `words`: of `output`, those that are no picture, where the service tells them apart."""
    usage: dict[str, Any] = {
        "input_tokens": text + image,
        "input_tokens_details": {"image_tokens": image, "text_tokens": text},
        "output_tokens": output,
        "total_tokens": text + image + output,
    }
    if words is not None:
        usage["output_tokens_details"] = {"image_tokens": output - words, "text_tokens": words}
    return usage


def answer(*data: bytes, usage: dict[str, Any] | None = None, **more: Any) -> Reply:
    """Pictures of GPT Image, in one document."""
    document = {
        "created": _CREATED,
        **_CHOICES,
        "data": [{"b64_json": _encoded(one)} for one in data],
        "usage": usage or tokens(),
        **more,
    }
    return Reply.json(document, x_request_id=REQUEST_ID)


def addresses(*urls: str) -> Reply:
    """Pictures of DALL·E, as addresses."""
    data = [{"revised_prompt": "A tall lighthouse at dusk.", "url": url} for url in urls]
    return Reply.json({"created": _CREATED, "data": data}, x_request_id=REQUEST_ID)


def painted(data: bytes) -> Reply:
    """A picture of DALL·E, in the answer itself."""
    entry = {"revised_prompt": "A tall lighthouse at dusk.", "b64_json": _encoded(data)}
    return Reply.json({"created": _CREATED, "data": [entry]}, x_request_id=REQUEST_ID)


def streamed(
    pictures: Sequence[bytes],
    *,
    previews: int = 1,
    kind: str = "image_generation",
    last: Mapping[str, Any] | None = None,
    usage: dict[str, Any] | None = None,
) -> Reply:
    """Pictures of GPT Image as events: previews of each, then the picture itself. `last`: one more document.

    `kind`: ``image_generation`` or ``image_edit``.
    """
    documents: list[Mapping[str, Any]] = []
    for data in pictures:
        documents += [previewed(data, number, kind) for number in range(previews)]
        documents.append(_event(f"{kind}.completed", data, usage=usage or tokens()))
    reply = Reply.events(*documents, *([last] if last else []), done=last is None)
    return Reply(headers={**reply.headers, "x-request-id": REQUEST_ID}, parts=reply.parts)


def previewed(data: bytes, number: int = 0, kind: str = "image_generation") -> dict[str, Any]:
    """The event of an unfinished picture."""
    return _event(f"{kind}.partial_image", data, partial_image_index=number)


def error(message: str, code: str | None = None, kind: str = "invalid_request_error") -> dict[str, Any]:
    """The document of a failure."""
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


def failure(
    status: int, message: str, code: str | None = None, kind: str = "invalid_request_error", **headers: str
) -> Reply:
    """A failure; header names are written with underscores."""
    return Reply.json(error(message, code, kind), status, x_request_id=REQUEST_ID, **headers)


def refused(code: str = "moderation_blocked") -> Reply:
    """The service's safety rules refuse the request."""
    message = (
        "Your request was rejected by the safety system. If you believe this is an error, contact us at "
        f"help.openai.com and include the request ID {REQUEST_ID}. safety_violations=[violence]."
    )
    return failure(400, message, code, "image_generation_user_error")


def unpaid(code: str = "insufficient_quota") -> Reply:
    """The account has no credit left: with the status of too many requests, though waiting does not help."""
    message = "You exceeded your current quota, please check your plan and billing details."
    return failure(429, message, code, code)


def wrong_key(quoted: str) -> Reply:
    """The service does not know the key, of which it repeats something."""
    message = (
        f"Incorrect API key provided: {quoted}. You can find your API key at "
        "https://platform.openai.com/account/api-keys."
    )
    return failure(401, message, "invalid_api_key")


def model_list() -> Reply:
    """The models that a key may use, cut to one."""
    model = {"id": "gpt-image-1.5", "object": "model", "created": 1_765_000_000, "owned_by": "system"}
    return Reply.json({"object": "list", "data": [model]})


@dataclass(frozen=True)
class FormPart:
    """One part of a multipart form."""

    name: str
    data: bytes
    filename: str | None = None
    media_type: str | None = None


def form_of(request: Recorded) -> list[FormPart]:
    """The parts of a request's form, in order, with the bytes as they came."""
    found = re.fullmatch(r"multipart/form-data; boundary=(\S+)", request.headers["content-type"])
    assert found is not None, request.headers["content-type"]
    start, *parts, end = request.body.split(b"--" + found[1].encode())
    assert (start, end) == (b"", b"--\r\n")
    return [_form_part(part) for part in parts]


def _form_part(part: bytes) -> FormPart:
    head, _, data = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().splitlines())
    disposition = {name.lower(): value for name, value in headers.items()}["content-disposition"]
    names = dict(re.findall(r'(\w+)="([^"]*)"', disposition))
    media_type = {name.lower(): value for name, value in headers.items()}.get("content-type")
    assert data.endswith(b"\r\n")
    return FormPart(names["name"], data[:-2], names.get("filename"), media_type)


def _event(kind: str, data: bytes, **more: Any) -> dict[str, Any]:
    return {"type": kind, "b64_json": _encoded(data), "created_at": _CREATED, **_CHOICES, **more}


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()
