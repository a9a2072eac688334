"""A size that was asked for goes to the nearest one that the model makes."""

import pytest

from impasto_sdk.errors import ProviderCapabilityError
from impasto_sdk.providers import ChosenSize, ExternalModelCapabilities, ResolutionPreset, nearest_size

WORDS = frozenset({"txt2img"})
RATIOS = ExternalModelCapabilities(
    modes=WORDS, aspect_ratio_sizes={"1:1": (1024, 1024), "3:2": (1536, 1024), "2:3": (1024, 1536)}
)
PRESETS = ExternalModelCapabilities(
    modes=WORDS,
    resolution_presets=(
        ResolutionPreset(width=1024, height=1024, aspect_ratio="1:1", image_size="1K"),
        ResolutionPreset(width=2048, height=2048, aspect_ratio="1:1", image_size="2K"),
        ResolutionPreset(width=1376, height=768, aspect_ratio="16:9", image_size="1K"),
        ResolutionPreset(width=2752, height=1536, aspect_ratio="16:9", image_size="2K"),
    ),
)


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ((1024, 1024), ("1:1", 1024, 1024)),
        ((512, 512), ("1:1", 1024, 1024)),
        ((1920, 1080), ("3:2", 1536, 1024)),
        ((1080, 1920), ("2:3", 1024, 1536)),
        ((1536, 1024), ("3:2", 1536, 1024)),
        ((1100, 1000), ("1:1", 1024, 1024)),
        ((1, 16384), ("2:3", 1024, 1536)),
    ],
)
def test_the_nearest_proportion_is_taken(asked: tuple[int, int], given: tuple[str, int, int]) -> None:
    ratio, width, height = given
    assert nearest_size("p", RATIOS, *asked) == ChosenSize(width=width, height=height, aspect_ratio=ratio)


@pytest.mark.parametrize(
    ("asked", "image_size", "given"),
    [
        ((1024, 1024), None, ("1:1", "1K")),
        ((1800, 1800), None, ("1:1", "2K")),
        ((1376, 768), None, ("16:9", "1K")),
        ((3840, 2160), None, ("16:9", "2K")),
        ((3840, 2160), "1K", ("16:9", "1K")),
        ((64, 64), "2K", ("1:1", "2K")),
    ],
)
def test_of_one_proportion_the_nearest_area_is_taken_unless_the_service_s_own_size_is_named(
    asked: tuple[int, int], image_size: str | None, given: tuple[str, str]
) -> None:
    chosen = nearest_size("p", PRESETS, *asked, image_size)
    assert (chosen.aspect_ratio, chosen.image_size) == given


def test_a_model_of_any_size_is_sent_what_was_asked_for() -> None:
    free = ExternalModelCapabilities(modes=WORDS)
    assert nearest_size("p", free, 333, 77) == ChosenSize(width=333, height=77)


def test_a_size_that_the_model_does_not_name_is_refused_with_those_it_does() -> None:
    with pytest.raises(ProviderCapabilityError, match=r"image_size = '4K': .*its sizes are '1K', '2K'"):
        nearest_size("p", PRESETS, 1024, 1024, "4K")
    with pytest.raises(ProviderCapabilityError, match="its sizes are none"):
        nearest_size("p", RATIOS, 1024, 1024, "1K")


def test_a_preset_comes_to_itself() -> None:
    for preset in PRESETS.presets:
        chosen = nearest_size("p", PRESETS, preset.width, preset.height)
        assert (chosen.width, chosen.height, chosen.image_size) == (preset.width, preset.height, preset.image_size)
