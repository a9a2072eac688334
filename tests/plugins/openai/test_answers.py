"""What comes back: pictures byte for byte, previews on the way, what they came to, and answers that are not whole."""

import base64
import io
import json
from typing import Any

import pytest
from PIL import Image
from support.openai_service import (
    OPENAI_KEY,
    REQUEST_ID,
    addresses,
    answer,
    error,
    openai_context,
    openai_model,
    painted,
    previewed,
    streamed,
    tokens,
)
from support.provenance import CREDENTIALS, signed_picture
from support.stand_in import Reply, StandIn

from impasto_openai.node import OpenAIImageGeneration
from impasto_openai.provider import OpenAIProvider
from impasto_sdk.errors import ProviderContentRefusedError, ProviderDownError, ProviderRequestError
from impasto_sdk.testing import FakeContext, run_node

PICTURE = signed_picture()
OTHER = signed_picture(colour=(20, 60, 200))


def run(context: FakeContext, model: str = "gpt-image-1", **inputs: Any) -> list[bytes]:
    """Run the node, and give the pictures that it saved."""
    run_node(OpenAIImageGeneration(id="n", model=openai_model(model), prompt="a lighthouse", **inputs), context)
    return [image.data for image in context.images.saved]


def facts(context: FakeContext, index: int = 0) -> dict[str, Any]:
    metadata = context.images.saved[index].record.metadata
    assert metadata is not None
    return metadata


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "WEBP"])
def test_a_picture_is_kept_byte_for_byte_with_its_content_credentials(
    service: StandIn, context: FakeContext, file_format: str
) -> None:
    sent = signed_picture(file_format)
    service.answers(answer(sent))
    assert run(context, partial_images=0) == [sent]
    assert CREDENTIALS in sent


def test_a_transparent_background_stays_transparent(service: StandIn, context: FakeContext) -> None:
    buffer = io.BytesIO()
    Image.new("RGBA", (16, 16), (200, 30, 30, 64)).save(buffer, format="PNG")
    service.answers(streamed([buffer.getvalue()]))
    run(context, background="transparent")
    picture = context.images.saved[0].picture
    assert (picture.mode, picture.getpixel((3, 3))) == ("RGBA", (200, 30, 30, 64))


def test_what_the_service_says_of_a_picture_is_kept_with_it(service: StandIn, context: FakeContext) -> None:
    service.answers(answer(PICTURE, usage=tokens(text=12, image=300, output=1056)))
    run(context, partial_images=0, quality="auto")
    said = facts(context)
    assert said["external_request"] == {
        "id": REQUEST_ID, "images": 1, "input_tokens": 312, "output_tokens": 1056, "cost_usd": None,
    }  # fmt: skip
    assert said["external_options"]["quality"] == "auto"
    assert said["external_details"] == {
        "background": "opaque", "output_format": "png", "quality": "medium", "size": "1024x1024",
    }  # fmt: skip


def test_a_prompt_that_the_service_wrote_anew_is_kept(service: StandIn, context: FakeContext) -> None:
    service.answers(painted(PICTURE))
    run(context, "dall-e-3", quality="medium")
    assert facts(context)["external_revised_prompt"] == "A tall lighthouse at dusk."
    # what was said to the service, which has no such quality
    assert facts(context)["external_details"] == {"quality": "standard"}
    assert facts(context)["external_options"]["quality"] == "medium"


def test_a_picture_that_comes_as_an_address_is_fetched_without_the_key(service: StandIn, context: FakeContext) -> None:
    with StandIn() as storage:
        storage.answers(Reply.data(PICTURE, "image/png"))
        service.answers(addresses(f"{storage.url}/private/picture.png?signature=abc"))
        assert run(context, "dall-e-3") == [PICTURE]
        (fetched,) = storage.requests
    assert (fetched.method, fetched.path) == ("GET", "/private/picture.png?signature=abc")
    assert "authorization" not in fetched.headers
    assert OPENAI_KEY not in json.dumps(dict(fetched.headers))


