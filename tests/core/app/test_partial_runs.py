"""Batches that name targets: what is stored of them, what is refused, and what becomes of the rest of the graph."""

from typing import Any

import pytest
from support.queues import open_queue
from support.toys import TOYS

from impasto.app.called_graphs import CalledGraphs
from impasto.app.references import Library
from impasto.app.submissions import Submissions
from impasto.app.workflows import WorkflowLibrary
from impasto.errors import BatchError, GraphValidationError, IdempotencyKeyError
from impasto.host import Catalogue
from impasto.host.contributions import Registered
from impasto.host.plugin import PluginInfo, PluginState
from impasto.queue import SessionQueue
from impasto.queue.records import Batch
from impasto.storage.database import Database
from impasto.storage.event_log import EventLog
from impasto_sdk.contributions import EnqueueProposal

PLUGIN = PluginInfo(name="toys", version="1.0.0", entry_point="toys", state=PluginState.ACTIVE)
#: ``seed → sum → shown``; the last is not finished: its image is missing, and a node behind it is of no known type.
NODES: dict[str, Any] = {
    "seed": {"type": "toy_integer", "value": 3},
    "sum": {"type": "toy_add", "b": 1},
    "shown": {"type": "toy_show"},
    "later": {"type": "not_installed"},
}
EDGES = [
    {"source": {"node_id": "seed", "field": "value"}, "destination": {"node_id": "sum", "field": "a"}},
    {"source": {"node_id": "sum", "field": "value"}, "destination": {"node_id": "later", "field": "number"}},
    {"source": {"node_id": "shown", "field": "value"}, "destination": {"node_id": "later", "field": "text"}},
]


@pytest.fixture
def queue(database: Database, log: EventLog) -> SessionQueue:
    return open_queue(database, log=log, max_queue_size=50)


@pytest.fixture
def proposals() -> list[EnqueueProposal]:
    return []


@pytest.fixture
def submissions(queue: SessionQueue, workflows: WorkflowLibrary, proposals: list[EnqueueProposal]) -> Submissions:
    catalogue = Catalogue([Registered(toy, PLUGIN) for toy in TOYS])
    return Submissions(
        catalogue,
        queue,
        Library(images_that_exist=lambda names: set(), model_exists=lambda key: False),
        CalledGraphs(catalogue, workflows),
        proposals.append,
        max_graph_nodes=100,
    )


def batch(**more: Any) -> Batch:
    return Batch.model_validate({"graph": {"id": "g", "nodes": NODES, "edges": EDGES}, "targets": ["sum"], **more})


def values(node_path: str, field_name: str, *items: object) -> dict[str, Any]:
    return {"node_path": node_path, "field_name": field_name, "items": list(items)}


def claimed(queue: SessionQueue) -> list[dict[str, Any]]:
    """The nodes of every session, as workers are given them, in order."""
    found = []
    while (item := queue.claim("worker")) is not None:
        found.append(item.graph["nodes"])
    return found


def test_only_what_the_targets_need_is_stored_and_proposed_to_plugins(
    submissions: Submissions, queue: SessionQueue, proposals: list[EnqueueProposal]
) -> None:
    result = submissions.enqueue("default", batch())
    assert list(result.batch.graph["nodes"]) == list(proposals[0].graph["nodes"]) == ["seed", "sum"]
    assert result.batch.graph["edges"] == EDGES[:1]
    assert result.batch.targets == ["sum"]
    (session,) = claimed(queue)
    assert (list(session), session["seed"]["value"], session["sum"]["b"]) == (["seed", "sum"], 3, 1)


def test_without_targets_the_unfinished_rest_is_refused(submissions: Submissions, queue: SessionQueue) -> None:
    with pytest.raises(GraphValidationError) as caught:
        submissions.enqueue("default", batch(targets=None))
    assert {problem.node_id for problem in caught.value.problems} >= {"shown", "later"}
    assert queue.status("default").total == 0


def test_what_is_wrong_with_what_the_targets_need_is_refused(submissions: Submissions) -> None:
    with pytest.raises(GraphValidationError) as caught:
        submissions.enqueue("default", batch(targets=["sum", "shown"]))
    assert [(problem.node_id, problem.field) for problem in caught.value.problems] == [("shown", "image")]


@pytest.mark.parametrize(
    ("targets", "said"),
    [
        (["sun"], "the target 'sun' is no node of the graph; did you mean 'sum'?"),
        (["seed", "zebra"], "the target 'zebra' is no node of the graph"),
        ([], "targets is an empty list"),
    ],
)
def test_unknown_targets_and_none_at_all_are_refused(
    submissions: Submissions, queue: SessionQueue, targets: list[str], said: str
) -> None:
    with pytest.raises(GraphValidationError) as caught:
        submissions.enqueue("default", batch(targets=targets))
    assert str(caught.value).startswith(said)
    assert queue.status("default").total == 0


