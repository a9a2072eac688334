"""What comes back: pictures byte for byte, what is known of them, and why there are none."""

import base64
from typing import Any

import pytest
from support.gemini_service import (
    blocked_prompt,
    gemini_context,
    gemini_model,
    image_part,
    parts,
    pictures,
    withheld,
    words_only,
)
from support.provenance import CREDENTIALS, signed_picture
from support.stand_in import Reply, StandIn

from impasto_gemini.models import MODELS
from impasto_gemini.node import GeminiImageGeneration
from impasto_gemini.prices import PRICES, TokenCounts, cost_usd
from impasto_sdk.errors import ProviderContentRefusedError, ProviderDownError, ProviderError, ProviderRequestError
from impasto_sdk.fields import JsonValue
from impasto_sdk.testing import FakeContext, run_node

FLASH = "gemini-2.5-flash-image"


def painted(context: FakeContext, model: str = FLASH, **inputs: Any) -> list[bytes]:
    """The files that the node saved."""
    run_node(GeminiImageGeneration(model=gemini_model(model), prompt="a fox", **inputs), context)
    return [image.data for image in context.images.saved]


def facts(context: FakeContext) -> dict[str, JsonValue]:
    metadata = context.images.saved[0].record.metadata
    assert metadata is not None
    return metadata


def request_facts(context: FakeContext) -> dict[str, JsonValue]:
    found = facts(context)["external_request"]
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "WEBP"])
def test_a_picture_is_kept_as_it_was_sent_with_its_credentials(
    service: StandIn, context: FakeContext, file_format: str
) -> None:
    data = signed_picture(file_format)
    service.answers(pictures(data))
    assert painted(context) == [data]
    assert CREDENTIALS in data


def test_several_pictures_in_one_answer_are_all_kept(service: StandIn, context: FakeContext) -> None:
    first, second = signed_picture(), signed_picture(colour=(10, 20, 200))
    service.answers(pictures(first, second))
    assert painted(context) == [first, second]


def test_drafts_among_the_models_thoughts_are_left_out(service: StandIn, context: FakeContext) -> None:
    draft, final = signed_picture(colour=(1, 1, 1)), signed_picture()
    thought = {"text": "The fox could be larger.", "thought": True}
    service.answers(
        parts(thought, image_part(draft, thought=True), image_part(final, thoughtSignature="c2lnbmVk"), thoughts=300)
    )
    assert painted(context, "gemini-3-pro-image-preview") == [final]
    details = facts(context)["external_details"]
    assert details == {"model_version": "gemini-2.5-flash-image", "thoughts_tokens": 300}


def test_base64_in_its_form_for_addresses_is_read_as_well(service: StandIn, context: FakeContext) -> None:
    data = signed_picture("JPEG")
    part = image_part(data)
    part["inlineData"]["data"] = base64.urlsafe_b64encode(data).decode().rstrip("=")
    service.answers(parts(part))
    assert painted(context) == [data]


def test_words_beside_a_picture_are_kept_with_it(service: StandIn, context: FakeContext) -> None:
    service.answers(parts({"text": "Here is "}, {"text": "your fox.\n"}, image_part(signed_picture()), words=7))
    painted(context)
    details = facts(context)["external_details"]
    assert details == {"text": "Here is your fox.", "model_version": "gemini-2.5-flash-image"}


def test_what_is_known_of_a_request_is_kept_with_its_picture(service: StandIn, context: FakeContext) -> None:
    painted(context, temperature=0.5)
    assert request_facts(context) == {
        "id": "mVIDaa7XLfyD_uMP0ZuMoQE",
        "images": 1,
        "input_tokens": 8,
        "output_tokens": 1290,
        "cost_usd": 0.038702,
    }
    assert facts(context)["external_provider"] == "gemini"
    assert facts(context)["external_model"] == FLASH
    assert facts(context)["external_options"] == {"temperature": 0.5}
    assert facts(context)["positive_prompt"] == "a fox"


