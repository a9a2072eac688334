"""What runs cost in look-ups of the invocation cache, and how its statistics and orders travel, with real workers."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.engine_room import EngineRoom, graph, node

from impasto.engine import CacheInfo, CacheOrder


@pytest.fixture
def fresh(room: EngineRoom) -> EngineRoom:
    """The room with caches that are on and empty."""
    room.engine.order_caches(CacheOrder.ENABLE)
    room.engine.order_caches(CacheOrder.CLEAR)
    return room


def cache_of(room: EngineRoom) -> CacheInfo:
    """The only worker's cache."""
    (cache,) = room.engine.caches()
    return cache


def counts(room: EngineRoom) -> tuple[int, int]:
    """Hits and misses so far."""
    cache = cache_of(room)
    return cache.hits, cache.misses


def cached(room: EngineRoom) -> dict[str, bool]:
    """Of each execution in the events read since the last call, whether its output came from the cache."""
    found = {event.invocation["id"]: event.cached for event in room.named("invocation_complete")}
    room.seen.clear()
    return found


def iterated(diary: Path, count: int = 3) -> dict[str, Any]:
    """``n → each → plus → all``: `count` + 1 plain nodes, and `count` + 1 of control flow."""
    return graph(
        [
            node("n", "numbers", count=count),
            node("each", "each"),
            node("plus", "add", b=10, diary=str(diary)),
            node("all", "gather"),
        ],
        ["n.collection each.collection", "each.item plus.a", "plus.value all.item"],
    )


def chain(diary: Path, **changes: int) -> dict[str, Any]:
    """``a → b → c`` and ``d`` beside them; `changes` are other second numbers."""
    second = {"a": 1, "b": 2, "c": 3, "d": 4, **changes}
    nodes = [node(name, "add", b=number, diary=str(diary)) for name, number in second.items()]
    return graph(nodes, ["a.value b.a", "b.value c.a"])


def lines(diary: Path) -> list[str]:
    return diary.read_text().splitlines() if diary.exists() else []


def test_an_unchanged_graph_costs_one_look_up_for_each_plain_node_and_runs_nothing(fresh: EngineRoom, tmp_path: Path):
    diary = tmp_path / "diary"
    first = fresh.run(iterated(diary))
    assert counts(fresh) == (0, 4)
    assert sorted(lines(diary)) == ["plus[0]", "plus[1]", "plus[2]"]
    again = fresh.run(iterated(diary))
    assert counts(fresh) == (4, 4)
    assert sorted(lines(diary)) == ["plus[0]", "plus[1]", "plus[2]"]
    assert again.session["results"]["all"] == first.session["results"]["all"]


def test_control_flow_costs_no_look_up(fresh: EngineRoom):
    for _ in range(2):
        fresh.run(graph([node("each", "each", collection=[1, 2, 3]), node("all", "gather")], ["each.item all.item"]))
    assert counts(fresh) == (0, 0)
    assert cache_of(fresh).entries == 0


def test_a_changed_input_misses_only_its_node_and_what_depends_on_it(fresh: EngineRoom, tmp_path: Path):
    diary = tmp_path / "diary"
    fresh.run(chain(diary))
    cached(fresh)
    fresh.run(chain(diary, b=20))
    assert cached(fresh) == {"a": True, "b": False, "c": False, "d": True}
    assert counts(fresh) == (2, 4 + 2)
    assert sorted(lines(diary)) == ["a", "b", "b", "c", "c", "d"]


def test_what_gives_the_same_as_before_lets_what_depends_on_it_be_found(fresh: EngineRoom):
    def sums(a: int, b: int) -> dict[str, Any]:
        return graph([node("first", "add", a=a, b=b), node("second", "add", b=5)], ["first.value second.a"])

    fresh.run(sums(1, 2))
    cached(fresh)
    fresh.run(sums(2, 1))
    assert cached(fresh) == {"first": False, "second": True}