def test_fetching_is_tried_again_and_painting_is_not(service: StandIn, context: FakeContext) -> None:
    with StandIn() as storage:
        storage.answers(Reply.data(b"busy", "text/plain", 503), Reply.data(PICTURE, "image/png"))
        service.answers(addresses(f"{storage.url}/picture.png"))
        assert run(context, "dall-e-3") == [PICTURE]
        assert len(storage.requests) == 2
    assert len(service.requests) == 1


def test_a_picture_that_cannot_be_fetched_is_not_paid_for_twice(service: StandIn, context: FakeContext) -> None:
    with StandIn() as storage:
        storage.answers(Reply.data(b"busy", "text/plain", 503))
        service.answers(addresses(f"{storage.url}/picture.png"))
        with pytest.raises(ProviderDownError, match=r"the picture was made and could not be fetched: busy"):
            run(context, "dall-e-3")
        assert len(storage.requests) == OpenAIProvider.retry.attempts
    assert len(service.requests) == 1


def test_a_picture_that_cannot_be_fetched_costs_no_other(service: StandIn, context: FakeContext) -> None:
    service.answers(addresses("nonsense", f"{service.url}/picture.png"), Reply.data(PICTURE))
    assert run(context, num_images=2) == [PICTURE]
    assert facts(context)["external_details"]["missing"] == "1 of 2 pictures did not come"


@pytest.mark.parametrize("url", ["/picture.png", "file:///etc/passwd", "nonsense"])
def test_an_address_that_is_none_is_not_followed(service: StandIn, context: FakeContext, url: str) -> None:
    service.answers(addresses(url))
    with pytest.raises(ProviderDownError, match=f"could not be fetched: '{url}' is no address"):
        run(context, "dall-e-3")
    assert len(service.requests) == 1


def test_previews_are_shown_while_the_pictures_are_made(service: StandIn, context: FakeContext) -> None:
    service.answers(streamed([PICTURE], previews=3))
    assert run(context, partial_images=3) == [PICTURE]
    shown = [report for report in context.progress.reports if report.preview is not None]
    assert [report.fraction for report in shown] == [0.25, 0.5, 0.75]
    assert [report.preview.getpixel((0, 0)) for report in shown if report.preview] == [(200, 30, 30)] * 3


def test_previews_of_an_edit_are_shown_too(service: StandIn, context: FakeContext) -> None:
    service.answers(streamed([OTHER], kind="image_edit"))
    assert run(context, reference_images=[context.images.add(PICTURE)]) == [OTHER]
    assert [report.fraction for report in context.progress.reports if report.preview is not None] == [0.5]


def test_more_pictures_than_were_asked_for_are_kept_and_counted_together(
    service: StandIn, context: FakeContext
) -> None:
    service.answers(streamed([PICTURE, OTHER], usage=tokens(text=5, image=7, output=100)))
    assert run(context) == [PICTURE, OTHER]
    assert facts(context)["external_request"] == {
        "id": REQUEST_ID, "images": 2, "input_tokens": 24, "output_tokens": 200, "cost_usd": None,
    }  # fmt: skip
    (used,) = context.providers("openai").used
    assert (used.images, used.input_tokens, used.output_tokens) == (2, 24, 200)


@pytest.mark.parametrize("b64", ["!!!", "", "AAAA", "ä", None])
def test_a_preview_that_is_none_does_not_cost_the_picture(
    service: StandIn, context: FakeContext, b64: str | None
) -> None:
    whole = streamed([PICTURE], previews=0)
    bad = {**previewed(PICTURE), "b64_json": b64}
    service.answers(Reply(headers=whole.headers, parts=[f"data: {json.dumps(bad)}\n\n".encode(), *whole.parts]))
    assert run(context) == [PICTURE]


