"""`Submissions`: the one way into the queue. Everything that is enqueued, by whichever client, comes through here.

A batch is reduced to what its targets need, if it names any, and checked whole before anything is stored: the graph
against the catalogue, its substitutions against the inputs they go into, the images and models it names against the
library, and then the plugins are asked.
"""

from collections.abc import Callable
from itertools import chain

from impasto.app.called_graphs import CalledGraphs
from impasto.app.partial_runs import reduced_to_targets
from impasto.app.references import Library, find_references, missing_references
from impasto.errors import GraphValidationError, Problem
from impasto.graph import EdgeConnection, Graph
from impasto.graph.lanes import needs_device
from impasto.host import Catalogue
from impasto.queue import SessionQueue
from impasto.queue.expansion import check_batch, check_values, count_sessions, data_in_use, substituted
from impasto.queue.records import Batch, EnqueueBatchResult
from impasto.queue.session_models import SessionModels
from impasto.queue.stored_batches import asked_for
from impasto_sdk.contributions import EnqueueProposal
from impasto_sdk.fields import JsonValue

__all__ = ["Submissions"]


#: Largest that the graphs may be which a graph calls, in bytes of JSON, each as often as it is called: a short request
#: could name a large workflow many times.
MOST_CALLED_BYTES = 64 * 2**20


class Submissions:
    """Checks batches and puts them into the queue."""

    def __init__(
        self,
        catalogue: Catalogue,
        queue: SessionQueue,
        library: Library,
        called_graphs: CalledGraphs,
        before_enqueue: Callable[[EnqueueProposal], None],
        *,
        max_graph_nodes: int,
    ) -> None:
        self._catalogue = catalogue
        self._queue = queue
        self._library = library
        self._called_graphs = called_graphs
        self._before_enqueue = before_enqueue
        self._max_graph_nodes = max_graph_nodes

    def enqueue(
        self,
        queue_id: str,
        batch: Batch,
        *,
        prepend: bool = False,
        user_id: str = "system",
        idempotency_key: str | None = None,
        request: JsonValue = None,
    ) -> EnqueueBatchResult:
        """Check a batch and store it, with as much of its graph as its targets need; it is on disk when this returns.

        With an `idempotency_key` that was used before in this queue, the first answer is given again; `request` is
        what the batch was made from, if it was (see `SessionQueue.enqueue`).
        Raises `GraphValidationError` with every problem of the graph, `BatchError` for substitutions that do not
        fit, `EnqueueRefusedError` when a plugin refuses, and `QueueFullError`; nothing is stored then.
        """
        if idempotency_key is not None:
            request = asked_for(batch) if request is None else request
            earlier = self.enqueued_before(queue_id, idempotency_key, request, prepend=prepend, user_id=user_id)
            if earlier is not None:
                return earlier
        batch = self._prepared(batch)
        graph, models = self._check(batch)
        self._before_enqueue(
            EnqueueProposal(
                queue_id=queue_id,
                user_id=user_id,
                graph=graph.to_document(),
                item_count=count_sessions(batch),
                origin=batch.origin,
                destination=batch.destination,
                metadata=batch.metadata or {},
            )
        )
        return self._queue.enqueue(
            queue_id,
            batch,
            prepend=prepend,
            user_id=user_id,
            idempotency_key=idempotency_key,
            request=request,
            models=models,
            needs_device=needs_device(graph, self._catalogue),
        )

    def enqueued_before(
        self,
        queue_id: str,
        idempotency_key: str | None,
        request: JsonValue,
        *,
        prepend: bool = False,
        user_id: str = "system",
    ) -> EnqueueBatchResult | None:
        """What an earlier `enqueue` of this request answered; None when there was none, or without a key.

        To be asked before a batch is made of the request. Raises `IdempotencyKeyError` as `enqueue` does.
        """
        if idempotency_key is None:
            return None
        return self._queue.enqueued_before(queue_id, idempotency_key, request, prepend=prepend, user_id=user_id)

    def _prepared(self, batch: Batch) -> Batch:
        """The batch as it is checked and stored: its graph reduced to what its targets need, and its calls resolved.

        Raises `GraphValidationError` and `BatchError`.
        """
        nodes = batch.graph.get("nodes")
        if isinstance(nodes, dict) and len(nodes) > self._max_graph_nodes:
            raise GraphValidationError([_too_large(len(nodes), self._max_graph_nodes)])
        reduced = reduced_to_targets(batch)
        substituted = {EdgeConnection(datum.node_path, datum.field_name) for datum in chain(*(reduced.data or ()))}
        resolved = self._called_graphs.resolve(reduced.graph, substituted=substituted)
        if resolved.nodes > self._max_graph_nodes:
            problem = _too_large(resolved.nodes, self._max_graph_nodes, " with those that it calls")
            raise GraphValidationError([problem])
        if resolved.called_bytes > MOST_CALLED_BYTES:
            raise GraphValidationError([_calls_too_much(resolved.called_bytes)])
        return reduced if resolved.depth == 0 else reduced.model_copy(update={"graph": resolved.document})

    def _check(self, batch: Batch) -> tuple[Graph, SessionModels]:
        """The batch's graph, with the first of its substitutions put in, when all of it can run; and its models.

        Raises `GraphValidationError` and `BatchError`.
        """
        graph = Graph.from_document(_with_first_items(batch))
        graph.validate_self(self._catalogue)
        check_values(batch, graph, self._catalogue)
        references = find_references(batch, graph, self._catalogue)
        problems = missing_references(references, self._library)
        if problems:
            raise GraphValidationError(problems)
        return graph, references.session_models


def _with_first_items(batch: Batch) -> dict[str, JsonValue]:
    """The graph as its first session runs it: an input that only the substitutions set is not missing."""
    if not batch.data:
        return batch.graph
    check_batch(batch)
    first = [
        {"node_path": datum.node_path, "field_name": datum.field_name, "value": datum.items[0]}
        for datum in data_in_use(batch)
    ]
    return substituted(batch.graph, first)


def _too_large(found: int, limit: int, which: str = "") -> Problem:
    return Problem(
        code="graph_too_large",
        message=f"the graph has {found} nodes{which}, at most {limit} are taken; raise `max_graph_nodes` or iterate",
        found=found,
        expected=limit,
    )


def _calls_too_much(found: int) -> Problem:
    suggestion = "iterate over one call instead"
    return Problem(
        code="calls_too_large",
        message=f"the workflows that the graph calls come to {found} bytes, each as often as it is called, and at most "
        f"{MOST_CALLED_BYTES} are taken; {suggestion}",
        found=found,
        expected=MOST_CALLED_BYTES,
        suggestion=suggestion,
    )