def test_of_nodes_with_equal_inputs_in_one_run_those_that_come_later_are_found(fresh: EngineRoom, tmp_path: Path):
    diary = tmp_path / "diary"
    nothing_added = [node(name, "add", diary=str(diary)) for name in ("first", "second", "third")]
    fresh.run(graph(nothing_added, ["first.value second.a", "second.value third.a"]))
    assert lines(diary) == ["first"]
    assert counts(fresh) == (2, 1)


def test_a_node_that_is_kept_from_the_cache_costs_no_look_up(fresh: EngineRoom):
    for _ in range(2):
        fresh.run(graph([node("a", "add", a=6, use_cache=False)]))
    assert counts(fresh) == (0, 0)


def test_an_output_whose_image_was_deleted_is_a_miss_and_its_node_runs_again(fresh: EngineRoom):
    document = graph([node("p", "paint", colour="olive")])
    first = fresh.run(document).session["results"]["p"]["image"]["image_name"]
    fresh.run(document)
    assert counts(fresh) == (1, 1)
    fresh.images.delete([first])
    assert fresh.run(document).session["results"]["p"]["image"]["image_name"] != first
    assert counts(fresh) == (1, 2)
    assert cache_of(fresh).entries == 1


def test_statistics_are_there_once_the_run_that_changed_them_has_ended(fresh: EngineRoom):
    fresh.run(graph([node("a", "add", a=1), node("b", "add", a=2)]))
    cache = cache_of(fresh)
    assert (cache.worker_id, cache.enabled, cache.entries) == ("cpu-0", True, 2)
    assert 0 < cache.bytes < cache.max_bytes == fresh.settings.invocation_cache_bytes


def test_a_cleared_cache_is_empty_at_once_and_finds_nothing(fresh: EngineRoom, tmp_path: Path):
    diary = tmp_path / "diary"
    fresh.run(chain(diary))
    fresh.engine.order_caches(CacheOrder.CLEAR)
    assert (*counts(fresh), cache_of(fresh).entries, cache_of(fresh).bytes) == (0, 0, 0, 0)
    fresh.run(chain(diary))
    assert counts(fresh) == (0, 4)
    assert len(lines(diary)) == 8


def test_a_disabled_cache_counts_nothing_and_keeps_what_it_has(fresh: EngineRoom, tmp_path: Path):
    diary = tmp_path / "diary"
    fresh.run(chain(diary))
    fresh.engine.order_caches(CacheOrder.DISABLE)
    fresh.run(chain(diary))
    assert (*counts(fresh), cache_of(fresh).entries, cache_of(fresh).enabled) == (0, 4, 4, False)
    fresh.engine.order_caches(CacheOrder.ENABLE)
    fresh.run(chain(diary))
    assert (*counts(fresh), cache_of(fresh).enabled) == (4, 4, True)
    assert len(lines(diary)) == 8


def test_an_order_is_carried_out_while_a_node_runs(fresh: EngineRoom, tmp_path: Path):
    diary, gate = tmp_path / "diary", fresh.gate("during")
    fresh.run(graph([node("after", "add", a=3, diary=str(diary))]))
    document = graph(
        [node("wait", "gate", a=3, path=str(gate)), node("after", "add", diary=str(diary))], ["wait.value after.a"]
    )
    item_id = fresh.enqueue(document)
    with fresh.waiting_at(gate):
        fresh.engine.order_caches(CacheOrder.DISABLE)
        assert not cache_of(fresh).enabled
    fresh.wait(item_id)
    assert lines(diary) == ["after", "after"]


def test_an_order_to_a_worker_that_stands_still_is_not_waited_for(fresh: EngineRoom, tmp_path: Path):
    diary, pid = tmp_path / "diary", fresh.worker().pid
    assert pid is not None
    fresh.run(chain(diary))
    os.kill(pid, signal.SIGSTOP)
    try:
        fresh.engine.order_caches(CacheOrder.CLEAR)
        fresh.engine.order_caches(CacheOrder.DISABLE)
        assert (*counts(fresh), cache_of(fresh).enabled) == (0, 0, False)
    finally:
        os.kill(pid, signal.SIGCONT)
    fresh.run(chain(diary))
    assert len(lines(diary)) == 8


