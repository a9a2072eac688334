"""Nodes of one session that run as one call: which do, that each is dealt with by itself, and what goes wrong."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from support import group_toys
from support.engine_room import EngineRoom, graph, node
from support.group_toys import GROUP_TOYS
from support.plugins import make_plugin
from support.session_runs import SessionRig
from support.toys import TOYS

from impasto.engine.protocol import Outcome, RunEnding


class Diary:
    """The file in which nodes write with which others they ran."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def together(self, id: str, **inputs: Any) -> dict[str, Any]:
        """A node that writes in it; with `key` ``k`` unless another is given."""
        return node(id, "together", **{"key": "k", "diary": str(self.path), **inputs})

    @property
    def calls(self) -> list[str]:
        """What was called for which nodes: ``alone a``, ``together a b``."""
        return self.path.read_text().splitlines() if self.path.exists() else []


@pytest.fixture
def diary(tmp_path: Path) -> Diary:
    return Diary(tmp_path / "diary")


@pytest.fixture
def rig() -> Iterator[SessionRig]:
    with SessionRig([*TOYS, *GROUP_TOYS]) as rig:
        yield rig


@pytest.fixture
def remembering_rig() -> Iterator[SessionRig]:
    with SessionRig(GROUP_TOYS, cache_bytes=10**6) as rig:
        yield rig


def completed(rig: SessionRig, document: Mapping[str, Any], journal: Mapping[str, Any] | None = None) -> SessionRig:
    assert rig.run(document, journal).outcome is Outcome.COMPLETED
    return rig


def values(rig: SessionRig) -> dict[str, int]:
    return {execution_id: output["value"] for execution_id, output in rig.report.journal.items()}


def numbered(diary: Diary, keys: Sequence[str], **inputs: Any) -> dict[str, Any]:
    """Nodes ``n0``, ``n1`` … with nothing between them, which have these keys."""
    return graph([diary.together(f"n{place}", a=place, key=key, **inputs) for place, key in enumerate(keys)])


def test_nodes_of_one_key_run_as_one_call_of_as_many_as_it_takes(rig: SessionRig, diary: Diary) -> None:
    completed(rig, numbered(diary, "kkkkkkkkk"))
    assert diary.calls == ["together n0 n1 n2 n3", "together n4 n5 n6 n7", "alone n8"]
    assert values(rig) == {f"n{place}": place + 1 for place in range(9)}


def test_each_node_of_a_call_is_told_of_by_itself_and_in_order(rig: SessionRig, diary: Diary) -> None:
    completed(rig, numbered(diary, "kkk"))
    ids = ["n0", "n1", "n2"]
    assert rig.report.told == [*(("started", id) for id in ids), *(("completed", id) for id in ids)]


def test_nodes_of_other_keys_run_as_they_would_have(rig: SessionRig, diary: Diary) -> None:
    completed(rig, numbered(diary, "ababcd"))
    assert diary.calls == ["together n0 n2", "together n1 n3", "alone n4", "alone n5"]


def test_nodes_that_were_taken_for_nothing_find_others_later(rig: SessionRig, diary: Diary) -> None:
    completed(rig, numbered(diary, "abbbbab"))
    assert diary.calls == ["alone n0", "together n1 n2 n3 n4", "alone n5", "alone n6"]


def test_nodes_without_a_key_run_alone(rig: SessionRig, diary: Diary) -> None:
    completed(rig, numbered(diary, ["", "", "k", "k", ""]))
    assert diary.calls == ["alone n0", "alone n1", "together n2 n3", "alone n4"]


def test_nodes_run_together_that_are_ready_and_nobody_waits_for_others(rig: SessionRig, diary: Diary) -> None:
    nodes = [diary.together(name) for name in ("first", "left", "right")]
    completed(rig, graph(nodes, ["first.value left.a", "first.value right.a"]))
    assert diary.calls == ["alone first", "together left right"]


def test_iterations_of_a_loop_run_together_and_are_collected_in_order(rig: SessionRig, diary: Diary) -> None:
    nodes = [
        node("each", "toy_iterate", collection=list(range(40))),
        diary.together("more"),
        node("all", "toy_collect"),
    ]
    completed(rig, graph(nodes, ["each.item more.a", "more.value all.item"]))
    assert rig.report.journal["all"]["collection"] == list(range(1, 41))
    assert diary.calls == [
        " ".join(["together", *(f"more[{place}]" for place in range(first, first + 4))]) for first in range(0, 40, 4)
    ]


