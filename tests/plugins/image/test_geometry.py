"""Pictures brought to another size."""

import pytest
from PIL import Image
from pydantic import ValidationError

from impasto_image.nodes.geometry import CropImage, ResizeImage, ScaleImage
from impasto_sdk.errors import InvalidInputError
from impasto_sdk.testing import FakeContext, run_node


def run(node_class, picture, **inputs):
    """The picture that the node makes of `picture`."""
    context = FakeContext()
    output = run_node(node_class(image=context.images.add(picture), **inputs), context)
    made = context.images.load(output.image)
    assert made.size == (output.width, output.height)
    return made


@pytest.fixture
def quarters():
    """4 x 4 pixels: red, green above; blue, white below."""
    picture = Image.new("RGB", (4, 4), "white")
    picture.paste("red", (0, 0, 2, 2))
    picture.paste("lime", (2, 0, 4, 2))
    picture.paste("blue", (0, 2, 2, 4))
    return picture


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_resizing_gives_the_exact_size_and_keeps_the_mode(quarters, mode):
    made = run(ResizeImage, quarters.convert(mode), width=7, height=3)
    assert (made.size, made.mode) == ((7, 3), mode)


def test_the_resample_mode_decides_between_old_colours_and_mixed_ones(quarters):
    palette = set(quarters.getcolors())
    nearest = run(ResizeImage, quarters, width=8, height=8, resample_mode="nearest")
    assert {colour for _, colour in nearest.getcolors()} == {colour for _, colour in palette}
    assert len(run(ResizeImage, quarters, width=8, height=8, resample_mode="bicubic").getcolors()) > 4


@pytest.mark.parametrize("mode", ["1", "I;16", "P", "LA", "CMYK"])
def test_a_picture_of_a_rare_mode_is_worked_on_all_the_same(mode):
    context = FakeContext()
    picture = Image.new(mode, (4, 4))
    # PNG has no CMYK, but a JPEG of the library may
    field = context.images.add(picture) if mode != "CMYK" else context.images.add(jpeg(picture))
    made = context.images.load(run_node(ResizeImage(image=field, width=2, height=2), context).image)
    assert made.mode in {"L", "RGB", "RGBA"}


def jpeg(picture):
    import io

    buffer = io.BytesIO()
    picture.save(buffer, "JPEG")
    return buffer.getvalue()


def test_sixteen_bits_of_grey_become_eight_by_scaling_not_by_clipping():
    assert run(ResizeImage, Image.new("I;16", (4, 4), 0x8000), width=2, height=2).getpixel((0, 0)) == 0x80


def test_a_width_of_nothing_is_refused_before_the_node_runs():
    with pytest.raises(ValidationError, match="width"):
        ResizeImage(image={"image_name": "a.png"}, width=0)


def test_a_size_beyond_all_reason_names_the_side_to_mend(quarters):
    with pytest.raises(InvalidInputError, match="89478485") as caught:
        run(ResizeImage, quarters, width=10, height=10**8)
    assert (caught.value.field, caught.value.value) == ("height", 10**8)


@pytest.mark.parametrize(("factor", "size"), [(2.0, (8, 8)), (0.7, (2, 2)), (1.9, (7, 7))])
def test_scaling_cuts_fractions_of_a_pixel_off(quarters, factor, size):
    assert run(ScaleImage, quarters, scale_factor=factor).size == size


@pytest.mark.parametrize("factor", [0.1, 1e6, 1e308 * 10])
def test_a_factor_that_leaves_no_picture_is_named(quarters, factor):
    with pytest.raises(InvalidInputError, match="4 x 4") as caught:
        run(ScaleImage, quarters, scale_factor=factor)
    assert caught.value.field == "scale_factor"


def test_a_crop_inside_the_picture_keeps_its_mode(quarters):
    made = run(CropImage, quarters, x=2, y=0, width=2, height=2)
    assert made.mode == "RGB"
    assert made.getcolors() == [(4, (0, 255, 0))]


def test_a_crop_beyond_the_picture_is_clear_there(quarters):
    made = run(CropImage, quarters, x=-1, y=2, width=3, height=3)
    assert made.mode == "RGBA"
    assert [made.getpixel((x, 0)) for x in range(3)] == [(0, 0, 0, 0), (0, 0, 255, 255), (0, 0, 255, 255)]
    assert made.getpixel((1, 2)) == (0, 0, 0, 0)


def test_a_crop_beside_the_picture_is_all_clear(quarters):
    assert run(CropImage, quarters, x=100, y=100, width=2, height=2).getcolors() == [(4, (0, 0, 0, 0))]


@pytest.mark.parametrize("place", [-(2**40), 2**40])
def test_a_crop_however_far_beside_the_picture_is_all_clear(quarters, place):
    assert run(CropImage, quarters, x=place, y=place, width=2, height=2).getcolors() == [(4, (0, 0, 0, 0))]