def test_what_a_request_came_to_is_counted(service: StandIn, context: FakeContext) -> None:
    painted(context, num_images=2)
    used = context.provider("gemini").used
    assert [(one.model, one.outcome, one.images, one.output_tokens, one.cost_usd) for one in used] == [
        (FLASH, "completed", 1, 1290, 0.038702)
    ] * 2


@pytest.mark.parametrize(
    ("model", "tokens", "words", "thoughts", "dollars"),
    [
        # 100 tokens of prompt each; the published price of one picture is the tokens' part of it
        ("gemini-2.5-flash-image", 1290, 0, 0, 0.00003 + 0.0387),
        ("gemini-2.5-flash-image", 1290, 10, 0, 0.00003 + 0.0387 + 0.000025),
        ("gemini-3-pro-image-preview", 1120, 0, 200, 0.0002 + 0.1344 + 0.0024),
        ("gemini-3-pro-image", 2000, 0, 0, 0.0002 + 0.24),
        ("gemini-3.1-flash-image-preview", 747, 0, 0, 0.00005 + 0.04482),
        ("gemini-3.1-flash-image", 2520, 0, 50, 0.00005 + 0.1512 + 0.00015),
    ],
)
def test_a_request_costs_what_its_tokens_cost(
    service: StandIn, context: FakeContext, model: str, tokens: int, words: int, thoughts: int, dollars: float
) -> None:
    service.answers(
        parts(image_part(signed_picture()), tokens=tokens, words=words, thoughts=thoughts, prompt_tokens=100)
    )
    painted(context, model)
    assert request_facts(context)["cost_usd"] == pytest.approx(dollars, abs=1e-6)
    assert request_facts(context)["output_tokens"] == tokens + words + thoughts


def test_every_model_has_a_price_and_an_unknown_one_has_none() -> None:
    assert PRICES.keys() == {model.id for model in MODELS}
    assert cost_usd("gemini-9", TokenCounts(prompt=1, answer=1, images=1, thoughts=0)) is None


def test_tokens_that_are_not_told_apart_are_taken_for_a_picture() -> None:
    counts = TokenCounts(prompt=0, answer=1000, images=None, thoughts=0)
    assert cost_usd(FLASH, counts) == pytest.approx(0.03)