def test_what_is_in_the_journal_takes_no_part(rig: SessionRig, diary: Diary) -> None:
    completed(rig, numbered(diary, "kkkkkk"), {"n1": {"value": 70}, "n4": {"value": 71}})
    assert diary.calls == ["together n0 n2 n3 n5"]
    assert sorted(rig.report.journal) == ["n0", "n2", "n3", "n5"]


def test_what_is_in_the_cache_takes_no_part(remembering_rig: SessionRig, diary: Diary) -> None:
    rig = completed(remembering_rig, graph([diary.together("known", a=1)]))
    completed(rig, numbered(diary, "kkk"))
    assert diary.calls == ["alone known", "together n0 n2"]
    assert rig.report.cached == ["n1"]
    assert rig.report.all("completed") == ["known", "n0", "n1", "n2"]
    assert values(rig) == {"known": 2, "n0": 1, "n1": 2, "n2": 3}


def test_the_only_one_that_is_not_in_the_cache_is_invoked_alone(remembering_rig: SessionRig, diary: Diary) -> None:
    rig = completed(remembering_rig, numbered(diary, "kkk"))
    completed(rig, numbered(diary, "kkkk"))
    completed(rig, numbered(diary, "kkkk"))
    assert diary.calls == ["together n0 n1 n2", "alone n3"]
    assert rig.report.cached == ["n0", "n1", "n2", "n0", "n1", "n2", "n3"]


def test_what_came_of_a_group_is_remembered_for_each(remembering_rig: SessionRig, diary: Diary) -> None:
    rig = completed(remembering_rig, numbered(diary, "kkk"))
    completed(rig, graph([diary.together("again", a=2)]))
    assert diary.calls == ["together n0 n1 n2"]
    assert rig.report.cached == ["again"]
    assert values(rig)["again"] == 3


def test_equal_nodes_run_once_in_a_group(remembering_rig: SessionRig, diary: Diary) -> None:
    nodes = [diary.together(f"n{place}", a=place % 3) for place in range(9)]
    rig = completed(remembering_rig, graph([*nodes, diary.together("other", a=7)]))
    assert diary.calls == ["together n0 n1 n2 other"]
    assert sorted(rig.report.cached) == ["n3", "n4", "n5", "n6", "n7", "n8"]
    assert [values(rig)[f"n{place}"] for place in range(9)] == [1, 2, 3] * 3


