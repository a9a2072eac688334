"""`Submissions`: what is checked before anything is queued, and in which words it is refused."""

import pytest
from support.queues import open_queue
from support.toys import TOYS

from impasto.app.called_graphs import CalledGraphs
from impasto.app.references import Library
from impasto.app.submissions import Submissions
from impasto.app.workflows import WorkflowLibrary
from impasto.errors import BatchError, GraphValidationError, IdempotencyKeyError, QueueFullError
from impasto.host import Catalogue
from impasto.host.contributions import Registered
from impasto.host.plugin import PluginInfo, PluginState
from impasto.queue import SessionQueue
from impasto.queue.records import Batch, BatchDatum
from impasto.storage.database import Database
from impasto.storage.event_log import EventLog
from impasto_sdk.contributions import EnqueueProposal
from impasto_sdk.errors import EnqueueRefusedError

PLUGIN = PluginInfo(name="toys", version="1.0.0", entry_point="toys", state=PluginState.ACTIVE)


@pytest.fixture
def queue(database: Database, log: EventLog) -> SessionQueue:
    return open_queue(database, log=log, max_queue_size=5)


@pytest.fixture
def proposals() -> list[EnqueueProposal]:
    return []


@pytest.fixture
def submissions(queue: SessionQueue, workflows: WorkflowLibrary, proposals: list[EnqueueProposal]) -> Submissions:
    catalogue = Catalogue([Registered(toy, PLUGIN) for toy in TOYS])

    def before_enqueue(proposal: EnqueueProposal) -> None:
        proposals.append(proposal)
        if proposal.origin == "unwanted":
            raise EnqueueRefusedError("not from there")

    return Submissions(
        catalogue,
        queue,
        Library(images_that_exist=lambda names: {"here.png"} & set(names), model_exists=lambda key: False),
        CalledGraphs(catalogue, workflows),
        before_enqueue,
        max_graph_nodes=3,
    )


def batch(nodes: dict[str, object], **more: object) -> Batch:
    return Batch.model_validate({"graph": {"nodes": nodes, "edges": []}, **more})


def test_a_batch_that_can_run_is_queued_and_plugins_are_asked(
    submissions: Submissions, queue: SessionQueue, proposals: list[EnqueueProposal]
) -> None:
    result = submissions.enqueue("default", batch({"a": {"type": "toy_integer"}}, runs=2, origin="test"))
    assert result.enqueued == 2
    assert queue.status("default").pending == 2
    (proposal,) = proposals
    assert (proposal.item_count, proposal.origin, list(proposal.graph["nodes"])) == (2, "test", ["a"])


def test_an_input_that_only_the_substitutions_set_is_not_missing(submissions: Submissions) -> None:
    data = [[BatchDatum(node_path="a", field_name="value", items=[1, 2])]]
    assert submissions.enqueue("default", batch({"a": {"type": "toy_required"}}, data=data)).enqueued == 2


@pytest.mark.parametrize(
    ("node_path", "field", "items", "said"),
    [
        ("b", "value", [1], "no node 'b'"),
        ("a", "value", [1, 5000], "does not take 5000"),
        ("a", "value", [1, "two"], "more than one kind"),
    ],
)
def test_substitutions_that_do_not_fit_are_refused_with_their_place(
    submissions: Submissions, queue: SessionQueue, node_path: str, field: str, items: list[object], said: str
) -> None:
    data = [[BatchDatum(node_path=node_path, field_name=field, items=items)]]
    with pytest.raises(BatchError, match=said) as caught:
        submissions.enqueue("default", batch({"a": {"type": "toy_required"}}, data=data))
    assert (caught.value.node_id, caught.value.field) == (node_path, field)
    assert queue.status("default").total == 0


