"""Sessions from queue to end in a real worker process: order, outputs, events, errors, the cache."""

from pathlib import Path

import pytest
from support.engine_room import EngineRoom, graph, node

CHAIN = graph([node("a", "add", a=1, b=2), node("b", "add", b=10)], ["a.value b.a"])


def test_a_graph_runs_and_its_item_completes(room: EngineRoom):
    item = room.run(CHAIN)
    assert item.status == "completed"
    assert item.session["results"]["b"]["value"] == 13


def test_events_tell_the_story_in_order(room: EngineRoom):
    item_id = room.enqueue(CHAIN, origin="workflows", destination="gallery")
    item = room.wait(item_id)
    told = [(event.name, getattr(event, "invocation_source_id", getattr(event, "status", ""))) for event in room.seen]
    assert [one for one in told if one[0] != "worker_status_changed"] == [
        ("batch_enqueued", ""),
        ("queue_item_status_changed", "in_progress"),
        ("invocation_started", "a"),
        ("invocation_complete", "a"),
        ("invocation_started", "b"),
        ("invocation_complete", "b"),
        ("queue_item_status_changed", "completed"),
    ]
    started, complete = room.named("invocation_started")[1], room.named("invocation_complete")[1]
    for event in (started, complete):
        assert (event.queue_id, event.item_id, event.batch_id) == ("default", item_id, item.batch_id)
        assert (event.session_id, event.origin, event.destination) == (item.session_id, "workflows", "gallery")
        assert event.invocation["type"] == "add"
        assert (event.invocation["id"], event.invocation["a"], event.invocation["b"]) == ("b", 3, 10)
    assert complete.result == {"type": "integer_output", "value": 13}


def test_iterations_run_once_for_each_item_and_are_gathered(room: EngineRoom):
    document = graph(
        [node("n", "numbers", count=3), node("each", "each"), node("plus", "add", b=10), node("all", "gather")],
        ["n.collection each.collection", "each.item plus.a", "plus.value all.item"],
    )
    item = room.run(document)
    assert item.status == "completed"
    assert item.session["results"]["all"]["collection"] == [10, 11, 12]
    ran = [event.invocation["id"] for event in room.named("invocation_complete")]
    assert sorted(ran) == ["all", "each[0]", "each[1]", "each[2]", "n", "plus[0]", "plus[1]", "plus[2]"]
    gathered = next(event for event in room.named("invocation_started") if event.invocation_source_id == "all")
    assert "collection" not in gathered.invocation


def test_an_empty_list_completes_the_session(room: EngineRoom):
    document = graph(
        [node("n", "numbers", count=0), node("each", "each"), node("plus", "add"), node("all", "gather")],
        ["n.collection each.collection", "each.item plus.a", "plus.value all.item"],
    )
    assert room.run(document).session["results"]["all"]["collection"] == []


def test_an_invocation_error_reaches_people_plain(room: EngineRoom):
    item = room.run(graph([node("r", "raises", how="invocation")]))
    assert (item.status, item.error_type) == ("failed", "InvocationError")
    assert item.error_message == "node 'r' (raises): the mask is as large as a stamp; draw a larger one"
    assert not item.error_traceback
    (event,) = room.named("invocation_error")
    assert event.error_message == "the mask is as large as a stamp; draw a larger one"
    assert (event.error_type, event.invocation_source_id) == ("InvocationError", "r")
    assert event.invocation["how"] == "invocation"
    assert room.seen.index(event) < room.seen.index(room.named("queue_item_status_changed")[-1])


@pytest.mark.parametrize(
    ("how", "error_type", "message"),
    [
        ("value", "ValueError", "boom"),
        ("exit", "SystemExit", "7"),
        ("output", "OutputTypeError", "node type 'raises' declares that it gives IntegerOutput, and gave str"),
        ("json", "PydanticSerializationError", "Unable to serialize"),
    ],
)
def test_any_other_error_carries_its_traceback(room: EngineRoom, how: str, error_type: str, message: str):
    item = room.run(graph([node("r", "raises", how=how)]))
    assert (item.status, item.error_type) == ("failed", error_type)
    assert (item.error_message or "").startswith(f"node 'r' (raises): {message}")
    assert "Traceback (most recent call last)" in (item.error_traceback or "")


