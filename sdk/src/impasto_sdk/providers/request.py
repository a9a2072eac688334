"""What a provider is asked and what it answers: `ExternalGenerationRequest` and `ExternalGenerationResult`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from impasto_sdk.fields import JsonValue
from impasto_sdk.providers.capabilities import GenerationMode

__all__ = ["ExternalGenerationRequest", "ExternalGenerationResult", "ExternalImage", "InputImage"]


@dataclass(frozen=True, slots=True, kw_only=True)
class InputImage:
    """An encoded picture that goes to a service."""

    data: bytes
    #: ``image/png``, ``image/jpeg`` or ``image/webp``, as its bytes say.
    media_type: str
    width: int
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalGenerationRequest:
    """One request to a service. It has been held to the model's capabilities: what is here, the model can do."""

    #: Id of the model as the service spells it.
    model: str
    mode: GenerationMode
    prompt: str
    #: Pixels; one of the model's sizes, where it has fixed ones.
    width: int
    height: int
    #: The ratio that belongs to the size, e.g. ``16:9``; None where the model takes any size.
    aspect_ratio: str | None = None
    #: The service's own name of the size, e.g. ``2K``; None where it has none.
    image_size: str | None = None
    num_images: int = 1
    #: None: the service chooses, or takes none.
    seed: int | None = None
    #: The picture to change; there in modes ``img2img`` and ``inpaint``.
    init_image: InputImage | None = None
    #: Greyscale, of the size of `init_image`: white is made anew, black stays. There in mode ``inpaint``.
    mask_image: InputImage | None = None
    reference_images: tuple[InputImage, ...] = ()
    #: Fields of the provider's own `options`, checked by it.
    provider_options: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalImage:
    """One picture, byte for byte as the service sent it."""

    data: bytes
    #: The seed it was made with, where the service says so.
    seed: int | None = None
    #: The prompt that the service made of the one it was given.
    revised_prompt: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalGenerationResult:
    """What a service answered."""

    images: Sequence[ExternalImage]
    #: The service's id of the request, for its support.
    request_id: str | None = None
    input_tokens: int = 0
    output_tokens: int = 0
    #: US dollars for the request, from the answer or from published prices; None: not known.
    cost_usd: float | None = None
    #: Anything else that is worth keeping with the pictures.
    metadata: Mapping[str, JsonValue] = field(default_factory=dict)
