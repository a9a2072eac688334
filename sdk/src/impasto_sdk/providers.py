"""The contract of external image services.

A provider is one class in one plugin. It says what its models can do (`ExternalModelCapabilities`), and turns an
`ExternalGenerationRequest` into pictures. What a provider cannot do is refused before a request is sent.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, runtime_checkable

from impasto_sdk.fields import JsonValue

__all__ = [
    "ExternalGenerationRequest",
    "ExternalGenerationResult",
    "ExternalImage",
    "ExternalModel",
    "ExternalModelCapabilities",
    "ExternalProvider",
    "GenerationMode",
    "ProviderStatus",
]

#: What is asked for: from words, from an image, or inside a mask.
GenerationMode = Literal["txt2img", "img2img", "inpaint"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalModelCapabilities:
    """What a provider's model can do."""

    modes: frozenset[GenerationMode]
    supports_seed: bool = False
    #: How many reference images it takes; 0: none.
    max_reference_images: int = 0
    max_images_per_request: int = 1
    #: Width and height in pixels for each aspect ratio, e.g. ``{"1:1": (1024, 1024)}``; empty: any size.
    aspect_ratio_sizes: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    #: Names of sizes the service itself understands, e.g. ``("1K", "2K", "4K")``.
    image_sizes: tuple[str, ...] = ()
    #: Largest input image in bytes; None: not stated.
    max_input_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalModel:
    """A model of a provider."""

    #: Id as the service spells it.
    id: str
    name: str
    description: str
    capabilities: ExternalModelCapabilities


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalGenerationRequest:
    """What a node asks a provider for. Images are encoded (PNG, JPEG or WebP)."""

    model: str
    mode: GenerationMode
    prompt: str
    width: int
    height: int
    seed: int | None = None
    image_size: str | None = None
    num_images: int = 1
    init_image: bytes | None = None
    mask_image: bytes | None = None
    reference_images: tuple[bytes, ...] = ()
    #: Checked by the provider's own model.
    provider_options: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalImage:
    """One picture, as the service sent it."""

    data: bytes
    media_type: str
    seed: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalGenerationResult:
    """What a provider gives back."""

    images: Sequence[ExternalImage]
    #: The service's id of the request, for its support.
    request_id: str | None = None
    #: Cost, token usage and the like, for the image's metadata.
    metadata: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderStatus:
    """Whether a provider can be used, and if not, why."""

    configured: bool
    message: str = ""


@runtime_checkable
class ExternalProvider(Protocol):
    """An external image service, registered with `register_external_providers`."""

    @property
    def provider_id(self) -> str:
        """Unique among all plugins, e.g. ``openai``."""
        ...

    @property
    def is_configured(self) -> bool:
        """Whether a key is set."""
        ...

    def status(self) -> ProviderStatus:
        """Whether it can be used now."""
        ...

    def models(self) -> Sequence[ExternalModel]:
        """The models it offers."""
        ...

    def generate(self, request: ExternalGenerationRequest, cancelled: Callable[[], bool]) -> ExternalGenerationResult:
        """Make pictures. Asks `cancelled` while it waits and raises `CanceledError` at once when it is true.

        Raises a `ProviderError` that says what can be done about it.
        """
        ...
