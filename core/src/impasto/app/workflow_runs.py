"""`WorkflowRuns`: a saved workflow run by one request, with values for the inputs that it exposes.

The values are written into the workflow before it is read as a graph, so the workflow that is kept with the images is
the one that made them. Used by the API.
"""

from collections.abc import Mapping

from impasto.app.submissions import Submissions
from impasto.app.workflows import WorkflowLibrary
from impasto.errors import GraphValidationError, Problem
from impasto.graph import EdgeConnection
from impasto.graph.suggestions import Suggester
from impasto.graph.workflow import exposed_inputs, read_workflow, with_inputs
from impasto.queue.records import Batch, EnqueueBatchResult
from impasto.storage.workflow_dto import WorkflowRecord
from impasto_sdk.fields import JsonValue

__all__ = ["WorkflowRuns", "workflow_batch"]


class WorkflowRuns:
    """Puts saved workflows into the queue."""

    def __init__(self, library: WorkflowLibrary, submissions: Submissions) -> None:
        self._library = library
        self._submissions = submissions

    def enqueue(
        self,
        queue_id: str,
        workflow_id: str,
        inputs: Mapping[str, JsonValue],
        *,
        runs: int = 1,
        prepend: bool = False,
        origin: str | None = None,
        destination: str | None = None,
        user_id: str = "system",
        idempotency_key: str | None = None,
    ) -> EnqueueBatchResult:
        """Put a workflow into a queue, `runs` times, with `inputs` by ``node_id::field``.

        Raises `WorkflowNotFoundError`, `GraphValidationError` for inputs that it does not expose, and what
        `Submissions.enqueue` raises; nothing is queued then.
        """
        # the batch may differ from call to call: a workflow can be changed meanwhile
        request: JsonValue = {
            "workflow": workflow_id,
            "inputs": dict(inputs),
            "runs": runs,
            "origin": origin,
            "destination": destination,
        }
        earlier = self._submissions.enqueued_before(
            queue_id, idempotency_key, request, prepend=prepend, user_id=user_id
        )
        if earlier is not None:
            return earlier
        batch = workflow_batch(
            self._library.get(workflow_id), inputs, runs=runs, origin=origin, destination=destination
        )
        return self._submissions.enqueue(
            queue_id,
            batch,
            prepend=prepend,
            user_id=user_id,
            idempotency_key=idempotency_key,
            request=request,
        )


def workflow_batch(
    record: WorkflowRecord,
    inputs: Mapping[str, JsonValue],
    *,
    runs: int = 1,
    origin: str | None = None,
    destination: str | None = None,
) -> Batch:
    """The batch that runs a saved workflow. Raises `GraphValidationError` for inputs that it does not expose."""
    exposed = {f"{place.node_id}::{place.field}": place for place in exposed_inputs(record.workflow)}
    suggester = Suggester()
    problems = [_not_exposed(record, name, exposed, suggester) for name in inputs if name not in exposed]
    if problems:
        raise GraphValidationError(problems)
    workflow = with_inputs(record.workflow, {exposed[name]: value for name, value in inputs.items()})
    graph = read_workflow(workflow).graph
    return Batch(graph=graph, workflow=workflow, runs=runs, origin=origin, destination=destination)


def _not_exposed(
    record: WorkflowRecord, name: str, exposed: Mapping[str, EdgeConnection], suggester: Suggester
) -> Problem:
    offered = f"it exposes {', '.join(exposed)}" if exposed else "it exposes none; put its fields into its form"
    suggestion = suggester.did_you_mean(name, exposed) or offered
    return Problem(
        "unknown_input",
        f"workflow {record.name!r} exposes no input {name!r}, as node_id::field; {suggestion}",
        node_id=name.rpartition("::")[0] or None,
        field=name.rpartition("::")[2],
        found=name,
        expected=offered,
        suggestion=suggestion,
    )
