"""Pictures of the library: named, listed, kept."""

import io

import pytest
from PIL import Image

from impasto_image.nodes.library import ImageCollection, ImagePrimitive, SaveImage
from impasto_sdk.errors import ImageNotFoundError
from impasto_sdk.fields import BoardField, ImageField, MetadataField
from impasto_sdk.testing import FakeContext, run_node


@pytest.fixture
def context():
    return FakeContext()


def test_the_image_primitive_names_the_same_picture_and_says_its_size(context):
    field = context.images.add(Image.new("RGB", (5, 3)))
    output = run_node(ImagePrimitive(image=field), context)
    assert (output.image, output.width, output.height) == (field, 5, 3)
    assert context.images.saved == []


def test_a_picture_that_is_not_there_is_named(context):
    with pytest.raises(ImageNotFoundError) as caught:
        run_node(ImagePrimitive(image=ImageField(image_name="gone.png")), context)
    assert caught.value.name == "gone.png"


def test_a_collection_puts_what_arrives_before_what_was_chosen():
    arrived, chosen = ImageField(image_name="a.png"), ImageField(image_name="b.png")
    assert run_node(ImageCollection(collection=[arrived], images=[chosen])).collection == [arrived, chosen]
    assert run_node(ImageCollection()).collection == []


def test_saving_keeps_the_file_byte_for_byte_with_its_metadata(context):
    buffer = io.BytesIO()
    Image.effect_noise((16, 16), 50).convert("RGB").save(buffer, "JPEG")
    field = context.images.add(buffer.getvalue(), metadata={"seed": 1})
    output = run_node(SaveImage(image=field), context)
    assert output.image != field
    assert context.images.load_bytes(output.image) == buffer.getvalue()
    assert context.images.record(output.image).metadata == {"seed": 1}


def test_saving_puts_the_copy_into_the_gallery_even_from_an_intermediate_node(context):
    field = context.images.add(Image.new("RGB", (2, 2)))
    node = SaveImage(image=field, is_intermediate=True, board=BoardField(board_id="b1"))
    record = context.images.record(run_node(node, context).image)
    assert (record.is_intermediate, record.board_id) == (False, "b1")


def test_metadata_that_is_given_replaces_the_pictures_own(context):
    field = context.images.add(Image.new("RGB", (2, 2)), metadata={"seed": 1})
    output = run_node(SaveImage(image=field, metadata=MetadataField({"seed": 2})), context)
    assert context.images.record(output.image).metadata == {"seed": 2}
