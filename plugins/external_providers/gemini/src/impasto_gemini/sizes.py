"""What the models' aspect ratios and sizes come to in pixels. The table is the service's own.

https://ai.google.dev/gemini-api/docs/image-generation#aspect_ratios_and_image_size
"""

from collections.abc import Iterator, Mapping

from impasto_sdk.providers import ResolutionPreset

__all__ = ["EXTREME_RATIOS", "GEMINI_2_5_SIZES", "GEMINI_3_RATIOS", "gemini_3_presets"]

#: Gemini 2.5 takes a ratio, and no size.
GEMINI_2_5_SIZES: Mapping[str, tuple[int, int]] = {
    "1:1": (1024, 1024),
    "2:3": (832, 1248),
    "3:2": (1248, 832),
    "3:4": (864, 1184),
    "4:3": (1184, 864),
    "4:5": (896, 1152),
    "5:4": (1152, 896),
    "9:16": (768, 1344),
    "16:9": (1344, 768),
    "21:9": (1536, 672),
}
#: Gemini 3 in size ``1K``; every other size is a multiple of it.
GEMINI_3_RATIOS: Mapping[str, tuple[int, int]] = {
    "1:1": (1024, 1024),
    "2:3": (848, 1264),
    "3:2": (1264, 848),
    "3:4": (896, 1200),
    "4:3": (1200, 896),
    "4:5": (928, 1152),
    "5:4": (1152, 928),
    "9:16": (768, 1376),
    "16:9": (1376, 768),
    "21:9": (1584, 672),
}
#: What Gemini 3.1 Flash makes beside these, in size ``1K``.
EXTREME_RATIOS: Mapping[str, tuple[int, int]] = {
    "1:4": (512, 2048),
    "4:1": (2048, 512),
    "1:8": (384, 3072),
    "8:1": (3072, 384),
}
# The service's page has 792 × 168 for 21:9 in 512: a slip, for its height is half of 336, which that ratio needs.
_HALVES_OF_1K: Mapping[str, int] = {"512": 1, "1K": 2, "2K": 4, "4K": 8}


def gemini_3_presets(
    ratios: Mapping[str, tuple[int, int]], image_sizes: tuple[str, ...]
) -> tuple[ResolutionPreset, ...]:
    """Every one of `ratios` in each of `image_sizes`, which are among ``512``, ``1K``, ``2K`` and ``4K``."""
    return tuple(_presets(ratios, image_sizes))


def _presets(ratios: Mapping[str, tuple[int, int]], image_sizes: tuple[str, ...]) -> Iterator[ResolutionPreset]:
    for image_size in image_sizes:
        halves = _HALVES_OF_1K[image_size]
        for ratio, (width, height) in ratios.items():
            yield ResolutionPreset(
                width=width * halves // 2, height=height * halves // 2, aspect_ratio=ratio, image_size=image_size
            )
