"""The graph engine on graphs of 100 to 100,000 executed nodes: CPU time for each node, and how the whole grows.

What "bare" and "with key" hold is said in `benchmarks.harness.engine_run`. The sizes of one shape are measured in
turns, and the power is that of a line through all of them.
"""

import math
import statistics
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # for `support` and `benchmarks`, when run as a script

from support.toys import chain, diamond, fan_out, iterated, nested

from benchmarks.harness import Row, exponent, in_turns, main_of  # isort: skip
from benchmarks.harness.engine_run import Document, costs, with_key  # isort: skip

SIZES = (100, 1_000, 10_000, 100_000)
INVOKEAI = "InvokeAI {} µs, on a like machine"


def square(executed: int) -> Document:
    """A nested iteration as wide as it is deep, of about so many executed nodes: 2 · (side + 1)²."""
    side = round(math.sqrt(executed / 2)) - 1
    return nested(side, side)


def growth(
    shape: str, build: Callable[[int], Document], budget: float, peers: Mapping[int, str] | None = None
) -> list[Row]:
    """A row for each size, and one for the power with which the whole time grows."""
    found = costs({size: build(size) for size in SIZES})
    rows = [
        Row(f"engine, {shape}, {size:,} nodes, bare", cost.per_node, "µs/node", budget, (peers or {}).get(size, ""))
        for size, cost in found.items()
    ]
    power = exponent({cost.executed: cost.seconds for cost in found.values()})
    return [*rows, Row(f"engine, {shape}: power of the size", power, "", 1.05)]


def keyed() -> list[Row]:
    """The same with what the worker does for its cache."""
    documents = {
        "chain, 1,000 nodes": chain(1_000),
        "chain, 100,000 nodes": chain(100_000),
        "iterate over 1,000": iterated(1_000),
    }
    return [
        Row(f"engine, {what}, with key", cost.per_node, "µs/node", 50)
        for what, cost in costs(documents, with_key).items()
    ]


def noise() -> Row:
    """How far the same work differs from turn to turn on this machine: what the other rows are to be read with."""
    (seconds,) = in_turns({None: lambda: lambda: sum(range(2_000_000))}, turns=50).values()
    return Row(
        "the machine: a fixed loop, its slowest turn over its median", max(seconds) / statistics.median(seconds), ""
    )


def rows() -> list[Row]:
    """All measurements."""
    iterations = costs({"iterate over 1,000": iterated(1_000), "nested iterate 30 × 30": nested(30, 30)})
    peers = (INVOKEAI.format("157"), INVOKEAI.format("45,193"))
    return [
        noise(),
        *growth("chain", chain, 25, {1_000: INVOKEAI.format("4,969")}),
        *growth("fan-out", fan_out, 25),
        *growth("diamonds", diamond, 25),
        *growth("nested iterate", square, 50),
        *(
            Row(f"engine, {what}, bare", cost.per_node, "µs/node", 50, peer)
            for (what, cost), peer in zip(iterations.items(), peers, strict=True)
        ),
        *keyed(),
    ]


if __name__ == "__main__":
    main_of(rows)