def test_images_that_do_not_exist_are_all_named(submissions: Submissions, queue: SessionQueue) -> None:
    nodes = {
        "good": {"type": "toy_show", "image": {"image_name": "here.png"}},
        "bad": {"type": "toy_show", "image": {"image_name": "gone.png"}},
        "worse": {"type": "toy_show", "image": {"image_name": "lost.png"}},
    }
    with pytest.raises(GraphValidationError) as caught:
        submissions.enqueue("default", batch(nodes))
    assert [(p.node_id, p.field, p.found) for p in caught.value.problems] == [
        ("bad", "image", "gone.png"),
        ("worse", "image", "lost.png"),
    ]
    assert queue.status("default").total == 0


def test_an_image_that_only_a_substitution_names_must_exist_too(submissions: Submissions, queue: SessionQueue) -> None:
    names = [{"image_name": "here.png"}, {"image_name": "gone.png"}]
    data = [[BatchDatum(node_path="a", field_name="image", items=names)]]
    with pytest.raises(GraphValidationError, match=r"a\.image: there is no image 'gone\.png'"):
        submissions.enqueue("default", batch({"a": {"type": "toy_show"}}, data=data))
    assert queue.status("default").total == 0


def test_a_graph_with_too_many_nodes_is_refused_before_it_is_read(submissions: Submissions) -> None:
    with pytest.raises(GraphValidationError, match="has 4 nodes, at most 3 are taken"):
        submissions.enqueue("default", batch({name: {"type": "nonsense"} for name in "abcd"}))


def test_what_a_plugin_refuses_is_not_queued(submissions: Submissions, queue: SessionQueue) -> None:
    with pytest.raises(EnqueueRefusedError, match="not from there"):
        submissions.enqueue("default", batch({"a": {"type": "toy_integer"}}, origin="unwanted"))
    assert queue.status("default").total == 0


def test_a_batch_that_does_not_fit_is_refused_whole(submissions: Submissions, queue: SessionQueue) -> None:
    with pytest.raises(QueueFullError):
        submissions.enqueue("default", batch({"a": {"type": "toy_integer"}}, runs=6))
    assert queue.status("default").total == 0


def test_a_repeated_batch_is_answered_before_anybody_is_asked(
    submissions: Submissions, queue: SessionQueue, proposals: list[EnqueueProposal]
) -> None:
    nodes = {"a": {"type": "toy_integer"}}
    first = submissions.enqueue("default", batch(nodes, runs=3), idempotency_key="k")

    again = submissions.enqueue("default", batch(nodes, runs=3), idempotency_key="k")

    assert (first.repeated, again.repeated) == (False, True)
    assert again.item_ids == first.item_ids
    assert len(proposals) == 1
    with pytest.raises(IdempotencyKeyError, match="'k' was used for another batch"):
        submissions.enqueue("default", batch(nodes, runs=1), idempotency_key="k")
    with pytest.raises(IdempotencyKeyError, match="'k' was used for another batch"):
        submissions.enqueue("default", batch(nodes, runs=3), prepend=True, idempotency_key="k")
    assert queue.status("default").pending == 3


@pytest.mark.parametrize(
    ("types", "needs_device"),
    [(["toy_io_add"], False), (["toy_io_add", "toy_add"], False), (["toy_add"], True), (["toy_device_add"], True)],
)
def test_what_only_waits_for_something_outside_is_queued_as_needing_no_device(
    submissions: Submissions, queue: SessionQueue, types: list[str], needs_device: bool
) -> None:
    submissions.enqueue("default", batch({node_type: {"type": node_type} for node_type in types}, runs=2))
    for _ in range(2):
        assert queue.claim("worker", needs_device=not needs_device) is None
        assert queue.claim("worker", needs_device=needs_device) is not None


def test_what_the_targets_do_not_need_is_not_asked_for_a_device(submissions: Submissions, queue: SessionQueue) -> None:
    nodes = {"outside": {"type": "toy_io_add"}, "paint": {"type": "toy_device_add"}}
    submissions.enqueue("default", batch(nodes, targets=["outside"]))
    assert queue.claim("worker", needs_device=False) is not None
