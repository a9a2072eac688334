"""Sizes go to the nearest that a model makes, which the picture says; what a model cannot do is refused unsent."""

from typing import Any

import pytest
from PIL import Image
from support.gemini_service import gemini_model
from support.provenance import signed_picture
from support.stand_in import StandIn

from impasto_gemini.node import GeminiImageGeneration
from impasto_gemini.plugin import register_invocations
from impasto_sdk.errors import ProviderCapabilityError
from impasto_sdk.fields import port_of
from impasto_sdk.node import Lane
from impasto_sdk.testing import FakeContext, run_node

FLASH_2_5, PRO, FLASH_3_1 = "gemini-2.5-flash-image", "gemini-3-pro-image-preview", "gemini-3.1-flash-image-preview"


def run(context: FakeContext, model: str, **inputs: Any) -> dict[str, Any]:
    """Run the node, and give what its picture says."""
    run_node(GeminiImageGeneration(**{"model": gemini_model(model), "prompt": "a fox", **inputs}), context)
    metadata = context.images.saved[0].record.metadata
    assert metadata is not None
    return metadata


@pytest.mark.parametrize(
    ("model", "asked", "sent"),
    [
        (FLASH_2_5, (1024, 1024, None), (1024, 1024, "1:1", None)),
        (FLASH_2_5, (1920, 1080, None), (1344, 768, "16:9", None)),
        (FLASH_2_5, (512, 2048, None), (768, 1344, "9:16", None)),
        (PRO, (1000, 1000, None), (1024, 1024, "1:1", "1K")),
        (PRO, (3840, 2160, None), (2752, 1536, "16:9", "2K")),
        (PRO, (1024, 1024, "4K"), (4096, 4096, "1:1", "4K")),
        (PRO, (512, 512, None), (1024, 1024, "1:1", "1K")),
        (FLASH_3_1, (512, 512, None), (512, 512, "1:1", "512")),
        (FLASH_3_1, (3600, 450, None), (3072, 384, "8:1", "1K")),
        (FLASH_3_1, (800, 340, "512"), (792, 336, "21:9", "512")),
        (FLASH_3_1, (1, 16_000, None), (192, 1536, "1:8", "512")),
    ],
)
def test_the_nearest_size_is_asked_for_and_the_picture_says_so(
    service: StandIn,
    context: FakeContext,
    model: str,
    asked: tuple[int, int, str | None],
    sent: tuple[int, int, str, str | None],
) -> None:
    width, height, image_size = asked
    size = run(context, model, width=width, height=height, image_size=image_size)["external_size"]
    expected = {"aspectRatio": sent[2]} if sent[3] is None else {"aspectRatio": sent[2], "imageSize": sent[3]}
    assert service.requests[0].json["generationConfig"]["imageConfig"] == expected
    assert size == {
        "requested": {"width": width, "height": height, "image_size": image_size},
        "sent": {"width": sent[0], "height": sent[1], "aspect_ratio": sent[2], "image_size": sent[3]},
        "changed": (width, height) != sent[:2],
    }


def test_a_seed_is_not_sent_and_the_picture_says_so(service: StandIn, context: FakeContext) -> None:
    facts = run(context, FLASH_2_5, seed=7)
    assert "seed" not in service.requests[0].json["generationConfig"]
    assert facts["external_notice"] == "seed = 7 was not sent: the model takes none"
    assert "external_seed" not in facts


