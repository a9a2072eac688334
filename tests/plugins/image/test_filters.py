"""Softer and sharper, measured on the pixels."""

import numpy as np
import pytest
from PIL import Image

from impasto_image.nodes.filters import BlurImage, UnsharpMask
from impasto_sdk.testing import FakeContext, run_node


def run(node_class, picture, **inputs):
    context = FakeContext()
    return context.images.load(run_node(node_class(image=context.images.add(picture), **inputs), context).image)


def edge(mode="L"):
    """32 x 8 pixels, dark on the left and light on the right."""
    picture = Image.new("L", (32, 8), 64)
    picture.paste(192, (16, 0, 32, 8))
    return picture.convert(mode)


def steepest(picture):
    """The greatest difference of two neighbours in the middle row."""
    row = np.asarray(picture.convert("L"), dtype=int)[4]
    return int(np.abs(np.diff(row)).max())


@pytest.mark.parametrize("blur_type", ["gaussian", "box"])
@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_blurring_flattens_an_edge_and_keeps_the_mode(mode, blur_type):
    made = run(BlurImage, edge(mode), radius=3, blur_type=blur_type)
    assert made.mode == mode
    assert steepest(made) < 30 < steepest(edge())


@pytest.mark.parametrize("blur_type", ["gaussian", "box"])
def test_a_radius_beyond_all_reason_makes_an_even_picture(blur_type):
    assert steepest(run(BlurImage, edge(), radius=1e300, blur_type=blur_type)) <= 1


def test_a_box_blur_is_the_mean_of_its_window():
    made = run(BlurImage, edge(), radius=1, blur_type="box")
    assert [made.getpixel((x, 4)) for x in (14, 15, 16, 17)] == pytest.approx([64, 107, 149, 192], abs=1)


def test_a_radius_of_nothing_changes_nothing():
    assert run(BlurImage, edge("RGB"), radius=0) == edge("RGB")


def test_the_unseen_colour_of_clear_pixels_does_not_bleed():
    picture = Image.new("RGBA", (16, 16), (0, 255, 0, 0))
    picture.paste((255, 0, 0, 255), (8, 0, 16, 16))
    pixels = np.asarray(run(BlurImage, picture, radius=2))
    assert pixels[..., 1][pixels[..., 3] > 0].max() == 0


def test_sharpening_steepens_an_edge_the_more_the_stronger():
    weak, strong = run(UnsharpMask, edge(), strength=50), run(UnsharpMask, edge(), strength=100)
    assert steepest(edge()) < steepest(weak) < steepest(strong)


def test_sharpening_leaves_even_areas_alone():
    assert run(UnsharpMask, Image.new("RGB", (8, 8), (10, 20, 30))).getcolors() == [(64, (10, 20, 30))]


def test_sharpening_by_nothing_changes_nothing():
    assert run(UnsharpMask, edge("RGB"), strength=0) == edge("RGB")


def test_sharpening_keeps_mode_and_opacity():
    picture = edge("RGBA")
    picture.putalpha(edge())
    made = run(UnsharpMask, picture, strength=200)
    assert made.mode == "RGBA"
    assert made.getchannel("A") == picture.getchannel("A")
    assert run(UnsharpMask, edge("L")).mode == "L"


def test_colours_stay_between_black_and_white():
    picture = Image.new("L", (32, 8), 0)
    picture.paste(255, (16, 0, 32, 8))
    assert run(UnsharpMask, picture, strength=500).getextrema() == (0, 255)
