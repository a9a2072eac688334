"""Pictures cut into tiles."""

import io
from itertools import pairwise

import pytest
from PIL import Image

from impasto_image.nodes.tiles import MAX_TILES, ImageTiles
from impasto_sdk.errors import CanceledError, ImageNotFoundError, InvalidInputError
from impasto_sdk.fields import BoardField, ImageField, MetadataField
from impasto_sdk.testing import FakeContext, run_node, stream_node


@pytest.fixture
def context():
    return FakeContext()


def numbered(width: int, height: int) -> Image.Image:
    """A picture whose every pixel says where it is: red is x, green is y."""
    picture = Image.new("RGB", (width, height))
    picture.putdata([(x, y, 0) for y in range(height) for x in range(width)])
    return picture


def cut(context: FakeContext, picture: Image.Image, **inputs: int) -> list[Image.Image]:
    image = context.images.add(picture)
    return [context.images.load(tile) for tile in run_node(ImageTiles(image=image, **inputs), context).collection]


def corner(tile: Image.Image) -> tuple[int, int]:
    """Where in a numbered picture a tile was cut."""
    x, y, _ = tile.getpixel((0, 0))
    return x, y


def test_tiles_come_row_by_row_from_the_top_left(context):
    tiles = cut(context, numbered(8, 4), tile_width=4, tile_height=2, overlap=0)
    assert [corner(tile) for tile in tiles] == [(0, 0), (4, 0), (0, 2), (4, 2)]
    assert {tile.size for tile in tiles} == {(4, 2)}


def test_neighbours_overlap_and_the_last_ends_with_the_picture(context):
    tiles = cut(context, numbered(11, 4), tile_width=4, tile_height=4, overlap=1)
    assert [corner(tile) for tile in tiles] == [(0, 0), (3, 0), (6, 0), (7, 0)]


@pytest.mark.parametrize("overlap", [0, 1, 5])
@pytest.mark.parametrize("length", [6, 7, 11, 12, 13, 31])
def test_tiles_cover_the_picture_and_share_at_least_the_overlap(context, length, overlap):
    tiles = cut(context, numbered(length, 1), tile_width=6, tile_height=1, overlap=overlap)
    starts = [corner(tile)[0] for tile in tiles]
    assert (starts[0], starts[-1] + 6) == (0, length)
    assert all(before < after <= before + 6 - overlap for before, after in pairwise(starts))


def test_a_side_shorter_than_a_tile_is_taken_whole(context):
    tiles = cut(context, numbered(3, 9), tile_width=4, tile_height=4, overlap=3)
    assert {tile.size for tile in tiles} == {(3, 4)}
    assert [corner(tile)[1] for tile in tiles] == [0, 1, 2, 3, 4, 5]
    whole = cut(context, numbered(3, 2), overlap=100)
    assert [tile.size for tile in whole] == [(3, 2)]


def test_a_tile_holds_what_the_picture_has_there(context):
    picture = numbered(5, 5)
    *_, last = cut(context, picture, tile_width=2, tile_height=3, overlap=1)
    assert last.tobytes() == picture.crop((3, 2, 5, 5)).tobytes()


@pytest.mark.parametrize(("mode", "kept"), [("L", "L"), ("RGBA", "RGBA"), ("P", "RGB"), ("CMYK", "RGB")])
def test_tiles_have_the_mode_of_the_picture_or_the_nearest(context, mode, kept):
    field = context.images.add(_encoded(Image.new(mode, (2, 2))))
    (tile,) = run_node(ImageTiles(image=field), context).collection
    assert context.images.load(tile).mode == kept


def test_a_tile_is_saved_no_sooner_than_it_is_asked_for(context):
    image = context.images.add(numbered(6, 1))
    stream = stream_node(ImageTiles(image=image, tile_width=2, tile_height=1, overlap=0), context)
    assert context.images.saved == []
    first = next(stream)
    assert [saved.field for saved in context.images.saved] == [first]
    stream.close()
    assert len(context.images.saved) == 1


def test_progress_says_which_tile_is_cut(context):
    cut(context, numbered(4, 1), tile_width=2, tile_height=1, overlap=0)
    reports = [(report.fraction, report.message) for report in context.progress.reports]
    assert reports == [(0, "Tile 1 of 2"), (0.5, "Tile 2 of 2")]


def test_a_cancelled_session_gets_no_further_tile(context):
    image = context.images.add(numbered(6, 1))
    context.cancel_after(reports=2)
    with pytest.raises(CanceledError):
        run_node(ImageTiles(image=image, tile_width=2, tile_height=1, overlap=0), context)
    assert len(context.images.saved) == 2


def test_every_tile_gets_the_nodes_metadata_and_board(context):
    image = context.images.add(numbered(4, 1))
    facts, board = MetadataField({"seed": 1}), BoardField(board_id="b1")
    node = ImageTiles(image=image, tile_width=2, tile_height=1, overlap=0, metadata=facts, board=board)
    run_node(node, context)
    assert [(saved.record.metadata, saved.record.board_id) for saved in context.images.saved] == [
        ({"seed": 1}, "b1"),
        ({"seed": 1}, "b1"),
    ]


@pytest.mark.parametrize("overlap", [4, 5])
def test_an_overlap_as_large_as_a_tile_is_refused(context, overlap):
    with pytest.raises(InvalidInputError, match="use 3 or less") as caught:
        cut(context, numbered(8, 8), tile_width=6, tile_height=4, overlap=overlap)
    assert (caught.value.field, caught.value.value) == ("overlap", overlap)


def test_more_tiles_than_anyone_wants_are_refused_before_the_first_is_saved(context):
    with pytest.raises(
        InvalidInputError, match=f"makes 10201 tiles; use larger ones; {MAX_TILES} is the most"
    ) as caught:
        cut(context, Image.new("L", (202, 202)), tile_width=2, tile_height=2, overlap=0)
    assert caught.value.field == "tile_width"
    assert context.images.saved == []


def test_a_picture_that_is_not_there_is_named(context):
    with pytest.raises(ImageNotFoundError, match=r"no\.png"):
        run_node(ImageTiles(image=ImageField(image_name="no.png")), context)


def _encoded(picture: Image.Image) -> bytes:
    """PNG keeps palettes, JPEG keeps CMYK."""
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG" if picture.mode == "CMYK" else "PNG")
    return buffer.getvalue()
