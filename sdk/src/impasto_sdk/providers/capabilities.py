"""`ExternalModelCapabilities`: what a model of an external service can do, as data.

Everything that a node, a panel and a client may ask about such a model follows from it: nobody looks at its name.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from impasto_sdk.fields import JsonValue

__all__ = ["ExternalModelCapabilities", "GenerationMode", "ResolutionPreset"]

#: What is asked for: a picture from words, from another picture, or inside a mask.
GenerationMode = Literal["txt2img", "img2img", "inpaint"]

#: Modes in the order in which they are shown, with what a person reads.
MODES: Mapping[GenerationMode, str] = {"txt2img": "Words", "img2img": "An image", "inpaint": "A mask in an image"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolutionPreset:
    """A size that the service makes: what it is called there, and what comes back, in pixels."""

    width: int
    height: int
    #: e.g. ``16:9``.
    aspect_ratio: str
    #: The service's own name for how large it is, e.g. ``2K``; None where the ratio alone decides.
    image_size: str | None = None

    @property
    def label(self) -> str:
        """What a person reads: ``16:9 · 2K``."""
        return self.aspect_ratio if self.image_size is None else f"{self.aspect_ratio} · {self.image_size}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalModelCapabilities:
    """What a provider's model can do. What it cannot is refused before a request is sent."""

    modes: frozenset[GenerationMode]
    supports_seed: bool = False
    #: How many reference images it takes; 0: none.
    max_reference_images: int = 0
    #: How many images it takes in all, the one to change among them; None: not stated.
    max_input_images: int | None = None
    #: Pictures that one request can give; more are asked for in several requests, side by side.
    max_images_per_request: int = 1
    #: Width and height in pixels for each aspect ratio, e.g. ``{"1:1": (1024, 1024)}``; empty: any size.
    aspect_ratio_sizes: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    #: Sizes where the ratio alone does not decide; they go before `aspect_ratio_sizes`.
    resolution_presets: tuple[ResolutionPreset, ...] = ()
    #: Largest input image in bytes; None: not stated.
    max_input_bytes: int | None = None
    #: Media types of input images.
    input_media_types: tuple[str, ...] = ("image/png", "image/jpeg", "image/webp")
    #: Most characters of a prompt; None: not stated.
    max_prompt_length: int | None = None

    @property
    def supports_reference_images(self) -> bool:
        """Whether it takes reference images."""
        return self.max_reference_images > 0

    @property
    def image_sizes(self) -> tuple[str, ...]:
        """The service's own names of sizes, e.g. ``("1K", "2K", "4K")``, in order; empty where there are none."""
        return tuple(dict.fromkeys(preset.image_size for preset in self.presets if preset.image_size is not None))

    @property
    def presets(self) -> Sequence[ResolutionPreset]:
        """Every size that it makes; empty: any size."""
        return self.resolution_presets or tuple(
            ResolutionPreset(width=width, height=height, aspect_ratio=ratio)
            for ratio, (width, height) in self.aspect_ratio_sizes.items()
        )

    def facts(self) -> dict[str, JsonValue]:
        """The same as facts of a model record, for panels and clients.

        ``modes``, ``mode_options`` (the same with labels), ``supports`` (of ``seed``, ``reference_images``,
        ``fixed_sizes``), ``max_reference_images``, ``max_images_per_request``, ``sizes`` (``{width, height, label}``),
        ``image_sizes``, ``max_input_bytes``.
        """
        able = {
            "seed": self.supports_seed,
            "reference_images": self.supports_reference_images,
            "fixed_sizes": bool(self.presets),
        }
        return {
            "modes": [mode for mode in MODES if mode in self.modes],
            "mode_options": [{"value": mode, "label": MODES[mode]} for mode in MODES if mode in self.modes],
            "supports": [name for name, is_able in able.items() if is_able],
            "max_reference_images": self.max_reference_images,
            "max_images_per_request": self.max_images_per_request,
            "sizes": [{"width": one.width, "height": one.height, "label": one.label} for one in self.presets],
            "image_sizes": list(self.image_sizes),
            "max_input_bytes": self.max_input_bytes,
        }
