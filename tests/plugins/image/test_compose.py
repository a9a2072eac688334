"""Pictures out of nothing, and out of two."""

import pytest
from PIL import Image

from impasto_image.nodes.compose import BlankImage, PasteImage
from impasto_sdk.errors import InvalidInputError
from impasto_sdk.fields import ColorField
from impasto_sdk.testing import FakeContext, run_node

RED, BLUE = (255, 0, 0), (0, 0, 255)


def blank(**inputs):
    context = FakeContext()
    return context.images.load(run_node(BlankImage(**inputs), context).image)


def paste(base, image, mask=None, **inputs):
    context = FakeContext()
    fields = {"base_image": context.images.add(base), "image": context.images.add(image)}
    if mask is not None:
        fields["mask"] = context.images.add(mask)
    return context.images.load(run_node(PasteImage(**fields, **inputs), context).image)


def test_a_blank_picture_has_one_colour_and_opacity_only_when_asked_for():
    colour = ColorField(r=1, g=2, b=3, a=4)
    assert blank(width=3, height=2, color=colour).getcolors() == [(6, (1, 2, 3))]
    assert blank(width=3, height=2, color=colour, mode="RGBA").getcolors() == [(6, (1, 2, 3, 4))]


@pytest.mark.parametrize(("field", "value"), [("width", 0), ("height", -1), ("width", 10**9)])
def test_a_blank_picture_of_an_impossible_size_names_the_side_to_mend(field, value):
    with pytest.raises(InvalidInputError) as caught:
        blank(**{field: value})
    assert (caught.value.field, caught.value.value) == (field, value)


def test_pasting_inside_the_base_keeps_its_size_and_stays_opaque():
    made = paste(Image.new("RGB", (4, 4), RED), Image.new("RGB", (2, 2), BLUE), x=1, y=2)
    assert (made.size, made.mode) == ((4, 4), "RGB")
    assert {(x, y) for x in range(4) for y in range(4) if made.getpixel((x, y)) == BLUE} == {
        (1, 2),
        (2, 2),
        (1, 3),
        (2, 3),
    }


@pytest.mark.parametrize(
    ("x", "y", "size", "base_at", "pasted_at", "clear_at"),
    [(3, 3, (5, 5), (0, 0), (4, 4), (4, 0)), (-1, -2, (5, 6), (4, 5), (0, 0), (4, 0))],
    ids=["right and below", "left and above"],
)
def test_the_picture_grows_where_the_pasted_one_sticks_out(x, y, size, base_at, pasted_at, clear_at):
    made = paste(Image.new("RGB", (4, 4), RED), Image.new("RGB", (2, 2), BLUE), x=x, y=y)
    assert (made.size, made.mode) == (size, "RGBA")
    assert made.getpixel(base_at) == (*RED, 255)
    assert made.getpixel(pasted_at) == (*BLUE, 255)
    assert made.getpixel(clear_at) == (0, 0, 0, 0)


@pytest.mark.parametrize(("x", "y", "pasted_at"), [(3, 3, (3, 3)), (-1, -1, (0, 0))])
def test_cropping_cuts_the_result_to_the_base(x, y, pasted_at):
    made = paste(Image.new("RGB", (4, 4), RED), Image.new("RGB", (2, 2), BLUE), x=x, y=y, crop=True)
    assert (made.size, made.mode) == ((4, 4), "RGB")
    assert [made.getpixel((i % 4, i // 4)) for i in range(16)].count(BLUE) == 1
    assert made.getpixel(pasted_at) == BLUE


def test_a_paste_however_far_away_leaves_a_cropped_result_as_the_base_is():
    base = Image.new("RGB", (4, 4), RED)
    made = paste(base, Image.new("RGB", (2, 2), BLUE), x=2**40, y=-(2**40), crop=True)
    assert made.getcolors() == [(16, RED)]


def test_black_of_the_mask_covers_and_white_keeps_the_base():
    mask = Image.new("L", (2, 1))
    mask.putdata([0, 255])
    made = paste(Image.new("RGB", (2, 1), RED), Image.new("RGB", (2, 1), BLUE), mask)
    assert [made.getpixel((0, 0)), made.getpixel((1, 0))] == [BLUE, RED]


def test_grey_of_the_mask_mixes():
    made = paste(Image.new("RGB", (1, 1), RED), Image.new("RGB", (1, 1), BLUE), Image.new("L", (1, 1), 128))
    assert made.getpixel((0, 0)) == pytest.approx((128, 0, 127), abs=1)


def test_a_mask_of_another_size_than_the_pasted_picture_is_refused():
    with pytest.raises(InvalidInputError, match="3 x 3 pixels, the pasted image 2 x 2") as caught:
        paste(Image.new("RGB", (4, 4)), Image.new("RGB", (2, 2)), Image.new("L", (3, 3)))
    assert caught.value.field == "mask"


def test_a_paste_far_away_that_would_need_a_huge_picture_is_refused():
    with pytest.raises(InvalidInputError, match="larger than") as caught:
        paste(Image.new("RGB", (4, 4)), Image.new("RGB", (2, 2)), x=10**6, y=10**3)
    assert caught.value.field == "x"


def test_opacity_of_the_pasted_picture_replaces_what_is_below():
    made = paste(Image.new("RGB", (2, 2), RED), Image.new("RGBA", (1, 1), (0, 0, 255, 0)))
    assert made.getpixel((0, 0)) == (0, 0, 255, 0)
