"""The models that OpenAI's service offers, or offered, with what each can do.

Limits and options are those of OpenAI's API as its own Python client documents them (openai 3.54.0); dates of shutdown
are those of its list of deprecations, read on 22 November 2026. A model that is shut down there is kept for services at
another base URL that still have it.
"""

from impasto_sdk.providers import ExternalModel, ExternalModelCapabilities

__all__ = ["MODELS"]

#: Images that one request may bring along, the one to change among them.
MAX_INPUT_IMAGES = 16
#: Largest image that may be sent, in bytes.
MAX_INPUT_BYTES = 50 * 2**20

_GPT_IMAGE = ExternalModelCapabilities(
    modes=frozenset({"txt2img", "img2img", "inpaint"}),
    max_reference_images=MAX_INPUT_IMAGES,
    max_input_images=MAX_INPUT_IMAGES,
    max_images_per_request=10,
    aspect_ratio_sizes={"1:1": (1024, 1024), "3:2": (1536, 1024), "2:3": (1024, 1536)},
    max_input_bytes=MAX_INPUT_BYTES,
    max_prompt_length=32_000,
)
_DALL_E_3 = ExternalModelCapabilities(
    modes=frozenset({"txt2img"}),
    aspect_ratio_sizes={"1:1": (1024, 1024), "7:4": (1792, 1024), "4:7": (1024, 1792)},
    max_prompt_length=4_000,
)

_GPT_IMAGE_OPTIONS = (
    "quality",
    "background",
    "output_format",
    "output_compression",
    "moderation",
    "partial_images",
)

#: In the order in which they are offered.
MODELS = (
    ExternalModel(
        id="gpt-image-1.5",
        name="GPT Image 1.5",
        description="Follows instructions closely, and keeps faces and marks in edits. OpenAI shuts it down on "
        "1 December 2026.",
        capabilities=_GPT_IMAGE,
        options=(*_GPT_IMAGE_OPTIONS, "input_fidelity"),
    ),
    ExternalModel(
        id="gpt-image-1-mini",
        name="GPT Image 1 Mini",
        description="Costs the least. OpenAI shuts it down on 1 December 2026.",
        capabilities=_GPT_IMAGE,
        # the service takes input_fidelity "low" only, which is what it does anyway
        options=_GPT_IMAGE_OPTIONS,
    ),
    ExternalModel(
        id="gpt-image-1",
        name="GPT Image 1",
        description="The first of its line. OpenAI shut it down on 23 October 2026; services at another base URL may "
        "have it.",
        capabilities=_GPT_IMAGE,
        options=(*_GPT_IMAGE_OPTIONS, "input_fidelity"),
    ),
    ExternalModel(
        id="dall-e-3",
        name="DALL·E 3",
        description="Words only, one picture for each request. OpenAI shut it down on 12 May 2026; services at another "
        "base URL may have it.",
        capabilities=_DALL_E_3,
        options=("quality", "style"),
    ),
)