@pytest.mark.parametrize(
    ("model", "inputs", "images", "reason"),
    [
        (FLASH_2_5, {"mode": "inpaint"}, ("init_image", "mask_image"), "mode = 'inpaint' is not among what it can do"),
        (FLASH_3_1, {"mode": "inpaint"}, ("init_image", "mask_image"), "which is img2img, txt2img"),
        (PRO, {}, ("mask_image",), "mask_image is set, and mode = 'txt2img' does not use it"),
        (PRO, {"mode": "img2img"}, ("init_image", "mask_image"), "mask_image is set, and mode = 'img2img'"),
        (PRO, {"mode": "img2img"}, (), "mode = 'img2img' needs init_image, which is not set"),
        (PRO, {}, ("init_image",), "init_image is set, and mode = 'txt2img' does not use it"),
        (FLASH_2_5, {"references": 4}, (), "reference_images holds 4 images; it takes 3 at most"),
        (PRO, {"references": 15}, (), "reference_images holds 15 images; it takes 14 at most"),
        (
            FLASH_2_5,
            {"references": 3, "mode": "img2img"},
            ("init_image",),
            "init_image and 3 reference_images are 4 images; it takes 3 at most in one request",
        ),
        (FLASH_2_5, {"thinking_level": "high"}, (), "thinking_level = 'high': Gemini 2.5 Flash Image cannot do this"),
        (PRO, {"thinking_level": "minimal"}, (), "it takes temperature"),
        (FLASH_2_5, {"image_size": "2K"}, (), "image_size = '2K': the model has no such size; its sizes are none"),
        (PRO, {"image_size": "512"}, (), "its sizes are '1K', '2K', '4K'"),
        (FLASH_3_1, {"image_size": "1k"}, (), "its sizes are '512', '1K', '2K', '4K'"),
        (FLASH_2_5, {"prompt": " "}, (), "prompt is empty"),
    ],
)
def test_what_the_model_cannot_do_is_refused_before_anything_is_sent(
    service: StandIn, context: FakeContext, model: str, inputs: dict[str, Any], images: tuple[str, ...], reason: str
) -> None:
    picture = context.images.add(Image.new("RGB", (8, 8)))
    references = [picture] * inputs.pop("references", 0) if "references" in inputs else []
    with pytest.raises(ProviderCapabilityError, match=reason):
        run(context, model, **inputs, **dict.fromkeys(images, picture), reference_images=references)
    assert service.requests == []
    assert context.provider("gemini").used == [], "nothing is counted, for nothing was asked"


def test_pictures_that_are_too_large_together_are_refused_before_anything_is_sent(
    service: StandIn, context: FakeContext
) -> None:
    large = context.images.add(signed_picture() + bytes(40_000_000))
    with pytest.raises(ProviderCapabilityError, match=r"its 2 images have 106,667,\d+ bytes in base64"):
        run(context, PRO, mode="img2img", init_image=large, reference_images=[large])
    assert service.requests == []


def test_the_node_waits_on_its_own_lane_and_is_not_cached_unless_asked_to_be() -> None:
    assert GeminiImageGeneration.spec.lane is Lane.IO
    assert not GeminiImageGeneration.spec.use_cache
    assert list(register_invocations()) == [GeminiImageGeneration]


def test_inputs_that_no_model_can_use_are_hidden_and_others_are_not() -> None:
    hidden = {name for name, port in GeminiImageGeneration.spec.inputs.items() if port.port.hidden}
    assert hidden == {"seed", "mask_image"}


def test_the_node_has_every_input_that_graphs_of_other_programs_set() -> None:
    expected = {
        "board", "metadata", "model", "mode", "prompt", "seed", "num_images", "width", "height", "image_size",
        "init_image", "mask_image", "reference_images", "temperature", "thinking_level",
    }  # fmt: skip
    spec = GeminiImageGeneration.spec
    assert (spec.type, spec.version, spec.output.output_type) == (
        "gemini_image_generation",
        "1.0.0",
        "image_collection_output",
    )
    assert spec.inputs.keys() == expected


def test_clients_are_to_offer_its_own_models_only() -> None:
    chosen_from = port_of(GeminiImageGeneration.model_fields["model"]).model_filter
    assert chosen_from == {
        "base": ("external",),
        "type": ("external_image_generator",),
        "format": ("external_api",),
        "provider": ("gemini",),
    }