def test_events_that_are_not_known_are_passed_over(service: StandIn, context: FakeContext) -> None:
    whole = streamed([PICTURE])
    others = b': hello\n\ndata: {"type": "keepalive", "error": null}\n\n'
    service.answers(Reply(headers=whole.headers, parts=[others, *whole.parts]))
    assert run(context) == [PICTURE]


def test_a_service_that_does_not_stream_is_understood(service: StandIn, context: FakeContext) -> None:
    service.answers(answer(PICTURE))
    assert run(context, partial_images=2) == [PICTURE]
    assert service.requests[0].json["stream"] is True
    assert facts(context)["external_request"]["id"] == REQUEST_ID


def test_a_failure_in_the_middle_of_a_stream_is_not_asked_for_again(service: StandIn, context: FakeContext) -> None:
    last = error("The server had an error while processing your request", "server_error", "server_error")
    service.answers(streamed([], last=last))
    with pytest.raises(ProviderDownError, match="gave up: The server had an error") as caught:
        run(context)
    assert not caught.value.retryable
    assert len(service.requests) == 1


@pytest.mark.parametrize(
    "last",
    [
        error("Your request was rejected by the safety system.", "moderation_blocked", "image_generation_user_error"),
        {"type": "error", **error("Your request was rejected by the safety system.", "moderation_blocked")},
        {"type": "error", "code": "moderation_blocked", "message": "Your request was rejected by the safety system."},
    ],
    ids=["plain", "named", "flat"],
)
def test_a_refusal_in_the_middle_of_a_stream_is_a_refusal(
    service: StandIn, context: FakeContext, last: dict[str, Any]
) -> None:
    service.answers(streamed([], last=last))
    with pytest.raises(ProviderContentRefusedError, match="rejected by the safety system"):
        run(context)
    (used,) = context.providers("openai").used
    assert used.outcome == "refused"


def test_a_picture_that_came_before_a_failure_is_kept(service: StandIn, context: FakeContext) -> None:
    service.answers(streamed([PICTURE], last=error("Overloaded", "server_error")))
    assert run(context) == [PICTURE]
    (used,) = context.providers("openai").used
    assert (used.outcome, used.images) == ("completed", 1)


def test_a_picture_that_came_before_the_connection_was_cut_is_kept(service: StandIn, context: FakeContext) -> None:
    whole = streamed([PICTURE], last=previewed(OTHER))
    service.answers(Reply(headers=whole.headers, parts=whole.parts, missing=500))
    assert run(context) == [PICTURE]


def test_words_of_a_picture_may_hold_any_character(service: StandIn, context: FakeContext) -> None:
    whole = streamed([PICTURE], previews=0)
    event = {
        "type": "image_generation.completed",
        "b64_json": base64.b64encode(PICTURE).decode(),
        "revised_prompt": "a\u2028b",
    }
    text = json.dumps(event, ensure_ascii=False)
    service.answers(Reply(headers=whole.headers, parts=[f"data: {text}".encode()]))
    assert run(context) == [PICTURE]
    assert facts(context)["external_revised_prompt"] == "a\u2028b"


def test_fewer_pictures_than_were_asked_for_are_said(service: StandIn, context: FakeContext) -> None:
    service.answers(answer(PICTURE))
    assert run(context, num_images=2, partial_images=0) == [PICTURE]
    assert facts(context)["external_details"]["missing"] == "1 of 2 pictures did not come"


