"""Sessions from queue to end in a real worker process."""

from support.engine_room import EngineRoom, graph, node


def test_a_graph_runs_and_its_item_completes(room: EngineRoom):
    document = graph([node("a", "add", a=1, b=2), node("b", "add", b=10)], ["a.value b.a"])
    item = room.run(document)
    assert item.status == "completed"
    assert item.session["results"]["b"]["value"] == 13
