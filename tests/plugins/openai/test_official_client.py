"""OpenAI's own Python client, pointed at the same stand-in with equal inputs, sends what our adapter sends.

It also reads what the stand-in answers, so that the recorded shapes are the service's.
"""

import asyncio
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from openai.types import (
    ImageEditCompletedEvent,
    ImageEditPartialImageEvent,
    ImageGenCompletedEvent,
    ImageGenPartialImageEvent,
    ImagesResponse,
)
from PIL import Image
from support.openai_service import (
    OPENAI_KEY,
    FormPart,
    answer,
    failure,
    form_of,
    model_list,
    openai_model,
    painted,
    refused,
    streamed,
    tokens,
    unpaid,
)
from support.provenance import signed_picture
from support.stand_in import Recorded, StandIn

from impasto_openai.mask import transparent_mask
from impasto_openai.node import OpenAIImageGeneration
from impasto_openai.provider import OpenAIProvider
from impasto_sdk.testing import FakeContext, FakeProviderAccess, run_node

FIRST, SECOND = signed_picture("PNG"), signed_picture("JPEG")
MASK = Image.new("L", (16, 16), 255)
#: File names are ours, for the client takes whatever it is given.
FIRST_FILE, SECOND_FILE = ("image-1.png", FIRST, "image/png"), ("image-2.jpg", SECOND, "image/jpeg")


@pytest.fixture
def client(service: StandIn) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(api_key=OPENAI_KEY, base_url=f"{service.url}/v1", max_retries=0) as official:
        yield official


def ask(service: StandIn, context: FakeContext, **inputs: Any) -> Recorded:
    """What our node sends."""
    run_node(OpenAIImageGeneration(**{"id": "n", "prompt": "a lighthouse", **inputs}), context)
    return service.requests[-1]


def head_of(request: Recorded) -> tuple[str, str, str, str]:
    """What must be the same in every request, beside the body. A form's boundary is the sender's own affair."""
    media_type = request.headers["content-type"].partition(";")[0]
    return request.method, request.path, request.headers["authorization"], media_type


