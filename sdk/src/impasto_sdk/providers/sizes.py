"""`nearest_size`: from the size that was asked for to the nearest one that a model makes. Pure."""

import math
from dataclasses import dataclass

from impasto_sdk.errors import ProviderCapabilityError
from impasto_sdk.providers.capabilities import ExternalModelCapabilities, ResolutionPreset

__all__ = ["ChosenSize", "nearest_size"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenSize:
    """The size that is sent, in pixels, with the service's own words for it."""

    width: int
    height: int
    aspect_ratio: str | None = None
    image_size: str | None = None


def nearest_size(
    provider: str, capabilities: ExternalModelCapabilities, width: int, height: int, image_size: str | None = None
) -> ChosenSize:
    """The size of the model that is nearest to `width` × `height` pixels: in proportion first, then in area.

    `image_size`: only among the sizes that the service calls so. A model without fixed sizes makes what was asked for.
    Raises `ProviderCapabilityError` for an `image_size` that the model does not have.
    """
    presets = [one for one in capabilities.presets if image_size is None or one.image_size == image_size]
    if not presets:
        if image_size is not None:
            known = ", ".join(repr(name) for name in capabilities.image_sizes) or "none"
            raise ProviderCapabilityError(
                provider, f"image_size = {image_size!r}: the model has no such size; its sizes are {known}"
            )
        return ChosenSize(width=width, height=height)

    def distance(preset: ResolutionPreset) -> tuple[float, float]:
        proportion = abs(math.log(preset.width / preset.height * height / width))
        # two sizes of one ratio differ by some pixels of rounding, which is no difference in proportion
        return round(proportion, 2), abs(math.log(preset.width * preset.height / (width * height)))

    best = min(presets, key=distance)
    return ChosenSize(width=best.width, height=best.height, aspect_ratio=best.aspect_ratio, image_size=best.image_size)
