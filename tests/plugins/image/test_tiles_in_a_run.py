"""Tiles in a real run, in a real worker: what follows begins with the first before the last is cut."""

from pathlib import Path

import pytest
from support.engine_room import SHIPPED, EngineRoom, graph, node

HERE = {"impasto-image", "impasto-primitives"}
#: More than a loop has open at once.
TILES = 36
#: Tiles of a picture of 96 × 48 pixels, each made softer, and gathered.
GRAPH = graph(
    [
        node("canvas", "blank_image", width=96, height=48, color={"r": 200, "g": 30, "b": 30, "a": 255}),
        node("tiles", "image_tiles", tile_width=16, tile_height=8, overlap=0),
        node("each", "iterate"),
        node("soft", "img_blur", radius=1),
        node("all", "collect"),
        node("kept", "image_collection"),
    ],
    [
        "canvas.image tiles.image",
        "tiles.collection each.collection",
        "each.item soft.image",
        "soft.image all.item",
        "all.collection kept.collection",
    ],
)


def room_for(nodes: int, folder: Path) -> EngineRoom:
    """An engine that runs so many nodes at once."""
    disabled = [name for name in SHIPPED if name not in HERE]
    return EngineRoom(folder, {"disabled_plugins": disabled, "cpu_lane": nodes})


def test_a_tile_is_worked_on_before_the_last_one_is_cut(tmp_path):
    with room_for(1, tmp_path) as room:  # one at a time, so that it is certain what runs before what
        item = room.run(GRAPH)
    assert item.status == "completed", item.error_message
    ended = [event.invocation["id"] for event in room.named("invocation_complete")]
    assert ended.index("soft[0]") < ended.index("tiles") < ended.index("kept")


@pytest.mark.parametrize("nodes", [1, 4])
def test_the_results_are_in_the_order_of_the_tiles_whatever_ran_when(tmp_path, nodes):
    with room_for(nodes, tmp_path) as room:
        room.run(GRAPH)
        outputs = {event.invocation["id"]: event.result for event in room.named("invocation_complete")}
        sizes = {room.images.get(image["image_name"]).width for image in outputs["kept"]["collection"]}
    assert len(outputs["tiles"]["collection"]) == TILES
    assert outputs["kept"]["collection"] == [outputs[f"soft[{place}]"]["image"] for place in range(TILES)]
    assert sizes == {16}