def test_equal_nodes_that_are_not_found_after_all_run_as_one_call_again(diary: Diary) -> None:
    with SessionRig(GROUP_TOYS, cache_bytes=1) as rig:
        completed(rig, graph([diary.together(f"n{place}", a=place // 2) for place in range(6)]))
    assert diary.calls == ["together n0 n2 n4", "together n1 n3 n5"]


def failed(rig: SessionRig, diary: Diary, how: str) -> RunEnding:
    ending = rig.run(numbered(diary, "kkk", how=how))
    assert ending.outcome is Outcome.FAILED
    assert ending.error is not None
    return ending


def test_what_a_call_raises_ends_the_run_as_an_error_of_its_first_node(rig: SessionRig, diary: Diary) -> None:
    error = failed(rig, diary, "fail").error
    assert error is not None
    assert (error.message, error.execution_id, error.type) == (
        "the group is too large a picture",
        "n0",
        "InvocationError",
    )
    assert error.invocation is not None
    assert error.invocation["id"] == "n0"
    assert rig.report.all("started") == ["n0", "n1", "n2"]
    assert rig.report.journal == {}


def test_the_first_node_of_a_call_is_not_one_from_the_cache(remembering_rig: SessionRig, diary: Diary) -> None:
    rig = completed(remembering_rig, graph([diary.together("known", a=0, how="fail")]))
    error = failed(rig, diary, "fail").error
    assert error is not None
    assert error.execution_id == "n1"
    assert rig.report.cached == ["n0"]


@pytest.mark.parametrize(("how", "found"), [("short", "2 outputs"), ("lazy", "a list_iterator")])
def test_a_call_gives_one_output_for_each_node(rig: SessionRig, diary: Diary, how: str, found: str) -> None:
    error = failed(rig, diary, how).error
    assert error is not None
    assert error.type == "GroupOutputsError"
    assert error.message == (
        f"3 nodes of type 'together' ran as one call, which gave {found}; return a list from invoke_batch, with one "
        "output for each node, in their order"
    )


def test_an_output_of_another_class_is_an_error_of_its_own_node(rig: SessionRig, diary: Diary) -> None:
    error = failed(rig, diary, "class").error
    assert error is not None
    assert (error.type, error.execution_id) == ("OutputTypeError", "n1")
    assert error.message == "node type 'together' declares that it gives IntegerOutput, and gave FloatOutput"
    assert list(rig.report.journal) == ["n0"]


def test_a_key_that_cannot_be_had_is_an_error_of_its_node(rig: SessionRig, diary: Diary) -> None:
    ending = rig.run(graph([diary.together("good"), diary.together("keyless", how="key")]))
    assert ending.error is not None
    assert (ending.error.message, ending.error.execution_id) == ("there is no key for this", "keyless")


def test_a_key_without_a_hash_says_what_to_give_instead(rig: SessionRig, diary: Diary) -> None:
    error = failed(rig, diary, "list").error
    assert error is not None
    assert error.message == (
        "batch_key of node type 'together' gave ['k'], which has no hash; give a number, a text or a tuple of them"
    )


def test_a_cancelled_run_cancels_a_group(rig: SessionRig, diary: Diary) -> None:
    rig.report.listener = lambda what, which: which == "n2" and rig.control.cancel()
    assert rig.run(numbered(diary, "kkk", how="wait")).outcome is Outcome.CANCELED
    assert diary.calls == ["together n0 n1 n2"]
    assert rig.report.journal == {}


def test_a_stopped_run_finishes_the_group_in_hand_and_begins_nothing_more(rig: SessionRig, diary: Diary) -> None:
    rig.report.listener = lambda what, which: what == "started" and rig.control.interrupt()
    assert rig.run(numbered(diary, "abababa")).outcome is Outcome.INTERRUPTED
    assert diary.calls == ["together n0 n2"]
    assert sorted(rig.report.journal) == ["n0", "n2"]


def test_a_group_has_one_place_on_its_lane(diary: Diary) -> None:
    nodes = [diary.together(f"n{place}") for place in range(8)]
    with SessionRig(GROUP_TOYS, device=2) as rig:
        completed(rig, graph(nodes))
    assert sorted(diary.calls) == ["together n0 n1 n2 n3", "together n4 n5 n6 n7"]


@pytest.fixture
def grouped_room(toys: Path, open_room: Callable[..., EngineRoom]) -> EngineRoom:
    """An engine whose worker finds the nodes that run as one call."""
    make_plugin(toys, "group-toys", Path(group_toys.__file__).read_text("utf-8"))
    return open_room()


def test_a_worker_keeps_apart_what_the_nodes_of_a_call_save_and_report(
    grouped_room: EngineRoom, tmp_path: Path
) -> None:
    room, diary = grouped_room, Diary(tmp_path / "diary")
    widths = {"narrow": 8, "wide": 16, "wider": 24}
    nodes = [node(name, "together_paint", width=width, diary=str(diary.path)) for name, width in widths.items()]
    item = room.run(graph(nodes))
    assert (item.status, diary.calls) == ("completed", ["together narrow wide wider"])
    done = {event.invocation_source_id: event.result for event in room.named("invocation_complete")}
    assert {name: result["width"] for name, result in done.items()} == widths
    for name, result in done.items():
        record = room.images.get(result["image"]["image_name"])
        assert (record.width, record.node_id) == (widths[name], name)
    told = {event.invocation_source_id: event.message for event in room.named("invocation_progress")}
    assert told == {name: f"{width} wide" for name, width in widths.items()}


def test_nodes_of_a_call_are_in_the_journal_of_a_run_that_goes_on(grouped_room: EngineRoom, tmp_path: Path) -> None:
    room, diary = grouped_room, Diary(tmp_path / "diary")
    lost = tmp_path / "lost"
    nodes = [diary.together(f"n{place}", a=place) for place in range(3)]
    nodes += [node("exits", "exits", diary=str(lost), times=1), diary.together("after")]
    item = room.run(graph(nodes, ["n0.value exits.status", "exits.value after.a"]))
    assert item.status == "completed"
    assert lost.read_text().splitlines() == ["exits", "exits"]
    assert diary.calls == ["together n0 n1 n2", "alone after"]
