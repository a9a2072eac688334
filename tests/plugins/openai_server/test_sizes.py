"""Which size a picture gets."""

from typing import Any

import pytest

from impasto_openai_server.sizes import OPENAI_SIZES, picture_size
from impasto_sdk.panels import Scope, Size, SizePreset, World

#: A field as Stable Diffusion's panels have it, for a model whose own size is 512.
FREE = Size(id="size", title="Size", min=64, max=2048, multiple_of=8, native=512)
DEFAULT = {"width": 512, "height": 512}


def made(asked: tuple[int, int] | None, field: Size = FREE, default: Any = DEFAULT, **options: Any) -> tuple[int, int]:
    values = {} if default is None else {"size": default}
    size = picture_size(field, Scope({"size": field}, values, World(models={})), asked, **options)
    return size["width"], size["height"]


@pytest.mark.parametrize(
    ("asked", "size"),
    [
        (None, (512, 512)),
        ((1024, 1024), (512, 512)),
        ((256, 256), (512, 512)),
        ((1536, 1024), (624, 416)),
        ((1024, 1792), (384, 680)),
    ],
)
def test_openais_own_sizes_and_none_ask_for_a_shape_at_the_models_own_size(
    asked: tuple[int, int] | None, size: tuple[int, int]
) -> None:
    assert made(asked) == size


@pytest.mark.parametrize("asked", sorted(OPENAI_SIZES))
def test_a_shape_costs_as_much_as_the_models_own_square(asked: tuple[int, int]) -> None:
    width, height = made(asked)
    assert width * height == pytest.approx(512 * 512, rel=0.03)
    assert width / height == pytest.approx(asked[0] / asked[1], rel=0.03)


@pytest.mark.parametrize(
    ("asked", "size"), [((640, 480), (640, 480)), ((641, 3), (640, 64)), ((16_000, 100), (2048, 104))]
)
def test_any_other_size_is_meant_and_goes_to_the_nearest_that_is_taken(
    asked: tuple[int, int], size: tuple[int, int]
) -> None:
    assert made(asked) == size


def test_an_operator_may_have_openais_sizes_taken_at_their_word() -> None:
    assert made((1024, 1536), exact=True) == (1024, 1536)


def test_a_panel_of_presets_gets_the_nearest_one() -> None:
    presets = [SizePreset(width=512, height=512), SizePreset(width=640, height=448)]
    field = Size(id="size", title="Size", presets=presets, presets_only=True)
    assert made((1536, 1024), field) == (640, 448)
    assert made((500, 500), field) == (512, 512)


def test_the_default_is_what_no_size_means_and_the_area_where_no_native_size_is_known() -> None:
    wide, field = {"width": 768, "height": 512}, Size(id="size", title="Size", multiple_of=8)
    assert made(None, field, wide) == (768, 512)
    assert made((1024, 1024), field, wide) == (624, 624)
    assert made(None, field, None) == (512, 512)


@pytest.mark.parametrize(
    ("original", "kept", "size"),
    [
        ((512, 512), True, (512, 512)),
        ((256, 320), True, (256, 320)),
        ((256, 320), False, (456, 576)),
        ((2048, 1024), True, (728, 360)),
        ((250, 320), True, (456, 576)),
    ],
)
def test_a_picture_that_is_changed_keeps_its_shape_and_one_with_a_mask_its_size_where_that_suits(
    original: tuple[int, int], kept: bool, size: tuple[int, int]
) -> None:
    assert made(None, original=original, keep_original=kept) == size


def test_the_size_that_is_asked_for_goes_before_that_of_the_picture() -> None:
    assert made((640, 480), original=(256, 256), keep_original=True) == (640, 480)
    assert made((1024, 1024), original=(256, 320), keep_original=True) == (512, 512)