def test_a_report_counts_only_what_came_after_the_last_clearing(fresh: EngineRoom):
    gate = fresh.gate("between")
    document = graph(
        [node("before", "add", a=1), node("wait", "gate", path=str(gate)), node("after", "add", b=50)],
        ["before.value wait.a", "wait.value after.a"],
    )
    item_id = fresh.enqueue(document)
    with fresh.waiting_at(gate):
        fresh.engine.order_caches(CacheOrder.CLEAR)
    fresh.wait(item_id)
    assert (*counts(fresh), cache_of(fresh).entries) == (0, 1, 1)


def test_a_worker_that_starts_again_begins_empty_and_stays_disabled(
    open_room: Callable[..., EngineRoom], tmp_path: Path
):
    diary, room = tmp_path / "diary", open_room()
    room.run(chain(diary))
    room.engine.order_caches(CacheOrder.DISABLE)
    room.run(graph([node("x", "exits", diary=str(tmp_path / "exits"), times=1)]))
    assert room.worker().starts == 2
    assert (*counts(room), cache_of(room).entries, cache_of(room).enabled) == (0, 0, 0, False)
    for _ in range(2):
        room.run(chain(diary))
    assert len(lines(diary)) == 12
    room.engine.order_caches(CacheOrder.ENABLE)
    for _ in range(2):
        room.run(chain(diary))
    assert len(lines(diary)) == 16
    assert counts(room) == (4, 4)


def test_what_is_ordered_before_a_worker_is_there_holds_for_it(toys: Path, tmp_path: Path):
    diary, room = tmp_path / "diary", EngineRoom(tmp_path)
    room.engine.order_caches(CacheOrder.DISABLE)
    room.engine.order_caches(CacheOrder.CLEAR)
    with room:
        for _ in range(2):
            room.run(chain(diary))
        assert len(lines(diary)) == 8
        assert (*counts(room), cache_of(room).enabled) == (0, 0, False)
        room.engine.order_caches(CacheOrder.ENABLE)
        room.run(chain(diary))
        assert (*counts(room), cache_of(room).enabled) == (0, 4, True)


def test_every_worker_is_told_and_tells_of_its_own(open_room: Callable[..., EngineRoom], tmp_path: Path):
    diary, room = tmp_path / "diary", open_room(workers_per_device=2)
    room.engine.wait_until_ready(60)
    room.engine.order_caches(CacheOrder.DISABLE)
    assert [(cache.worker_id, cache.enabled) for cache in room.engine.caches()] == [("cpu-0", False), ("cpu-1", False)]
    gates = [room.gate("left"), room.gate("right")]
    items = [
        room.enqueue(
            graph(
                [node("wait", "gate", path=str(gate)), node("after", "add", b=place, diary=str(diary))],
                ["wait.value after.a"],
            )
        )
        for place, gate in enumerate(gates)
    ]
    with room.waiting_at(gates[0]), room.waiting_at(gates[1]):  # both workers are at work
        room.engine.order_caches(CacheOrder.ENABLE)
    ended: set[int] = set()
    while ended != set(items):
        event: Any = room.until(lambda e: e.name == "queue_item_status_changed" and e.status == "completed")
        ended.add(event.item_id)
    assert [(cache.misses, cache.entries) for cache in room.engine.caches()] == [(1, 1), (1, 1)]


def test_a_cache_of_no_bytes_stays_off(open_room: Callable[..., EngineRoom], tmp_path: Path):
    diary, room = tmp_path / "diary", open_room(invocation_cache_bytes=0)
    room.engine.order_caches(CacheOrder.ENABLE)
    for _ in range(2):
        room.run(chain(diary))
    assert len(lines(diary)) == 8
    assert (*counts(room), cache_of(room).enabled, cache_of(room).max_bytes) == (0, 0, False, 0)