def test_values_for_nodes_that_are_left_out_make_sessions_and_go_nowhere(
    submissions: Submissions, queue: SessionQueue
) -> None:
    data = [
        [values("seed", "value", 1, 2), values("later", "number", 10, 20)],
        [values("shown", "image", {"image_name": "none.png"}, {"image_name": "gone.png"})],
    ]
    result = submissions.enqueue("default", batch(data=data))
    assert result.enqueued == 4
    assert result.batch.model_dump()["data"] == data
    assert [session["seed"]["value"] for session in claimed(queue)] == [1, 1, 2, 2]


def test_sessions_keep_their_order_and_their_ids_when_the_outer_values_are_left_out(
    submissions: Submissions, queue: SessionQueue
) -> None:
    data = [[values("later", "number", 10, 20)], [values("seed", "value", 1, 2)]]
    submissions.enqueue("default", batch(data=data, session_ids=["s1", "s2", "s3", "s4"]))
    items = queue.list("default")
    assert [(item.session_id, (item.field_values or [])[0].value) for item in items] == [
        ("s1", 1),
        ("s2", 2),
        ("s3", 1),
        ("s4", 2),
    ]


def test_values_that_all_go_nowhere_leave_sessions_without_values(
    submissions: Submissions, queue: SessionQueue
) -> None:
    submissions.enqueue("default", batch(data=[[values("later", "number", 10, 20, 30)]]))
    assert [item.field_values for item in queue.list("default")] == [None, None, None]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ([[values("nobody", "value", 1)]], "the graph has no node 'nobody'"),
        ([[values("later", "number")]], "is given no values"),
        ([[values("seed", "value", 1, 2), values("later", "number", 1)]], "lists that go together have one length"),
        ([[values("seed", "value", 1, "two")]], "more than one kind"),
        ([[values("seed", "value", 1, 5.5)]], "does not take 5.5"),
    ],
)
def test_data_that_does_not_fit_the_whole_graph_is_refused_as_ever(
    submissions: Submissions, queue: SessionQueue, data: object, said: str
) -> None:
    with pytest.raises(BatchError, match=said):
        submissions.enqueue("default", batch(data=data))
    assert queue.status("default").total == 0


def test_metadata_keeps_what_is_written_where_a_node_that_is_left_out_was_bound(
    submissions: Submissions, queue: SessionQueue
) -> None:
    bindings = [
        {"pointer": "/seed", "node_path": "seed", "field_name": "value"},
        {"pointer": "/number", "node_path": "later", "field_name": "number"},
    ]
    data = [[values("seed", "value", 8), values("later", "number", 9)]]
    submissions.enqueue(
        "default", batch(data=data, metadata={"seed": None, "number": "as written"}, metadata_bindings=bindings)
    )
    item = queue.claim("worker")
    assert item is not None
    assert item.metadata == {"seed": 8, "number": "as written"}


def test_a_binding_to_no_node_of_the_whole_graph_is_refused(submissions: Submissions) -> None:
    bindings = [{"pointer": "/seed", "node_path": "nobody", "field_name": "value"}]
    with pytest.raises(BatchError, match=r"nobody\.value has no value"):
        submissions.enqueue("default", batch(metadata={"seed": None}, metadata_bindings=bindings))


def test_a_repeated_key_gives_the_first_answer_with_its_targets(submissions: Submissions, queue: SessionQueue) -> None:
    first = submissions.enqueue("default", batch(batch_id="b"), idempotency_key="k")
    again = submissions.enqueue("default", batch(batch_id="b"), idempotency_key="k")
    assert again == first.model_copy(update={"repeated": True})
    assert queue.status("default").total == 1


@pytest.mark.parametrize("targets", [["seed"], ["sum", "seed"]])
def test_a_key_is_for_the_targets_it_was_used_with(submissions: Submissions, targets: list[str]) -> None:
    submissions.enqueue("default", batch(), idempotency_key="k")
    with pytest.raises(IdempotencyKeyError, match="was used for another batch"):
        submissions.enqueue("default", batch(targets=targets), idempotency_key="k")


def test_the_part_on_its_own_is_not_what_a_key_was_used_for(submissions: Submissions) -> None:
    result = submissions.enqueue("default", batch(), idempotency_key="k")
    with pytest.raises(IdempotencyKeyError, match="was used for another batch"):
        submissions.enqueue("default", result.batch, idempotency_key="k")


def test_a_document_that_is_no_graph_is_refused_whatever_is_asked_of_it(submissions: Submissions) -> None:
    broken = {"nodes": {**NODES, "odd": 7}, "edges": []}
    with pytest.raises(GraphValidationError, match="node 'odd' must be an object"):
        submissions.enqueue("default", batch(graph=broken))
