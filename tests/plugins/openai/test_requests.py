"""What goes over the wire, byte for byte: every model in every mode, with every size and every option."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from PIL import Image
from support.openai_service import OPENAI_KEY, FormPart, answer, form_of, openai_model, painted
from support.provenance import signed_picture
from support.stand_in import StandIn

from impasto_openai.node import OpenAIImageGeneration
from impasto_sdk.testing import FakeContext, run_node

PICTURE = signed_picture()
FIRST, SECOND, THIRD = signed_picture("PNG"), signed_picture("JPEG"), signed_picture("WEBP")
#: White in its left half.
MASK = Image.new("L", (16, 16), 0)
MASK.paste(255, (0, 0, 8, 16))

GPT_IMAGES = ["gpt-image-1", "gpt-image-1.5", "gpt-image-1-mini"]
WITH_FIDELITY = ["gpt-image-1", "gpt-image-1.5"]


def node(model: str, **inputs: Any) -> OpenAIImageGeneration:
    return OpenAIImageGeneration(**{"id": "n", "model": openai_model(model), "prompt": "a lighthouse", **inputs})


def _by_inputs(*cases: tuple[dict[str, Any], Any]) -> list[Any]:
    """Cases that are called by what the node is given."""
    return [
        pytest.param(*case, id=" ".join(f"{name}={value}" for name, value in case[0].items()) or "nothing said")
        for case in cases
    ]


@pytest.mark.parametrize("model", GPT_IMAGES)
@pytest.mark.parametrize(
    ("inputs", "expected"),
    _by_inputs(
        (
            {},
            '"n":1,"size":"1024x1024","quality":"auto","background":"auto","output_format":"png",'
            '"moderation":"auto","stream":true,"partial_images":1',
        ),
        (
            {"quality": "high"},
            '"n":1,"size":"1024x1024","quality":"high","background":"auto","output_format":"png",'
            '"moderation":"auto","stream":true,"partial_images":1',
        ),
        (
            {"quality": "medium"},
            '"n":1,"size":"1024x1024","quality":"medium","background":"auto","output_format":"png",'
            '"moderation":"auto","stream":true,"partial_images":1',
        ),
        (
            {"quality": "low"},
            '"n":1,"size":"1024x1024","quality":"low","background":"auto","output_format":"png",'
            '"moderation":"auto","stream":true,"partial_images":1',
        ),
        (
            {"background": "transparent"},
            '"n":1,"size":"1024x1024","quality":"auto","background":"transparent","output_format":"png",'
            '"moderation":"auto","stream":true,"partial_images":1',
        ),
        (
            {"background": "opaque"},
            '"n":1,"size":"1024x1024","quality":"auto","background":"opaque","output_format":"png",'
            '"moderation":"auto","stream":true,"partial_images":1',
        ),
        (
            {"output_format": "jpeg", "output_compression": 0},
            '"n":1,"size":"1024x1024","quality":"auto","background":"auto","output_format":"jpeg",'
            '"output_compression":0,"moderation":"auto","stream":true,"partial_images":1',
        ),
        (
            {"output_format": "webp", "output_compression": 80, "background": "transparent"},
            '"n":1,"size":"1024x1024","quality":"auto","background":"transparent","output_format":"webp",'
            '"output_compression":80,"moderation":"auto","stream":true,"partial_images":1',
        ),
        (
            {"moderation": "low"},
            '"n":1,"size":"1024x1024","quality":"auto","background":"auto","output_format":"png",'
            '"moderation":"low","stream":true,"partial_images":1',
        ),
        (
            {"partial_images": 3},
            '"n":1,"size":"1024x1024","quality":"auto","background":"auto","output_format":"png",'
            '"moderation":"auto","stream":true,"partial_images":3',
        ),
        (
            {"partial_images": 0},
            '"n":1,"size":"1024x1024","quality":"auto","background":"auto","output_format":"png","moderation":"auto"',
        ),
        (
            # the service refuses to stream several
            {"partial_images": 2, "num_images": 10, "width": 1536},
            '"n":10,"size":"1536x1024","quality":"auto","background":"auto","output_format":"png","moderation":"auto"',
        ),
        (
            {"partial_images": 0, "num_images": 2, "height": 1536},
            '"n":2,"size":"1024x1536","quality":"auto","background":"auto","output_format":"png","moderation":"auto"',
        ),
    ),
)
def test_gpt_image_from_words(
    service: StandIn, context: FakeContext, model: str, inputs: dict[str, Any], expected: str
) -> None:
    service.answers(answer(*[PICTURE] * inputs.get("num_images", 1)))
    run_node(node(model, **inputs), context)
    (request,) = service.requests
    assert (request.method, request.path) == ("POST", "/v1/images/generations")
    assert request.headers["authorization"] == f"Bearer {OPENAI_KEY}"
    assert request.headers["content-type"] == "application/json"
    assert request.body.decode() == f'{{"model":"{model}","prompt":"a lighthouse",{expected}}}'


@pytest.mark.parametrize(
    ("inputs", "expected"),
    _by_inputs(
        ({}, '"size":"1024x1024","quality":"standard","response_format":"b64_json"'),
        ({"quality": "low"}, '"size":"1024x1024","quality":"standard","response_format":"b64_json"'),
        ({"quality": "medium"}, '"size":"1024x1024","quality":"standard","response_format":"b64_json"'),
        ({"quality": "high"}, '"size":"1024x1024","quality":"hd","response_format":"b64_json"'),
        ({"style": "vivid"}, '"size":"1024x1024","quality":"standard","style":"vivid","response_format":"b64_json"'),
        (
            {"style": "natural"},
            '"size":"1024x1024","quality":"standard","style":"natural","response_format":"b64_json"',
        ),
        ({"width": 1792}, '"size":"1792x1024","quality":"standard","response_format":"b64_json"'),
        ({"height": 1792}, '"size":"1024x1792","quality":"standard","response_format":"b64_json"'),
    ),
)
def test_dall_e_3_from_words(service: StandIn, context: FakeContext, inputs: dict[str, Any], expected: str) -> None:
    service.answers(painted(PICTURE))
    run_node(node("dall-e-3", **inputs), context)
    (request,) = service.requests
    assert (request.method, request.path) == ("POST", "/v1/images/generations")
    assert request.headers["authorization"] == f"Bearer {OPENAI_KEY}"
    assert request.headers["content-type"] == "application/json"
    assert request.body.decode() == f'{{"model":"dall-e-3","prompt":"a lighthouse","n":1,{expected}}}'


#: What every form has unless a case says otherwise.
FORM = {
    "prompt": "a lighthouse",
    "n": "1",
    "size": "1024x1024",
    "quality": "auto",
    "background": "auto",
    "output_format": "png",
    "stream": "true",
    "partial_images": "1",
}


def without(*names: str, **changes: str) -> dict[str, str]:
    return {**{name: value for name, value in FORM.items() if name not in names}, **changes}


def edit(service: StandIn, context: FakeContext, model: str, inputs: Mapping[str, Any]) -> list[FormPart]:
    """Run the node, and give the parts of the form that it sends."""
    service.answers(answer(*[PICTURE] * inputs.get("num_images", 1)))
    run_node(node(model, **inputs), context)
    (request,) = service.requests
    assert (request.method, request.path) == ("POST", "/v1/images/edits")
    assert request.headers["authorization"] == f"Bearer {OPENAI_KEY}"
    return form_of(request)


def fields(parts: Sequence[FormPart]) -> dict[str, str]:
    return {part.name: part.data.decode() for part in parts if part.filename is None}


def files(parts: Sequence[FormPart]) -> list[FormPart]:
    return [part for part in parts if part.filename is not None]


@pytest.mark.parametrize("model", GPT_IMAGES)
@pytest.mark.parametrize(
    ("inputs", "expected"),
    _by_inputs(
        ({}, FORM),
        ({"quality": "high"}, without(quality="high")),
        ({"quality": "medium"}, without(quality="medium")),
        ({"quality": "low"}, without(quality="low")),
        ({"background": "transparent"}, without(background="transparent")),
        ({"background": "opaque"}, without(background="opaque")),
        ({"output_format": "jpeg"}, without(output_format="jpeg")),
        (
            {"output_format": "webp", "output_compression": 55},
            without(output_format="webp", output_compression="55"),
        ),
        ({"partial_images": 2}, without(partial_images="2")),
        ({"partial_images": 0}, without("stream", "partial_images")),
        ({"num_images": 10, "width": 1536}, without("stream", "partial_images", n="10", size="1536x1024")),
        ({"height": 1536}, without(size="1024x1536")),
    ),
)
def test_gpt_image_from_an_image(
    service: StandIn, context: FakeContext, model: str, inputs: dict[str, Any], expected: dict[str, str]
) -> None:
    start = {"mode": "img2img", "init_image": context.images.add(FIRST)}
    parts = edit(service, context, model, {**start, **inputs})
    assert fields(parts) == {"model": model, **expected}
    assert files(parts) == [FormPart("image", FIRST, "image-1.png", "image/png")]


@pytest.mark.parametrize("model", WITH_FIDELITY)
@pytest.mark.parametrize("fidelity", ["low", "high"])
def test_gpt_image_from_an_image_that_is_to_be_kept_closely(
    service: StandIn, context: FakeContext, model: str, fidelity: str
) -> None:
    start = {"mode": "img2img", "init_image": context.images.add(FIRST)}
    parts = edit(service, context, model, {**start, "input_fidelity": fidelity})
    assert fields(parts) == {"model": model, **FORM, "input_fidelity": fidelity}


@pytest.mark.parametrize("model", GPT_IMAGES)
def test_gpt_image_inside_a_mask(service: StandIn, context: FakeContext, model: str) -> None:
    start = {"mode": "inpaint", "init_image": context.images.add(FIRST), "mask_image": context.images.add(MASK)}
    parts = edit(service, context, model, start)
    assert fields(parts) == {"model": model, **FORM}
    image, mask = files(parts)
    assert image == FormPart("image", FIRST, "image-1.png", "image/png")
    assert (mask.name, mask.filename, mask.media_type) == ("mask", "mask.png", "image/png")
    with Image.open(io.BytesIO(mask.data)) as sent:
        assert (sent.format, sent.mode, sent.size) == ("PNG", "RGBA", (16, 16))
        clear = [(x, y) for x in range(16) for y in range(16) if sent.getpixel((x, y)) == (0, 0, 0, 0)]
        opaque = [(x, y) for x in range(16) for y in range(16) if sent.getpixel((x, y)) == (0, 0, 0, 255)]
    assert clear == [(x, y) for x in range(8) for y in range(16)]
    assert opaque == [(x, y) for x in range(8, 16) for y in range(16)]


@pytest.mark.parametrize("model", GPT_IMAGES)
def test_gpt_image_from_one_reference_image(service: StandIn, context: FakeContext, model: str) -> None:
    parts = edit(service, context, model, {"reference_images": [context.images.add(SECOND)]})
    assert fields(parts) == {"model": model, **FORM}
    assert files(parts) == [FormPart("image", SECOND, "image-1.jpg", "image/jpeg")]


@pytest.mark.parametrize("model", GPT_IMAGES)
def test_gpt_image_from_an_image_and_reference_images_inside_a_mask(
    service: StandIn, context: FakeContext, model: str
) -> None:
    inputs = {
        "mode": "inpaint",
        "init_image": context.images.add(FIRST),
        "mask_image": context.images.add(MASK),
        "reference_images": [context.images.add(SECOND), context.images.add(THIRD)],
    }
    *images, mask = files(edit(service, context, model, inputs))
    # the mask is for the first of them, so that is the one to change
    assert images == [
        FormPart("image[]", FIRST, "image-1.png", "image/png"),
        FormPart("image[]", SECOND, "image-2.jpg", "image/jpeg"),
        FormPart("image[]", THIRD, "image-3.webp", "image/webp"),
    ]
    assert mask.name == "mask"


def test_a_form_is_what_the_standard_says_byte_for_byte(service: StandIn, context: FakeContext) -> None:
    edit(service, context, "gpt-image-1-mini", {"reference_images": [context.images.add(FIRST)], "partial_images": 0})
    (request,) = service.requests
    boundary = request.headers["content-type"].removeprefix("multipart/form-data; boundary=").encode()
    expected = b"".join(
        b'--%b\r\nContent-Disposition: form-data; name="%b"\r\n\r\n%b\r\n' % (boundary, name, value)
        for name, value in [
            (b"model", b"gpt-image-1-mini"),
            (b"prompt", b"a lighthouse"),
            (b"n", b"1"),
            (b"size", b"1024x1024"),
            (b"quality", b"auto"),
            (b"background", b"auto"),
            (b"output_format", b"png"),
        ]
    )
    expected += (
        b'--%b\r\nContent-Disposition: form-data; name="image"; filename="image-1.png"\r\n'
        b"Content-Type: image/png\r\n\r\n%b\r\n--%b--\r\n" % (boundary, FIRST, boundary)
    )
    assert request.body == expected


def test_more_pictures_than_one_request_gives_are_asked_for_in_several(service: StandIn, context: FakeContext) -> None:
    service.answers(answer(PICTURE))
    run_node(node("gpt-image-1", num_images=23), context)
    assert sorted(request.json["n"] for request in service.requests) == [3, 10, 10]


def test_a_prompt_goes_out_as_it_was_written(service: StandIn, context: FakeContext) -> None:
    prompt = 'ein „Leuchtturm“\n\\ "at dusk" 🗼 \u2028'
    run_node(node("dall-e-3", prompt=prompt), context)
    service.answers(answer(PICTURE))
    run_node(node("gpt-image-1", prompt=prompt, reference_images=[context.images.add(FIRST)]), context)
    words, form = service.requests
    assert words.json["prompt"] == prompt
    assert fields(form_of(form))["prompt"] == prompt