def test_an_answer_without_counts_has_no_cost(service: StandIn, context: FakeContext) -> None:
    candidate = {"content": {"parts": [image_part(signed_picture())]}}
    service.answers(Reply.json({"candidates": [candidate]}))
    painted(context)
    assert request_facts(context) == {"id": None, "images": 1, "input_tokens": 0, "output_tokens": 0, "cost_usd": None}


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (blocked_prompt("SAFETY"), r"the prompt was refused \(SAFETY\): it goes against the service's safety rules$"),
        (
            blocked_prompt("IMAGE_SAFETY", ["HARM_CATEGORY_DANGEROUS_CONTENT", "HARM_CATEGORY_HARASSMENT"]),
            r"IMAGE_SAFETY.*\[dangerous_content, harassment\]",
        ),
        (blocked_prompt("PROHIBITED_CONTENT"), "it asks for something that the service forbids"),
        (blocked_prompt("BLOCKLIST"), "it has a term that the service forbids"),
        (blocked_prompt("OTHER"), "the service does not say why"),
        (blocked_prompt("A_NEW_REASON"), r"the prompt was refused \(A_NEW_REASON\): the service does not say why"),
        (withheld("SAFETY"), r"the picture was refused \(SAFETY\): it goes against the service's safety rules$"),
        (
            withheld("IMAGE_SAFETY", "Unable to show the generated image."),
            r"the picture was refused \(IMAGE_SAFETY\): .*; it said: Unable to show the generated image\.",
        ),
        (withheld("SAFETY", harms=["HARM_CATEGORY_SEXUALLY_EXPLICIT"]), r"\[sexually_explicit\]"),
        (withheld("PROHIBITED_CONTENT"), "it has something that the service forbids"),
        (withheld("IMAGE_PROHIBITED_CONTENT"), "it has something that the service forbids"),
        (withheld("RECITATION"), "too close to something that exists already"),
        (withheld("IMAGE_RECITATION"), "too close to a picture that exists already"),
        (withheld("BLOCKLIST"), "it has a term that the service forbids"),
        (withheld("SPII"), "personal data"),
        (words_only("I cannot paint him.", "PROHIBITED_CONTENT"), r"it said: I cannot paint him\."),
    ],
)
def test_a_refusal_says_why(service: StandIn, context: FakeContext, reply: Reply, told: str) -> None:
    service.answers(reply)
    with pytest.raises(ProviderContentRefusedError, match=told):
        painted(context)
    assert len(service.requests) == 1, "what was refused once is refused again"
    assert [one.outcome for one in context.provider("gemini").used] == ["refused"]
    assert context.images.saved == []


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (words_only("What kind of fox?"), r"the answer has no picture \(STOP\).*; it said: What kind of fox\?"),
        (words_only("x" * 2000), "it said: x{500}…$"),
        (withheld("NO_IMAGE", "No picture came of it."), r"\(NO_IMAGE\).*; it said: No picture came of it\."),
        (withheld("IMAGE_OTHER"), r"\(IMAGE_OTHER\); say in the prompt what to paint$"),
        (withheld("MAX_TOKENS"), r"\(MAX_TOKENS\)"),
        (Reply.json({}), r"the answer has no picture \(no candidates\)"),
        (Reply.json({"candidates": [{}]}), r"the answer has no picture \(no reason\)"),
        (Reply.json([]), "the answer is not of the form it should be: all of it: "),
        (Reply.json({"candidates": "none"}), "the answer is not of the form it should be: candidates: "),
        (parts({"inlineData": {"mimeType": "image/png", "data": "????"}}), "the picture in the answer is no base64"),
        (parts({"inlineData": {"mimeType": "image/png", "data": "aGk="}}), "something that is no picture"),
        (parts({"inlineData": {"mimeType": "audio/wav", "data": "aGk="}}), "the answer has no picture"),
        (Reply.data(b"<html>Bad gateway</html>", "text/html"), "the answer is no JSON; it begins with '<html>"),
        (Reply.data(b'{"candidates": [{"content"'), "the answer is no JSON"),
    ],
)
def test_an_answer_without_a_picture_is_told_with_the_models_words(
    service: StandIn, context: FakeContext, reply: Reply, told: str
) -> None:
    service.answers(reply)
    with pytest.raises(ProviderRequestError, match=told):
        painted(context)
    assert len(service.requests) == 1
    assert context.images.saved == []


def test_an_answer_that_is_cut_off_is_not_paid_for_twice(service: StandIn, context: FakeContext) -> None:
    whole = pictures(signed_picture())
    service.answers(Reply(headers=whole.headers, parts=[whole.parts[0][:200]], missing=len(whole.parts[0]) - 200))
    with pytest.raises(ProviderDownError, match="the answer broke off"):
        painted(context)
    assert len(service.requests) == 1


def test_pictures_that_came_before_a_refusal_are_kept(service: StandIn) -> None:
    context = gemini_context(service.url, places=1)
    service.answers(pictures(signed_picture()), blocked_prompt("SAFETY"))
    with pytest.raises(ProviderError, match="the prompt was refused"):
        painted(context, num_images=2)
    assert [image.data for image in context.images.saved] == [signed_picture()]


@pytest.mark.parametrize(
    "meter", [{"promptTokenCount": "many"}, {"promptTokenCount": 3, "thoughtsTokenCount": None}, 7]
)
def test_an_odd_meter_does_not_cost_the_picture(service: StandIn, context: FakeContext, meter: Any) -> None:
    candidate = {"content": {"parts": [image_part(signed_picture())]}, "finishReason": "STOP", "safetyRatings": None}
    service.answers(Reply.json({"candidates": [candidate], "usageMetadata": meter, "promptFeedback": None}))
    assert painted(context) == [signed_picture()]
