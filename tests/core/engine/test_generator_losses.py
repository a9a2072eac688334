"""Nodes that yield, in workers that are lost, cancelled or stopped: items stay as they were, nothing is there twice."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.engine_room import EngineRoom, graph, node

OpenRoom = Callable[..., EngineRoom]


def names(room: EngineRoom) -> set[str]:
    return set(room.images.names().image_names)


def loop(**sketches: Any) -> dict[str, Any]:
    """Pictures, one by one, and the red of each."""
    return graph(
        [node("g", "sketches", **sketches), node("each", "each"), node("red", "pixel"), node("all", "gather")],
        ["g.collection each.collection", "each.item red.image", "red.value all.item"],
    )


def until_used(room: EngineRoom, index: int) -> None:
    """Wait until an item has been used."""
    room.until(lambda e: e.name == "invocation_complete" and e.invocation["id"] == f"red[{index}]")


def yielded(room: EngineRoom, item_id: int) -> list[str]:
    results = room.queue.get("default", item_id).session["results"]
    return [image["image_name"] for image in results["g"]["collection"]]


def test_a_loop_works_on_items_of_a_node_that_has_not_finished(open_room: OpenRoom):
    room = open_room()
    gate = room.gate("gate")
    item_id = room.enqueue(loop(count=3, before=2, path=str(gate)))
    until_used(room, 1)
    with room.waiting_at(gate):
        session = room.queue.get("default", item_id).session
    assert sorted(session["results"]) == ["each[0]", "each[1]", "red[0]", "red[1]"]
    assert session["prepared_source_mapping"].keys() == session["results"].keys()
    item = room.wait(item_id)
    assert (item.status, item.session["results"]["all"]["collection"]) == ("completed", [255, 255, 255])
    assert names(room) == set(yielded(room, item_id))


@pytest.mark.parametrize("covered", [False, True])
def test_a_worker_lost_between_two_items_costs_no_item_and_leaves_none_twice(
    open_room: OpenRoom, tmp_path: Path, covered: bool
):
    room, diary = open_room(), tmp_path / "diary"
    gate = room.gate("gate")
    document = loop(count=4, before=2, path=str(gate), diary=str(diary), covered=covered)
    item_id = room.enqueue(document)
    until_used(room, 1)
    with room.waiting_at(gate):
        before = {room.images.get(name).width: name for name in names(room)}
        assert sorted(before) == [62, 63, 64]  # the last of them saved, and not given yet
        os.kill(room.worker().pid or 0, signal.SIGKILL)
        room.until(lambda e: e.name == "worker_status_changed" and e.status == "lost")
    room.let_go(gate)
    item = room.wait(item_id)
    assert (item.status, item.attempts) == ("completed", 2)
    kept = yielded(room, item_id)
    assert kept[:2] == [before[64], before[63]]
    assert before[62] not in names(room)
    assert [room.images.get(name).width for name in kept] == [64, 63, 62, 61]
    # what another field of the output refers to stays, though it was made a second time
    cover = item.session["results"]["g"]["cover"]
    assert (cover is not None) is covered
    assert names(room) == {*kept, *([cover["image_name"]] if cover else [])}
    assert diary.read_text().split() == ["begin", "begin", "close"]
    ran = [event.invocation["id"] for event in room.named("invocation_started")]
    assert (ran.count("red[0]"), ran.count("red[1]")) == (1, 1)


def test_a_worker_lost_after_the_last_item_gives_all_of_them_again(open_room: OpenRoom, tmp_path: Path):
    room, diary = open_room(), tmp_path / "diary"
    gate = room.gate("gate")
    item_id = room.enqueue(loop(count=2, before=2, path=str(gate), diary=str(diary)))
    until_used(room, 1)
    with room.waiting_at(gate):
        before = names(room)
        os.kill(room.worker().pid or 0, signal.SIGKILL)
        room.until(lambda e: e.name == "worker_status_changed" and e.status == "lost")
    room.let_go(gate)
    assert room.wait(item_id).status == "completed"
    assert set(yielded(room, item_id)) == before == names(room)


def test_cancelling_closes_a_node_that_yields(open_room: OpenRoom, tmp_path: Path):
    room, diary = open_room(cancel_grace_s=60), tmp_path / "diary"
    document = graph(
        [node("g", "sketches", count=3, diary=str(diary)), node("each", "each"), node("p", "polite")],
        ["g.collection each.collection", "each.index p.steps"],
    )
    item_id = room.enqueue(document)
    room.until(lambda e: e.name == "invocation_progress")
    room.queue.cancel("default", item_id)
    assert room.run(graph([node("a", "add")])).status == "completed"
    assert diary.read_text().split() == ["begin", "close"]
    assert room.queue.get("default", item_id).status == "canceled"
    assert room.worker().starts == 1


def test_a_stopped_server_goes_on_with_the_items_there_are(toys: Path, tmp_path: Path, open_room: OpenRoom):
    diary = tmp_path / "diary"
    with EngineRoom(tmp_path) as room:
        gate = room.gate("gate")
        item_id = room.enqueue(loop(count=3, before=1, path=str(gate), diary=str(diary)))
        until_used(room, 0)
        with room.waiting_at(gate):
            first = min(names(room), key=lambda name: -room.images.get(name).width)
            room.engine.stop(0.2)
    room = open_room()
    room.let_go(gate)
    assert room.wait(item_id).status == "completed"
    assert yielded(room, item_id)[0] == first
    assert names(room) == set(yielded(room, item_id))
