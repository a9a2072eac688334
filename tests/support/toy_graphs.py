"""Documents of graphs made of toys, as a client would send them. Tests import them from `support.toys`."""

from typing import Any

from impasto_sdk.draft import DraftPort, GraphDraft

__all__ = ["chain", "diamond", "fan_out", "iterated", "nested", "streamed", "summing"]


def chain(length: int) -> dict[str, Any]:
    """``add_0 → add_1 → …``: `length` nodes, each adding 1, so the last gives `length`."""
    draft = GraphDraft()
    before: DraftPort | int = 0
    for place in range(length):
        before = draft.add("toy_add", id=f"add_{place}", a=before, b=1).output("value")
    return draft.to_document()


def fan_out(width: int) -> dict[str, Any]:
    """``start`` (1) read by ``add_0`` … ``add_{width-1}``, each adding its own number."""
    draft = GraphDraft()
    start = draft.add("toy_integer", id="start", value=1).output("value")
    for place in range(width):
        draft.add("toy_add", id=f"add_{place}", a=start, b=place)
    return draft.to_document()


def diamond(size: int) -> dict[str, Any]:
    """`size` // 3 diamonds in a row: ``top_i`` → ``left_i`` (+1), ``right_i`` (+2) → ``top_{i+1}``, the larger."""
    draft = GraphDraft()
    top = draft.add("toy_integer", id="top_0", value=0).output("value")
    for place in range(size // 3):
        left = draft.add("toy_add", id=f"left_{place}", a=top, b=1).output("value")
        right = draft.add("toy_add", id=f"right_{place}", a=top, b=2).output("value")
        top = draft.add("toy_larger", id=f"top_{place + 1}", a=left, b=right).output("value")
    return draft.to_document()


def iterated(size: int) -> dict[str, Any]:
    """``range → iterate → add (+1) → collect → sum``: 2 · `size` + 3 execution nodes."""
    draft = GraphDraft()
    numbers = draft.add("toy_range", id="range", start=0, size=size).output("collection")
    item = draft.add("toy_iterate", id="iterate", collection=numbers).output("item")
    added = draft.add("toy_add", id="add", a=item, b=1).output("value")
    collected = draft.add("toy_collect", id="collect", item=added).output("collection")
    draft.add("toy_sum", id="sum", collection=collected)
    return draft.to_document()


def nested(outer: int, inner: int) -> dict[str, Any]:
    """A range inside a range; each is gathered, summed, and the sums are gathered.

    ``collect[i]`` holds i + 1 … i + `inner`; ``collect_all`` their sums, in order.
    """
    draft = GraphDraft()
    numbers = draft.add("toy_range", id="range", start=0, size=outer).output("collection")
    item = draft.add("toy_iterate", id="iterate", collection=numbers).output("item")
    inside = draft.add("toy_range", id="range_in", start=item, size=inner).output("collection")
    item_in = draft.add("toy_iterate", id="iterate_in", collection=inside).output("item")
    added = draft.add("toy_add", id="add", a=item_in, b=1).output("value")
    collected = draft.add("toy_collect", id="collect", item=added).output("collection")
    total = draft.add("toy_sum", id="sum", collection=collected).output("value")
    draft.add("toy_collect", id="collect_all", item=total)
    return draft.to_document()


def streamed(size: int, nodes: int, *, source: str = "toy_range") -> dict[str, Any]:
    """``range → iterate → add_0 → … → collect → sum``: `size` iterations of `nodes` nodes, each adding 1.

    The last gives the sum of `nodes` … `nodes` + `size` - 1. With ``source="toy_stream"`` the range, still called
    ``range``, gives its numbers one by one.
    """
    draft = GraphDraft()
    numbers = draft.add(source, id="range", start=0, size=size).output("collection")
    item = draft.add("toy_iterate", id="iterate", collection=numbers).output("item")
    for place in range(nodes):
        item = draft.add("toy_add", id=f"add_{place}", a=item, b=1).output("value")
    collected = draft.add("toy_collect", id="collect", item=item).output("collection")
    draft.add("toy_sum", id="sum", collection=collected)
    return draft.to_document()


def summing(plus: int) -> dict[str, Any]:
    """A graph to be called: goes through two numbers from ``numbers.start``, adds `plus` to each, returns the sum.

    The sum is the value ``total``.
    """
    draft = GraphDraft()
    numbers = draft.add("toy_range", id="numbers", size=2).output("collection")
    item = draft.add("toy_iterate", id="each", collection=numbers).output("item")
    added = draft.add("toy_add", id="add", a=item, b=plus).output("value")
    collected = draft.add("toy_collect", id="all", item=added).output("collection")
    total = draft.add("toy_sum", id="sum", collection=collected).output("value")
    pair = draft.add("toy_return_value", id="pair", key="total", value=total).output("value")
    draft.add("toy_return", id="return", values=pair)
    return draft.to_document()
