"""The node in a run: sizes, refusals before anything is sent, several requests at once, cancelling, and what stays."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from PIL import Image
from support.openai_service import addresses, answer, openai_context, openai_model, painted, refused, streamed
from support.provenance import signed_picture
from support.stand_in import Reply, StandIn

from impasto_openai.node import OpenAIImageGeneration
from impasto_sdk.errors import CanceledError, ProviderCapabilityError, ProviderContentRefusedError
from impasto_sdk.fields import port_of
from impasto_sdk.node import Lane
from impasto_sdk.testing import FakeContext, run_node

PICTURE = signed_picture()
LARGE = Image.new("RGB", (16, 8))


def node(model: str = "gpt-image-1", **inputs: Any) -> OpenAIImageGeneration:
    return OpenAIImageGeneration(**{"id": "n", "model": openai_model(model), "prompt": "a lighthouse", **inputs})


def facts(context: FakeContext, index: int = 0) -> dict[str, Any]:
    metadata = context.images.saved[index].record.metadata
    assert metadata is not None
    return metadata


@pytest.mark.parametrize(
    ("model", "asked", "sent"),
    [
        ("gpt-image-1", (1024, 1024), "1024x1024"),
        ("gpt-image-1", (512, 512), "1024x1024"),
        ("gpt-image-1.5", (1920, 1080), "1536x1024"),
        ("gpt-image-1-mini", (600, 800), "1024x1536"),
        ("dall-e-3", (1920, 1080), "1792x1024"),
        ("dall-e-3", (1080, 1920), "1024x1792"),
        ("dall-e-3", (1000, 1100), "1024x1024"),
    ],
)
def test_the_nearest_size_is_sent_and_said(
    service: StandIn, context: FakeContext, model: str, asked: tuple[int, int], sent: str
) -> None:
    service.answers(painted(PICTURE))
    run_node(node(model, width=asked[0], height=asked[1]), context)
    assert service.requests[0].json["size"] == sent
    width, height = map(int, sent.split("x"))
    size = facts(context)["external_size"]
    assert size["requested"] == {"width": asked[0], "height": asked[1], "image_size": None}
    assert (size["sent"]["width"], size["sent"]["height"]) == (width, height)
    assert size["changed"] is (asked != (width, height))


def image(context: FakeContext, picture: Image.Image | bytes = PICTURE) -> Any:
    return context.images.add(picture)


@pytest.mark.parametrize(
    ("model", "inputs", "reason"),
    [
        ("dall-e-3", {"mode": "img2img", "init_image": PICTURE}, "mode = 'img2img' is not among what it can do"),
        ("dall-e-3", {"mode": "inpaint", "init_image": PICTURE, "mask_image": PICTURE}, "mode = 'inpaint' is not"),
        ("dall-e-3", {"reference_images": [PICTURE]}, "reference_images holds 1 images; it takes none"),
        ("dall-e-3", {"prompt": "x" * 4001}, "prompt has 4,001 characters; it takes 4,000 at most"),
        ("dall-e-3", {"background": "transparent"}, "background = 'transparent': DALL·E 3 cannot do this"),
        ("dall-e-3", {"output_format": "webp"}, "output_format = 'webp': DALL·E 3 cannot do this"),
        ("dall-e-3", {"partial_images": 2}, "partial_images = 2: DALL·E 3 cannot do this"),
        ("gpt-image-1", {"style": "vivid"}, "style = 'vivid': GPT Image 1 cannot do this"),
        ("gpt-image-1-mini", {"input_fidelity": "high"}, "input_fidelity = 'high': GPT Image 1 Mini cannot do this"),
        ("gpt-image-1", {"prompt": "x" * 32_001}, "prompt has 32,001 characters; it takes 32,000 at most"),
        ("gpt-image-1", {"prompt": " "}, "prompt is empty"),
        ("gpt-image-1", {"image_size": "4K"}, "image_size = '4K': the model has no such size"),
        ("gpt-image-1", {"mode": "img2img"}, "mode = 'img2img' needs init_image"),
        ("gpt-image-1", {"mode": "inpaint", "init_image": PICTURE}, "mode = 'inpaint' needs mask_image"),
        (
            "gpt-image-1",
            {"mode": "inpaint", "init_image": PICTURE, "mask_image": LARGE},
            "mask_image is 16×8 and init_image 16×16; .*nothing can be painted outside of the image",
        ),
        ("gpt-image-1", {"reference_images": [PICTURE] * 17}, "reference_images holds 17 images; it takes 16 at most"),
        (
            "gpt-image-1",
            {"mode": "img2img", "init_image": PICTURE, "reference_images": [PICTURE] * 16},
            "init_image and 16 reference_images are 17 images; it takes 16 at most",
        ),
        (
            "gpt-image-1",
            {"background": "transparent", "output_format": "jpeg"},
            "background = 'transparent' and output_format = 'jpeg': a JPEG has none; take png or webp",
        ),
        ("gpt-image-1", {"output_compression": 50}, "output_compression = 50 and output_format = 'png'"),
        ("gpt-image-1", {"moderation": "low", "reference_images": [PICTURE]}, "moderation = 'low': .* for words alone"),
        ("gpt-image-1.5", {"input_fidelity": "high"}, "input_fidelity = 'high': there is no image to be faithful to"),
    ],
)  # fmt: skip
def test_what_a_model_cannot_do_is_refused_before_anything_is_sent(
    service: StandIn, context: FakeContext, model: str, inputs: dict[str, Any], reason: str
) -> None:
    stored = {
        name: [image(context, one) for one in value]
        if isinstance(value, list)
        else image(context, value)
        if isinstance(value, bytes | Image.Image)
        else value
        for name, value in inputs.items()
    }
    with pytest.raises(ProviderCapabilityError, match=reason):
        run_node(node(model, **stored), context)
    assert service.requests == []
    assert context.providers("openai").used == []


def test_an_image_that_is_too_large_is_refused_before_anything_is_sent(service: StandIn, context: FakeContext) -> None:
    data = PICTURE + b"\0" * (50 * 2**20 + 1 - len(PICTURE))
    with pytest.raises(
        ProviderCapabilityError, match=r"reference_images\[0\] has 52,428,801 bytes; it takes 52,428,800"
    ):
        run_node(node(reference_images=[image(context, data)]), context)
    assert service.requests == []


def test_a_seed_is_not_sent_and_the_picture_says_so(service: StandIn, context: FakeContext) -> None:
    service.answers(streamed([PICTURE]))
    run_node(node(seed=7), context)
    assert "seed" not in service.requests[0].json
    assert facts(context)["external_notice"] == "seed = 7 was not sent: the model takes none"


def test_every_option_is_kept_with_the_picture(service: StandIn, context: FakeContext) -> None:
    service.answers(streamed([PICTURE]))
    chosen = {
        "quality": "high", "background": "transparent", "output_format": "webp", "output_compression": 80,
        "moderation": "low", "partial_images": 2, "input_fidelity": None,
    }  # fmt: skip
    run_node(node("gpt-image-1.5", **chosen), context)
    assert facts(context)["external_options"] == chosen
    assert facts(context)["external_model"] == "gpt-image-1.5"


def held(reply: Reply, release: threading.Event) -> Reply:
    """The same answer, given once `release` is set."""
    return Reply(status=reply.status, headers=reply.headers, parts=reply.parts, release=release)


@pytest.fixture
def aside() -> Iterator[ThreadPoolExecutor]:
    """A thread for a node that is looked at while it runs."""
    with ThreadPoolExecutor(1) as pool:
        yield pool


@pytest.mark.parametrize("reply", [answer(PICTURE), streamed([PICTURE])], ids=["whole", "streamed"])
def test_a_cancel_in_the_middle_of_a_slow_answer_ends_at_once(
    service: StandIn, context: FakeContext, aside: ThreadPoolExecutor, reply: Reply
) -> None:
    release = threading.Event()
    service.answers(held(reply, release))
    run = aside.submit(run_node, node(), context)
    try:
        assert service.asked.acquire(timeout=30)
        context.cancel()
        with pytest.raises(CanceledError):
            run.result(timeout=30)  # the answer is still held back
    finally:
        release.set()
    assert [used.outcome for used in context.providers("openai").used] == ["canceled"]
    assert context.images.saved == []


def test_a_cancel_while_a_picture_is_fetched_ends_at_once(
    service: StandIn, context: FakeContext, aside: ThreadPoolExecutor
) -> None:
    release = threading.Event()
    with StandIn() as storage:
        storage.answers(held(Reply.data(PICTURE, "image/png"), release))
        service.answers(addresses(f"{storage.url}/picture.png"))
        run = aside.submit(run_node, node("dall-e-3"), context)
        try:
            assert storage.asked.acquire(timeout=30)
            context.cancel()
            with pytest.raises(CanceledError):
                run.result(timeout=30)
        finally:
            release.set()


def test_requests_run_side_by_side_as_far_as_there_are_places(service: StandIn, aside: ThreadPoolExecutor) -> None:
    context = openai_context(service, places=2)
    release = threading.Event()
    service.answers(held(painted(PICTURE), release))
    run = aside.submit(run_node, node("dall-e-3", num_images=5), context)
    try:
        assert service.asked.acquire(timeout=30)
        assert service.asked.acquire(timeout=30)
        assert len(service.requests) == 2
    finally:
        release.set()
    run.result(timeout=30)
    assert (len(service.requests), service.most_at_once) == (5, 2)
    assert context.providers("openai").most == 2
    assert [used.images for used in context.providers("openai").used] == [1] * 5
    assert len(context.images.saved) == 5


def test_the_first_failure_ends_the_rest_and_keeps_what_was_paid_for(service: StandIn) -> None:
    context = openai_context(service, places=1)
    service.answers(painted(PICTURE), refused(), painted(PICTURE))
    with pytest.raises(ProviderContentRefusedError):
        run_node(node("dall-e-3", num_images=4), context)
    assert len(service.requests) == 2
    assert [saved.data for saved in context.images.saved] == [PICTURE]
    assert [used.outcome for used in context.providers("openai").used] == ["completed", "refused"]


def test_pictures_of_an_earlier_attempt_are_not_asked_for_again(service: StandIn, context: FakeContext) -> None:
    context.earlier_items = [image(context), image(context)]
    service.answers(streamed([PICTURE]))
    output = run_node(node(num_images=3), context)
    assert [request.json["n"] for request in service.requests] == [1]
    assert len(output.collection) == 3


def test_a_picture_from_the_cache_is_a_new_one_that_costs_nothing(service: StandIn, context: FakeContext) -> None:
    service.answers(streamed([PICTURE]))
    made = run_node(node(), context)
    again = node().reuse(made, context)
    assert len(service.requests) == 1
    assert again.collection[0] != made.collection[0]
    assert context.images.load_bytes(again.collection[0]) == PICTURE
    assert facts(context, 1)["external_model"] == "gpt-image-1"


def test_the_node_is_the_one_that_invokeai_s_graphs_name() -> None:
    spec = OpenAIImageGeneration.spec
    assert (spec.type, spec.title, spec.lane, spec.use_cache) == (
        "openai_image_generation", "OpenAI Image Generation", Lane.IO, False,
    )  # fmt: skip
    theirs = {
        "board", "metadata", "model", "mode", "prompt", "seed", "num_images", "width", "height", "image_size",
        "init_image", "mask_image", "reference_images", "quality", "background", "input_fidelity",
    }  # fmt: skip
    assert theirs <= spec.inputs.keys()
    assert spec.inputs.keys() - theirs == {
        "output_format", "output_compression", "moderation", "style", "partial_images",
    }  # fmt: skip


def test_it_lists_its_own_models_only_and_hides_what_none_of_them_can_use() -> None:
    fields = OpenAIImageGeneration.model_fields
    model_filter = port_of(fields["model"]).model_filter
    assert model_filter["provider"] == ("openai",)
    hidden = {name for name, info in fields.items() if port_of(info).hidden}
    assert {"seed", "image_size"} <= hidden
    assert not hidden & {"mode", "init_image", "mask_image", "reference_images", "width", "height", "quality"}