@pytest.mark.parametrize(
    ("reply", "problem"),
    [
        (Reply.json({"created": 1, "data": []}), "the service answered without a picture"),
        (Reply.json({"created": 1, "data": None}), "the answer's data is no list of pictures"),
        (Reply.json({"created": 1, "data": ["picture"]}), "the answer's data is no list of pictures"),
        (Reply.json({"created": 1}), "the service answered without a picture"),
        (Reply.json({"data": [{"revised_prompt": "x"}]}), "a picture with neither b64_json nor url"),
        (Reply.json({"data": [{"b64_json": "not base64!"}]}), "the picture in the answer is no base64"),
        (Reply.json({"data": [{"b64_json": "aGVsbG8="}]}), "the service sent something that is no picture"),
        (Reply.json(["picture"]), "the answer is a list, not an object"),
        (Reply.data(b'{"data": [{"b64', "application/json"), "the answer is no JSON; it begins with '{"),
        (Reply.data(b"<html>Bad gateway", "text/html"), "the answer is no JSON; it begins with '<html>"),
        (Reply.data(b"", "application/json"), "the answer is no JSON"),
    ],
)
def test_an_answer_that_makes_no_sense_says_so(
    service: StandIn, context: FakeContext, reply: Reply, problem: str
) -> None:
    service.answers(reply)
    with pytest.raises(ProviderRequestError, match=problem):
        run(context, partial_images=0)
    assert len(service.requests) == 1
    assert context.images.saved == []


@pytest.mark.parametrize(
    ("parts", "problem"),
    [
        ([b"data: {half\n\n"], "the answer is no JSON; it begins with '{half'"),
        ([b"data: [1]\n\n"], "the answer is a list, not an object"),
        ([b"data: [DONE]\n\n"], "the service answered without a picture"),
        ([], "the service answered without a picture"),
    ],
)
def test_a_stream_that_makes_no_sense_says_so(
    service: StandIn, context: FakeContext, parts: list[bytes], problem: str
) -> None:
    service.answers(Reply(headers={"content-type": "text/event-stream"}, parts=parts))
    with pytest.raises(ProviderRequestError, match=problem):
        run(context)
    assert len(service.requests) == 1


@pytest.mark.parametrize("partial_images", [0, 1])
def test_an_answer_that_is_cut_is_not_asked_for_again(
    service: StandIn, context: FakeContext, partial_images: int
) -> None:
    whole = streamed([PICTURE]) if partial_images else answer(PICTURE)
    cut = whole.parts[0][:40]
    service.answers(Reply(headers=whole.headers, parts=[cut], missing=1000))
    with pytest.raises(ProviderDownError, match="the answer broke off"):
        run(context, partial_images=partial_images)
    assert len(service.requests) == 1


@pytest.mark.parametrize(
    ("usage", "counted"),
    [
        (None, (0, 0)),
        ({}, (0, 0)),
        ("many", (0, 0)),
        ({"input_tokens": 5}, (0, 0)),
        ({"input_tokens": 5, "output_tokens": 7}, (5, 7)),
        ({"input_tokens": "5", "output_tokens": 7}, (0, 0)),
        ({"input_tokens": 5, "output_tokens": 7, "input_tokens_details": "none"}, (5, 7)),
    ],
)
def test_an_odd_meter_does_not_cost_the_picture(
    service: StandIn, context: FakeContext, usage: Any, counted: tuple[int, int]
) -> None:
    document = answer(PICTURE).parts[0]
    service.answers(Reply.json({**json.loads(document), "usage": usage}))
    assert run(context, partial_images=0) == [PICTURE]
    (used,) = context.providers("openai").used
    assert (used.input_tokens, used.output_tokens, used.cost_usd) == (*counted, None)


def test_what_a_request_cost_is_worked_out_at_openai_s_own_address(
    service: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(OpenAIProvider, "default_base_url", f"{service.url}/v1")
    context = openai_context(service)
    service.answers(answer(PICTURE, usage=tokens(text=100, image=1000, output=2000)), painted(PICTURE))
    run(context, "gpt-image-1", partial_images=0)
    run(context, "dall-e-3", quality="high", width=1792)
    assert facts(context, 0)["external_request"]["cost_usd"] == 0.0905
    assert facts(context, 1)["external_request"]["cost_usd"] == 0.12
    assert [used.cost_usd for used in context.providers("openai").used] == [0.0905, 0.12]
