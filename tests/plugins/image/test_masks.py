"""Masks."""

import pytest
from PIL import Image

from impasto_image.nodes.masks import CombineMasks
from impasto_sdk.errors import InvalidInputError
from impasto_sdk.testing import FakeContext, run_node


def combine(first, second):
    context = FakeContext()
    node = CombineMasks(mask1=context.images.add(first), mask2=context.images.add(second))
    return context, run_node(node, context)


def test_a_combined_mask_is_white_only_where_both_are():
    first, second = Image.new("L", (4, 1)), Image.new("RGB", (4, 1))
    first.putdata([255, 255, 0, 128])
    second.putdata([(255, 255, 255), (0, 0, 0), (255, 255, 255), (128, 128, 128)])
    context, output = combine(first, second)
    made = context.images.load(output.image)
    assert made.mode == "L"
    assert [made.getpixel((x, 0)) for x in range(4)] == [255, 0, 0, 64]
    assert context.images.record(output.image).image_category == "mask"


def test_masks_of_different_sizes_are_refused_with_both_sizes():
    with pytest.raises(InvalidInputError, match=r"4 x 4 pixels, mask1 8 x 8") as caught:
        combine(Image.new("L", (8, 8)), Image.new("L", (4, 4)))
    assert caught.value.field == "mask2"
