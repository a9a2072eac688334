"""A long loop: 20 nodes for each of 10,000 items, which is 210,000 executions that never exist at once.

The claim is about memory: it depends on what a loop does for one item, not on how many items there are. So the run of
10,000 items is set beside one of 1,000. The items are written into the graph, so that they are there before counting
begins; nothing gathers what the loop makes.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # for `support` and `benchmarks`, when run as a script

from impasto.graph import Graph
from impasto_sdk.draft import DraftPort, GraphDraft

from benchmarks.harness import Row, exponent, main_of, peak_bytes  # isort: skip
from benchmarks.harness.engine_run import Document, bare, costs, execute  # isort: skip

FEW, MANY, LENGTH = 1_000, 10_000, 20


def looped(items: int) -> Document:
    """``iterate → add_0 → … → add_19``, over a list of ones."""
    draft = GraphDraft()
    before: DraftPort = draft.add("toy_iterate", id="iterate", collection=[1] * items).output("item")
    for place in range(LENGTH):
        before = draft.add("toy_add", id=f"add_{place}", a=before, b=1).output("value")
    return draft.to_document()


def peak(items: int) -> int:
    """The most bytes that a run holds at once, its graph not counted."""
    graph = Graph.from_document(looped(items))
    return peak_bytes(lambda: lambda: execute(graph, bare()))


def rows() -> list[Row]:
    """Time, growth and memory."""
    found = costs({items: looped(items) for items in (FEW, MANY)})
    held = {items: peak(items) for items in (FEW, MANY)}
    loop = f"{LENGTH} nodes for each item"
    return [
        *(Row(f"engine, {loop} of {items:,}, bare", cost.per_node, "µs/node", 50) for items, cost in found.items()),
        Row(f"engine, {loop}: power of the size", exponent({n: c.seconds for n, c in found.items()}), "", 1.05),
        *(Row(f"engine, {loop} of {items:,}: most memory", each / 1000, "kB") for items, each in held.items()),
        Row(f"engine, {loop}: most memory of {MANY:,} items over {FEW:,}", held[MANY] / held[FEW], "", 1.25),
    ]


if __name__ == "__main__":
    main_of(rows)
