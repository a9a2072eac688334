"""What a model cannot do is refused before anything is sent, with every reason."""

from dataclasses import replace
from typing import Any

import pytest

from impasto_sdk.errors import ProviderCapabilityError
from impasto_sdk.providers import (
    ExternalGenerationRequest,
    ExternalModel,
    ExternalModelCapabilities,
    InputImage,
    check_request,
    refusals,
)

WORDS_ONLY = ExternalModel(
    id="w", name="Words", description="", capabilities=ExternalModelCapabilities(modes=frozenset({"txt2img"}))
)
EVERYTHING = ExternalModel(
    id="e",
    name="Everything",
    description="",
    capabilities=ExternalModelCapabilities(
        modes=frozenset({"txt2img", "img2img", "inpaint"}),
        max_reference_images=2,
        max_input_images=2,
        max_images_per_request=4,
        max_input_bytes=10,
        max_prompt_length=20,
        input_media_types=("image/png",),
    ),
)
PICTURE = InputImage(data=b"12345", media_type="image/png", width=8, height=8)
ASKED = ExternalGenerationRequest(model="m", mode="txt2img", prompt="a boat", width=8, height=8)


def test_what_the_model_can_do_is_not_refused() -> None:
    check_request("p", WORDS_ONLY, ASKED)
    check_request("p", EVERYTHING, replace(ASKED, mode="inpaint", init_image=PICTURE, mask_image=PICTURE))
    check_request("p", EVERYTHING, replace(ASKED, reference_images=(PICTURE, PICTURE), num_images=4))


@pytest.mark.parametrize(
    ("model", "changes", "reason"),
    [
        (WORDS_ONLY, {"mode": "img2img", "init_image": PICTURE}, "mode = 'img2img' is not among what it can do"),
        (WORDS_ONLY, {"reference_images": (PICTURE,)}, "reference_images holds 1 images; it takes none"),
        (WORDS_ONLY, {"num_images": 2}, "num_images = 2; one request gives 1 at most"),
        (WORDS_ONLY, {"prompt": "  "}, "prompt is empty"),
        (EVERYTHING, {"mode": "img2img"}, "mode = 'img2img' needs init_image, which is not set"),
        (EVERYTHING, {"mode": "inpaint", "init_image": PICTURE}, "needs mask_image, which is not set"),
        (EVERYTHING, {"init_image": PICTURE}, "init_image is set, and mode = 'txt2img' does not use it"),
        (EVERYTHING, {"mask_image": PICTURE}, "mask_image is set, and mode = 'txt2img' does not use it"),
        (EVERYTHING, {"reference_images": (PICTURE,) * 3}, "reference_images holds 3 images; it takes 2 at most"),
        (
            EVERYTHING,
            {"mode": "img2img", "init_image": PICTURE, "reference_images": (PICTURE,) * 2},
            "init_image and 2 reference_images are 3 images; it takes 2 at most in one request",
        ),
        (EVERYTHING, {"prompt": "x" * 21}, "prompt has 21 characters; it takes 20 at most"),
        (
            EVERYTHING,
            {"reference_images": (PICTURE, replace(PICTURE, data=b"x" * 11))},
            r"reference_images\[1\] has 11 bytes; it takes 10 at most",
        ),
        (
            EVERYTHING,
            {"reference_images": (replace(PICTURE, media_type="image/webp"),)},
            r"reference_images\[0\] is image/webp; it takes image/png",
        ),
        (
            EVERYTHING,
            {"mode": "inpaint", "init_image": PICTURE, "mask_image": replace(PICTURE, width=16)},
            "mask_image is 16×8 and init_image 8×8; .*nothing can be painted outside of the image",
        ),
    ],
)
def test_what_it_cannot_do_is_refused_with_the_reason(
    model: ExternalModel, changes: dict[str, Any], reason: str
) -> None:
    with pytest.raises(ProviderCapabilityError, match=reason) as caught:
        check_request("p", model, replace(ASKED, **changes))
    assert caught.value.provider == "p"
    assert not caught.value.retryable


def test_every_reason_is_given_at_once() -> None:
    bad = replace(ASKED, mode="inpaint", prompt="", num_images=9)
    assert len(list(refusals(WORDS_ONLY, bad))) == 5


def test_a_provider_s_own_reasons_are_given_with_them() -> None:
    with pytest.raises(ProviderCapabilityError, match=r"prompt is empty.*; glaze and rag exclude each other"):
        check_request("p", EVERYTHING, replace(ASKED, prompt=""), ["glaze and rag exclude each other"])
