"""A run that ends before all its nodes have: the others are told, one that does not listen is ended, and what they had
saved is gone.
"""

import os
import signal
from collections.abc import Callable

from support.engine_room import EngineRoom, graph, node

OpenRoom = Callable[..., EngineRoom]

#: Room for all nodes of a test at once, whatever the machine.
BESIDE = {"cpu_lane": 4}


def sketched(room: EngineRoom) -> str:
    """Wait until a node has saved a picture; gives its name."""
    return str(room.until(lambda e: e.name == "invocation_progress").message)


def sketched_beside(room: EngineRoom, other: str) -> str:
    """Wait until a node has saved a picture, and another node has finished, whichever is first."""

    def both_are_told_of(event: object) -> bool:
        finished = {event.invocation_source_id for event in room.named("invocation_complete")}
        return other in finished and bool(room.named("invocation_progress"))

    room.until(both_are_told_of)
    return str(room.named("invocation_progress")[-1].message)


def names(room: EngineRoom) -> set[str]:
    return set(room.images.names().image_names)


def test_what_a_node_had_saved_goes_with_the_failure_of_another(open_room: OpenRoom):
    room = open_room(**BESIDE, cancel_grace_s=60)
    gate = room.gate("gate")
    document = graph(
        [node("done", "paint"), node("bad", "raises", path=str(gate)), node("open", "sketch")],
    )
    item_id = room.enqueue(document)
    name = sketched_beside(room, "done")
    assert name in names(room)
    room.let_go(gate)
    item = room.wait(item_id)
    assert (item.status, item.error_message) == ("failed", "node 'bad' (raises): boom")
    assert names(room) == {item.session["results"]["done"]["image"]["image_name"]}
    assert [event.invocation_source_id for event in room.named("invocation_error")] == ["bad"]
    assert room.run(graph([node("a", "add")])).status == "completed"
    assert room.worker().starts == 1


def test_a_node_that_does_not_listen_goes_with_its_worker_and_the_item_fails_of_the_first_error(open_room: OpenRoom):
    room = open_room(**BESIDE, cancel_grace_s=0.1)
    deaf, bad = room.gate("deaf"), room.gate("bad")
    nodes = [node("deaf", "gate", path=str(deaf)), node("bad", "raises", path=str(bad)), node("open", "sketch")]
    item_id = room.enqueue(graph(nodes))
    name = sketched(room)
    with room.waiting_at(deaf):
        room.let_go(bad)
        item = room.wait(item_id)
    assert (item.status, item.attempts, item.error_type) == ("failed", 1, "ValueError")
    assert item.error_message == "node 'bad' (raises): boom"
    assert [event.error_message for event in room.named("invocation_error")] == ["boom"]
    assert name not in names(room)
    assert room.run(graph([node("a", "add")])).status == "completed"
    assert room.worker().starts == 2


def test_an_item_whose_node_gave_up_is_cancelled_though_another_does_not_listen(open_room: OpenRoom):
    room = open_room(**BESIDE, cancel_grace_s=0.1)
    deaf, tired = room.gate("deaf"), room.gate("tired")
    item_id = room.enqueue(graph([node("deaf", "gate", path=str(deaf)), node("tired", "gives_up", path=str(tired))]))
    with room.waiting_at(deaf):
        room.let_go(tired)
        item = room.wait(item_id)
    assert (item.status, item.attempts, item.error_type) == ("canceled", 1, None)
    assert room.run(graph([node("a", "add")])).status == "completed"


def test_what_was_saved_by_a_node_that_is_cancelled_is_gone(open_room: OpenRoom):
    room = open_room(**BESIDE, cancel_grace_s=60)
    item_id = room.enqueue(graph([node("one", "sketch"), node("two", "sketch")]))
    saved = {sketched(room), sketched(room)}
    assert names(room) == saved
    room.queue.cancel("default", item_id)
    assert room.run(graph([node("a", "add")])).status == "completed"  # after it
    assert names(room) == set()
    assert room.worker().starts == 1


def test_what_a_lost_node_had_saved_is_not_there_twice_after_it_ran_again(open_room: OpenRoom):
    room = open_room(**BESIDE)
    gate, later = room.gate("gate"), room.gate("later")
    nodes = [node("first", "paint"), node("open", "sketch", path=str(gate)), node("b", "gate", path=str(later))]
    item_id = room.enqueue(graph(nodes))
    sketched_beside(room, "first")
    with room.waiting_at(gate), room.waiting_at(later):
        os.kill(room.worker().pid or 0, signal.SIGKILL)
        room.until(lambda e: e.name == "worker_status_changed" and e.status == "lost")
    sketched(room)
    room.let_go(gate)
    room.let_go(later)
    item = room.wait(item_id)
    assert (item.status, item.attempts) == ("completed", 2)
    results = item.session["results"]
    assert names(room) == {results[id]["image"]["image_name"] for id in ("first", "open")}


def test_a_loss_names_the_nodes_in_hand(open_room: OpenRoom):
    room = open_room(**BESIDE, max_attempts=1)
    gates = [room.gate(name) for name in "abc"]
    item_id = room.enqueue(graph([node(gate.name, "gate", path=str(gate)) for gate in gates]))
    with room.waiting_at(gates[0]), room.waiting_at(gates[1]), room.waiting_at(gates[2]):
        os.kill(room.worker().pid or 0, signal.SIGKILL)
        item = room.wait(item_id)
    assert item.error_message == (
        "node 'a' (gate), node 'b' (gate) and 1 more: worker 'cpu-0' was lost: it was ended by signal 9 (SIGKILL)"
    )


def test_stopping_leaves_nothing_of_the_nodes_that_took_too_long(open_room: OpenRoom):
    room = open_room(**BESIDE)
    gate = room.gate("gate")
    item_id = room.enqueue(graph([node("open", "sketch", path=str(gate)), node("done", "paint")]))
    sketched_beside(room, "done")
    with room.waiting_at(gate):
        room.engine.stop(0.2)
    item = room.queue.get("default", item_id)
    assert item.status == "pending"
    assert names(room) == {item.session["results"]["done"]["image"]["image_name"]}


def test_the_settings_say_how_many_run_at_once_and_what_is_run_first(open_room: OpenRoom):
    room = open_room(cpu_lane=1, ready_order=["numbers", "ask"], class_caps={"numbers": 2})
    nodes = [node(f"add{place}", "add", a=place) for place in range(2)]
    nodes += [node(f"numbers{place}", "numbers", count=place) for place in range(3)]
    nodes += [node("ask", "ask", about="device")]
    assert room.run(graph(nodes)).status == "completed"
    assert [event.invocation_source_id for event in room.named("invocation_started")] == [
        "numbers0",
        "numbers1",
        "ask",
        "numbers2",
        "add0",
        "add1",
    ]
