"""The models of the Gemini API that make pictures, with what each can do.

https://ai.google.dev/gemini-api/docs/image-generation has the limits. None takes a mask. The API knows a seed, and
promises nothing of it for image models, so it is offered for none.
"""

from collections.abc import Sequence

from impasto_gemini.sizes import EXTREME_RATIOS, GEMINI_2_5_SIZES, GEMINI_3_RATIOS, gemini_3_presets
from impasto_sdk.providers import ExternalModel, ExternalModelCapabilities

__all__ = ["MAX_REQUEST_BYTES", "MODELS"]

#: Most bytes of a request, pictures in base64; https://ai.google.dev/gemini-api/docs/file-input-methods has it.
MAX_REQUEST_BYTES = 100_000_000
#: What is left of it for one picture, of which three bytes are four in base64.
_MAX_INPUT_BYTES = MAX_REQUEST_BYTES * 3 // 4

_FLASH_2_5 = ExternalModelCapabilities(
    modes=frozenset({"txt2img", "img2img"}),
    max_reference_images=3,
    max_input_images=3,
    max_input_bytes=_MAX_INPUT_BYTES,
    aspect_ratio_sizes=GEMINI_2_5_SIZES,
)
_PRO_3 = ExternalModelCapabilities(
    modes=frozenset({"txt2img", "img2img"}),
    max_reference_images=14,
    max_input_images=14,
    max_input_bytes=_MAX_INPUT_BYTES,
    resolution_presets=gemini_3_presets(GEMINI_3_RATIOS, ("1K", "2K", "4K")),
)
_FLASH_3_1 = ExternalModelCapabilities(
    modes=frozenset({"txt2img", "img2img"}),
    max_reference_images=14,
    max_input_images=14,
    max_input_bytes=_MAX_INPUT_BYTES,
    resolution_presets=gemini_3_presets({**GEMINI_3_RATIOS, **EXTREME_RATIOS}, ("512", "1K", "2K", "4K")),
)
_SQUARE_1K = {"size": {"width": 1024, "height": 1024}}
_PRO_3_IS = "Slow and careful: many references, legible text, up to 4K."
_FLASH_3_1_IS = "Fast: many references, very wide and very tall pictures, 512 to 4K."

MODELS: Sequence[ExternalModel] = (
    ExternalModel(
        id="gemini-2.5-flash-image",
        name="Gemini 2.5 Flash Image",
        description="Fast and cheap: about one megapixel, changes pictures as they are told.",
        capabilities=_FLASH_2_5,
        defaults=_SQUARE_1K,
        options=("temperature",),
    ),
    ExternalModel(
        id="gemini-3-pro-image-preview",
        name="Gemini 3 Pro Image Preview",
        description=f"{_PRO_3_IS} In preview; it goes on as Gemini 3 Pro Image.",
        capabilities=_PRO_3,
        defaults=_SQUARE_1K,
        options=("temperature",),
    ),
    ExternalModel(
        id="gemini-3.1-flash-image-preview",
        name="Gemini 3.1 Flash Image Preview",
        description=f"{_FLASH_3_1_IS} In preview; it goes on as Gemini 3.1 Flash Image.",
        capabilities=_FLASH_3_1,
        defaults=_SQUARE_1K,
    ),
    # the same two under the names that they have had since they left preview, on 2026-05-28
    ExternalModel(
        id="gemini-3-pro-image",
        name="Gemini 3 Pro Image",
        description=_PRO_3_IS,
        capabilities=_PRO_3,
        defaults=_SQUARE_1K,
        options=("temperature",),
    ),
    ExternalModel(
        id="gemini-3.1-flash-image",
        name="Gemini 3.1 Flash Image",
        description=_FLASH_3_1_IS,
        capabilities=_FLASH_3_1,
        defaults=_SQUARE_1K,
    ),
)