WORDS = [
    pytest.param(
        {"model": openai_model("gpt-image-1"), "partial_images": 0},
        {
            "model": "gpt-image-1", "n": 1, "size": "1024x1024", "quality": "auto", "background": "auto",
            "output_format": "png", "moderation": "auto",
        },
        id="gpt-image-1",
    ),
    pytest.param(
        {
            "model": openai_model("gpt-image-1.5"), "width": 1536, "quality": "high",
            "background": "transparent", "output_format": "webp", "output_compression": 70, "moderation": "low",
            "partial_images": 3,
        },
        {
            "model": "gpt-image-1.5", "n": 1, "size": "1536x1024", "quality": "high", "background": "transparent",
            "output_format": "webp", "output_compression": 70, "moderation": "low", "stream": True, "partial_images": 3,
        },
        id="gpt-image-1.5 with every option",
    ),
    pytest.param(
        {"model": openai_model("gpt-image-1-mini"), "quality": "low", "height": 1536, "output_format": "jpeg"},
        {
            "model": "gpt-image-1-mini", "n": 1, "size": "1024x1536", "quality": "low", "background": "auto",
            "output_format": "jpeg", "moderation": "auto", "stream": True, "partial_images": 1,
        },
        id="gpt-image-1-mini",
    ),
    pytest.param(
        {"model": openai_model("dall-e-3"), "quality": "high", "style": "natural", "height": 1792},
        {
            "model": "dall-e-3", "n": 1, "size": "1024x1792", "quality": "hd", "style": "natural",
            "response_format": "b64_json",
        },
        id="dall-e-3",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("inputs", "arguments"), WORDS)
def test_pictures_from_words_are_asked_for_as_the_client_does(
    service: StandIn, context: FakeContext, client: openai.OpenAI, inputs: dict[str, Any], arguments: dict[str, Any]
) -> None:
    service.answers(answer(FIRST))
    ours = ask(service, context, **inputs)
    client.images.generate(prompt="a lighthouse", **arguments)
    theirs = service.requests[-1]
    assert head_of(ours) == head_of(theirs)
    assert ours.json == theirs.json


EDITS = [
    pytest.param(
        {"init_image": FIRST, "mode": "img2img", "partial_images": 0},
        {"image": FIRST_FILE},
        id="one image",
    ),
    pytest.param(
        {"reference_images": [FIRST, SECOND], "quality": "medium", "partial_images": 2},
        {"image": [FIRST_FILE, SECOND_FILE], "quality": "medium", "stream": True, "partial_images": 2},
        id="several images, streamed",
    ),
    pytest.param(
        {
            "init_image": FIRST, "mask_image": MASK, "reference_images": [SECOND], "mode": "inpaint", "width": 1536,
            "input_fidelity": "high", "background": "opaque", "output_format": "jpeg", "output_compression": 90,
        },
        {
            "image": [FIRST_FILE, SECOND_FILE], "mask": "the mask", "size": "1536x1024", "input_fidelity": "high",
            "background": "opaque", "output_format": "jpeg", "output_compression": 90, "stream": True,
            "partial_images": 1,
        },
        id="a mask and every option",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("inputs", "arguments"), EDITS)
def test_images_are_edited_as_the_client_does(
    service: StandIn, context: FakeContext, client: openai.OpenAI, inputs: dict[str, Any], arguments: dict[str, Any]
) -> None:
    service.answers(answer(FIRST))
    given = {name: _stored(value, context) for name, value in inputs.items()}
    ours = ask(service, context, model=openai_model("gpt-image-1.5"), **given)
    usual = {"n": 1, "size": "1024x1024", "quality": "auto", "background": "auto", "output_format": "png"}
    if "mask" in arguments:
        mask = context.images.load_bytes(given["mask_image"])
        arguments = {**arguments, "mask": ("mask.png", transparent_mask(mask), "image/png")}
    client.images.edit(model="gpt-image-1.5", prompt="a lighthouse", **{**usual, **arguments})
    theirs = service.requests[-1]
    assert head_of(ours) == head_of(theirs)
    assert _sorted(form_of(ours)) == _sorted(form_of(theirs))
    images = [part for part in form_of(ours) if part.name.startswith("image")]
    assert images == [part for part in form_of(theirs) if part.name.startswith("image")]


def test_a_key_is_tried_as_the_client_lists_models(service: StandIn, client: openai.OpenAI) -> None:
    service.answers(model_list())
    asyncio.run(OpenAIProvider(FakeProviderAccess(OPENAI_KEY, f"{service.url}/v1")).verify())
    client.models.list()
    ours, theirs = service.requests
    assert (ours.method, ours.path, ours.body) == (theirs.method, theirs.path, theirs.body)
    assert ours.headers["authorization"] == theirs.headers["authorization"]


def test_the_client_reads_the_stand_in_s_answers(service: StandIn, client: openai.OpenAI) -> None:
    service.answers(answer(FIRST, SECOND, usage=tokens(words=100)), painted(FIRST))
    found = client.images.generate(prompt="p", model="gpt-image-1.5")
    ImagesResponse.model_validate(found.model_dump(), strict=True)
    assert found.usage is not None
    assert found.usage.output_tokens_details is not None
    assert found.usage.output_tokens_details.text_tokens == 100
    ImagesResponse.model_validate(client.images.generate(prompt="p", model="dall-e-3").model_dump(), strict=True)


@pytest.mark.parametrize(
    ("kind", "preview", "end"),
    [
        ("image_generation", ImageGenPartialImageEvent, ImageGenCompletedEvent),
        ("image_edit", ImageEditPartialImageEvent, ImageEditCompletedEvent),
    ],
)
def test_the_client_reads_the_stand_in_s_events(
    service: StandIn, client: openai.OpenAI, kind: str, preview: type, end: type
) -> None:
    service.answers(streamed([FIRST, FIRST], kind=kind))
    if kind == "image_generation":
        found = list(client.images.generate(prompt="p", model="gpt-image-1", stream=True, partial_images=1))
    else:
        found = list(client.images.edit(prompt="p", image=FIRST, stream=True, partial_images=1))
    assert [type(event) for event in found] == [preview, end, preview, end]
    for event in found:
        type(event).model_validate(event.model_dump(), strict=True)


def test_the_client_reads_the_stand_in_s_failures(service: StandIn, client: openai.OpenAI) -> None:
    service.answers(refused(), unpaid(), failure(503, "Overloaded", kind="server_error"))
    with pytest.raises(openai.BadRequestError) as bad:
        client.images.generate(prompt="p")
    assert (bad.value.code, bad.value.type) == ("moderation_blocked", "image_generation_user_error")
    with pytest.raises(openai.RateLimitError) as unable:
        client.images.generate(prompt="p")
    assert unable.value.code == "insufficient_quota"
    with pytest.raises(openai.InternalServerError, match="Overloaded"):
        client.images.generate(prompt="p")


def _stored(value: Any, context: FakeContext) -> Any:
    if isinstance(value, list):
        return [_stored(item, context) for item in value]
    return context.images.add(value) if isinstance(value, bytes | Image.Image) else value


def _sorted(parts: list[FormPart]) -> list[FormPart]:
    """In an order of ours: the service goes by the names of parts, and by order only among those of one name."""
    return sorted(parts, key=lambda part: part.name)
