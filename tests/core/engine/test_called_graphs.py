"""Sessions whose nodes run graphs of their own, in a real worker: ids, events, pictures, and what a journal saves."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from support.engine_room import EngineRoom, graph, node

OpenRoom = Callable[..., EngineRoom]

#: What a call carries, but for the graph.
SNAPSHOT = {"workflow_id": "w", "name": "W", "inputs": [{"node_id": "g", "field": "a"}]}
#: What a call takes and gives.
A, NUMBER = "saved_workflow_input::g::a", "saved_workflow_output::number"


def called(path: str, diary: str) -> dict[str, Any]:
    """A graph that paints, waits at a gate, and gives back both."""
    return graph(
        [
            node("p", "paint", use_cache=False),
            node("g", "gate", a=5, path=path, diary=diary),
            node("picture", "returned", key="picture"),
            node("number", "returned", key="number"),
            node("both", "gather"),
            node("return", "return"),
        ],
        [
            "p.image picture.value",
            "g.value number.value",
            "picture.value both.item",
            "number.value both.item",
            "both.collection return.values",
        ],
    )


def calling(path: Path, diary: Path) -> dict[str, Any]:
    """A call for each of two numbers, and what comes of it added up."""
    snapshot = {**SNAPSHOT, "graph": called(str(path), str(diary))}
    nodes = [
        node("n", "numbers", count=2),
        node("each", "each"),
        node("call", "call", called=snapshot),
        node("sum", "add", b=100, diary=str(diary)),
        node("all", "gather"),
    ]
    document = graph(nodes, ["n.collection each.collection", "sum.value all.item"])
    document["edges"] += [edge("each", "item", "call", A), edge("call", NUMBER, "sum", "a")]
    return document


def edge(source: str, output: str, target: str, name: str) -> dict[str, Any]:
    """An edge between fields whose names are no single words."""
    return {"source": {"node_id": source, "field": output}, "destination": {"node_id": target, "field": name}}


def test_a_call_runs_its_graph_under_its_own_name(open_room: OpenRoom, tmp_path: Path):
    room, diary = open_room(cpu_lane=1), tmp_path / "diary"
    gate = room.gate("gate")
    item_id = room.enqueue(calling(gate, diary))
    room.let_go(gate)
    room.until(lambda e: e.name == "invocation_complete" and e.invocation_source_id == "call/g")
    room.let_go(gate)
    item = room.wait(item_id)
    assert item.status == "completed", item.error_message
    results = item.session["results"]
    assert results["all"]["collection"] == [100, 101]
    assert results["call[1]"]["values"]["number"] == results["call[1]/g"]["value"] == 1
    assert item.session["prepared_source_mapping"]["call[1]/g"] == "call/g"
    started = {event.invocation["id"]: event.invocation_source_id for event in room.named("invocation_started")}
    assert (started["call[0]/p"], started["call[1]/return"]) == ("call/p", "call/return")
    name = results["call[1]"]["values"]["picture"]["image_name"]
    assert room.images.get(name).node_id == "call[1]/p"


def test_a_call_that_is_done_is_not_entered_again_and_one_that_is_not_goes_on(open_room: OpenRoom, tmp_path: Path):
    room, diary = open_room(), tmp_path / "diary"
    gates = [room.gate("one"), room.gate("two")]
    snapshots = [{**SNAPSHOT, "graph": called(str(gate), str(diary))} for gate in gates]
    document = graph([node(id, "call", called=one) for id, one in zip(("one", "two"), snapshots, strict=True)])
    document["edges"].append(edge("one", NUMBER, "two", A))
    item_id = room.enqueue(document)
    room.let_go(gates[0])
    with room.waiting_at(gates[1]):
        os.kill(room.worker().pid or 0, signal.SIGKILL)
        room.until(lambda e: e.name == "worker_status_changed" and e.status == "lost")
    told = len(room.seen)
    room.let_go(gates[1])
    item = room.wait(item_id)
    assert (item.status, item.attempts) == ("completed", 2)
    assert item.session["results"]["two"]["values"]["number"] == 5
    again = [event.invocation["id"] for event in room.seen[told:] if event.name == "invocation_started"]
    assert not [name for name in again if name.startswith("one")]
    assert again[0] == "two"
    assert "two/g" in again
    assert len(room.images.names().image_names) == 2


def test_a_failure_inside_a_call_names_the_node_inside(open_room: OpenRoom, tmp_path: Path):
    room = open_room()
    inner = graph([node("bad", "raises"), node("return", "return")])
    snapshot = {**SNAPSHOT, "graph": inner, "inputs": []}
    item = room.run(graph([node("call", "call", called=snapshot)]))
    assert (item.status, item.error_message) == ("failed", "node 'call/bad' (raises): boom")
    (event,) = room.named("invocation_error")
    assert (event.invocation_source_id, event.invocation["id"]) == ("call/bad", "call/bad")
