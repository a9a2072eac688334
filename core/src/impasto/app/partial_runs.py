"""`reduced_to_targets`: a batch that names targets becomes one whose graph holds only what these need.

Pure. Called by `Submissions` before anything else is checked, so that the unfinished rest of a graph hinders nobody.
"""

from impasto.graph import Graph
from impasto.queue.expansion import check_batch
from impasto.queue.metadata_bindings import check_bindings
from impasto.queue.records import Batch

__all__ = ["reduced_to_targets"]


def reduced_to_targets(batch: Batch) -> Batch:
    """The batch with as much of its graph as its targets need; as it is when it names none.

    Its data stays, so it makes as many sessions, in the same order; what is meant for nodes that are left out is not
    put in anywhere. A metadata binding to such a node goes, and its place keeps what is written there.

    Raises `GraphValidationError` for a document that is no graph, an unknown target and an empty list of targets, and
    `BatchError` for data and bindings that do not fit the whole graph.
    """
    if batch.targets is None:
        return batch
    whole = Graph.from_document(batch.graph)
    part = whole.restricted_to(batch.targets)
    # with the whole graph still there, a node that the graph never had is told from one that is left out
    asked = batch.model_copy(update={"targets": None})
    check_batch(asked)
    check_bindings(asked)
    return batch.model_copy(
        update={
            "graph": {**batch.graph, **part.to_document()},
            "metadata_bindings": [binding for binding in batch.metadata_bindings if binding.node_path in part.nodes],
        }
    )
