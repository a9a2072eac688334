"""What a run of the graph engine holds at most, for each executed node, beyond the graph that it runs.

Counted, not timed: see `benchmarks.harness.memory`. A run ends with all that was planned still there, and with the
outputs that something may still ask for; a loop lets go of what it has done, so its figure for a node is small.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # for `support` and `benchmarks`, when run as a script

from support.toys import chain, fan_out, nested

from impasto.graph import Graph

from benchmarks.harness import Row, main_of, peak_bytes  # isort: skip
from benchmarks.harness.engine_run import Document, bare, execute  # isort: skip


def per_node(what: str, document: Document) -> Row:
    """The most bytes of a run for each node that it executes."""
    graph = Graph.from_document(document)
    executed = execute(graph, bare())
    return Row(
        f"engine, {what}: most memory of the run",
        peak_bytes(lambda: lambda: execute(graph, bare())) / executed,
        "bytes/node",
    )


def graph_itself(size: int) -> Row:
    """The bytes of a graph of a chain, read from its document."""
    document = chain(size)
    peak = peak_bytes(lambda: lambda: Graph.from_document(document))
    return Row(f"graph of a chain, {size:,} nodes: memory", peak / size, "bytes/node")


def rows() -> list[Row]:
    """Shapes at the sizes where it matters."""
    return [
        graph_itself(100_000),
        per_node("chain, 1,000 nodes", chain(1_000)),
        per_node("chain, 100,000 nodes", chain(100_000)),
        per_node("fan-out, 100,000 nodes", fan_out(100_000)),
        per_node("nested iterate 223 × 223", nested(223, 223)),
    ]


if __name__ == "__main__":
    main_of(rows)