def test_nodes_after_a_failed_one_do_not_run(room: EngineRoom, tmp_path: Path):
    diary = tmp_path / "diary"
    document = graph([node("r", "raises"), node("after", "add", diary=str(diary))], ["r.value after.a"])
    assert room.run(document).status == "failed"
    assert not diary.exists()


def test_a_value_that_does_not_fit_names_node_and_field(room: EngineRoom):
    document = graph([node("far", "add", a=-999, b=-999), node("low", "add")], ["far.value low.a"])
    item = room.run(document)
    assert (item.status, item.error_type) == ("failed", "NodeInputError")
    assert item.error_message == "node 'low' (add): a = -1998: Input should be greater than or equal to -1000"
    (event,) = room.named("invocation_error")
    assert event.invocation_source_id == "low"


def test_a_graph_that_no_plugin_can_run_fails_with_the_reason(room: EngineRoom):
    item = room.run(graph([node("a", "gone_with_its_plugin")]))
    assert (item.status, item.error_type) == ("failed", "GraphValidationError")
    assert "gone_with_its_plugin" in (item.error_message or "")


def test_the_worker_goes_on_after_every_kind_of_failure(room: EngineRoom):
    before = room.worker().pid
    for document in (graph([node("x", "unheard_of")]), graph([node("r", "raises", how="exit")])):
        assert room.run(document).status == "failed"
    assert room.run(CHAIN).status == "completed"
    assert room.worker().pid == before


def test_what_was_worked_out_before_comes_from_the_cache(room: EngineRoom, tmp_path: Path):
    diary = tmp_path / "diary"
    document = graph([node("first", "add", a=5, b=7, diary=str(diary))])
    renamed = graph([node("second", "add", a=5, b=7, diary=str(diary))])
    assert room.run(document).session["results"]["first"]["value"] == 12
    assert room.run(renamed).session["results"]["second"]["value"] == 12
    assert diary.read_text() == "first\n"
    assert [event.cached for event in room.named("invocation_complete")] == [False, True]


def test_a_node_may_be_kept_from_the_cache(room: EngineRoom, tmp_path: Path):
    diary = tmp_path / "diary"
    document = graph([node("a", "add", a=6, diary=str(diary), use_cache=False)])
    for _ in range(2):
        room.run(document)
    assert diary.read_text() == "a\na\n"


def test_a_cached_image_that_is_gone_is_made_again(room: EngineRoom):
    document = graph([node("p", "paint", colour="green")])
    names = []
    for _ in range(3):
        names.append(room.run(document).session["results"]["p"]["image"]["image_name"])
        if len(names) == 2:
            room.images.delete(names[-1:])
    assert names[0] == names[1] != names[2]
    assert [event.cached for event in room.named("invocation_complete")] == [False, True, False]


def test_cached_tensors_that_went_with_their_session_are_made_again(room: EngineRoom, tmp_path: Path):
    diary = tmp_path / "diary"
    document = graph([node("s", "store", text="noise", diary=str(diary)), node("f", "fetch")], ["s.latents f.latents"])
    first, second = room.run(document), room.run(document)
    assert diary.read_text() == "s\n"
    assert second.session["results"]["f"]["value"] == "noise"
    room.sessions.delete_session(first.session_id)
    assert room.run(document).session["results"]["f"]["value"] == "noise"
    assert diary.read_text() == "s\ns\n"


def test_an_intermediate_image_is_no_substitute_for_one_to_keep(room: EngineRoom):
    for intermediate in (True, False):
        item = room.run(graph([node("p", "paint", colour="navy", is_intermediate=intermediate)]))
        name = item.session["results"]["p"]["image"]["image_name"]
        assert room.images.get(name).is_intermediate is intermediate
