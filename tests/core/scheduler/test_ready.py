"""Which of what may start comes next: lanes, classes, paths, and caps."""

from collections.abc import Collection

import pytest
from support.runs import advance, finish, state_of

from impasto.scheduler.ready import ReadyQueues
from impasto_sdk.draft import GraphDraft
from impasto_sdk.node import Lane


def queues(*entries: tuple[str, Lane | None, str], **options: object) -> ReadyQueues[str]:
    """Queues with these classes, lanes and names, in order of their paths."""
    made: ReadyQueues[str] = ReadyQueues(**options)  # type: ignore[arg-type] # ready_order or class_caps
    for place, (class_name, lane, name) in enumerate(entries):
        made.push(class_name, lane, ((place,), 0, name))
    return made


def drained(made: ReadyQueues[str], lanes: Collection[Lane] | None = None) -> list[str]:
    found = []
    while (entry := made.pop(lanes)) is not None:
        found.append(entry[2])
    return found


def test_only_the_lanes_that_are_asked_for_are_served() -> None:
    made = queues(("a", Lane.CPU, "cpu"), ("b", Lane.DEVICE, "device"), ("c", Lane.IO, "io"))
    assert drained(made, [Lane.IO]) == ["io"]
    assert drained(made, [Lane.DEVICE, Lane.CPU]) == ["cpu", "device"]
    assert not made


def test_control_flow_needs_no_lane() -> None:
    assert drained(queues(("a", Lane.CPU, "cpu"), ("if", None, "control")), []) == ["control"]


def test_each_lane_serves_its_own_class_until_it_is_empty() -> None:
    made = queues(
        ("encode", Lane.DEVICE, "encode 1"),
        ("resize", Lane.CPU, "resize"),
        ("encode", Lane.DEVICE, "encode 2"),
        ("decode", Lane.DEVICE, "decode"),
        ready_order=["encode"],
    )
    assert made.pop([Lane.DEVICE]) == ((0,), 0, "encode 1")
    assert made.pop([Lane.CPU]) == ((1,), 0, "resize")
    assert drained(made, [Lane.DEVICE]) == ["encode 2", "decode"]


def test_of_a_capped_class_so_many_run_in_a_row_while_another_waits() -> None:
    made = queues(
        *(("a", Lane.CPU, f"a{place}") for place in range(5)),
        ("b", Lane.CPU, "b0"),
        ("b", Lane.CPU, "b1"),
        class_caps={"a": 2},
    )
    assert drained(made) == ["a0", "a1", "b0", "b1", "a2", "a3", "a4"]


def test_two_capped_classes_take_turns() -> None:
    made = queues(
        *((name, Lane.CPU, f"{name}{place}") for name in "ab" for place in range(3)), class_caps={"a": 1, "b": 1}
    )
    assert drained(made) == ["a0", "b0", "a1", "b1", "a2", "b2"]


def test_a_cap_means_nothing_in_another_lane() -> None:
    made = queues(*(("a", Lane.CPU, f"a{place}") for place in range(3)), ("b", Lane.IO, "b0"), class_caps={"a": 1})
    assert drained(made, [Lane.CPU]) == ["a0", "a1", "a2"]


def test_what_goes_on_is_served_when_its_lane_has_nothing_else() -> None:
    made = queues(("z", Lane.CPU, "z"))
    made.push_later(Lane.CPU, ((0,), 0, "later"))
    made.push("a", Lane.CPU, ((9,), 0, "a"))
    assert drained(made) == ["a", "z", "later"]


def test_a_run_hands_out_nodes_of_the_lanes_that_have_room() -> None:
    draft = GraphDraft()
    draft.add("toy_device_add", id="device")
    draft.add("toy_io_add", id="io")
    draft.add("toy_add", id="cpu")
    draft.add("toy_if", id="if", condition=True)
    state = state_of(draft.to_document())
    names = [node.id for lanes in ([], [Lane.IO], [Lane.IO], [Lane.DEVICE, Lane.CPU]) if (node := state.next(lanes))]
    assert names == ["if", "io", "cpu"]


def test_nodes_of_one_type_may_be_taken_together() -> None:
    draft = GraphDraft()
    item = draft.add("toy_iterate", id="each", collection=[1, 2, 3]).output("item")
    draft.add("toy_add", id="add", a=item)
    draft.add("toy_integer", id="other")
    state = state_of(draft.to_document(), ready_order=["toy_iterate"])
    advance(state, 3)
    first = state.next()
    assert first is not None
    together = [first.id, *(node.id for _ in range(3) if (node := state.alike(first)))]
    assert together == ["add[0]", "add[1]", "add[2]"]
    rest = state.next()
    assert rest is not None
    assert rest.id == "other"


@pytest.mark.parametrize(("caps", "order"), [({}, "aaabbb"), ({"toy_add": 1}, "abbbaa")])
def test_a_run_keeps_to_the_caps(caps: dict[str, int], order: str) -> None:
    draft = GraphDraft()
    for place in range(3):
        draft.add("toy_add", id=f"a{place}")
        draft.add("toy_larger", id=f"b{place}")
    state = state_of(draft.to_document(), class_caps=caps)
    handed_out = ""
    while (node := state.next()) is not None:
        handed_out += node.id[0]
        finish(state, node)
    assert handed_out == order


def test_what_comes_out_of_order_is_served_in_order() -> None:
    made: ReadyQueues[str] = ReadyQueues()
    for place in (3, 1, 4, 0, 2, 5):
        made.push("a", Lane.CPU, ((place,), 0, str(place)))
    assert "".join(drained(made)) == "012345"
