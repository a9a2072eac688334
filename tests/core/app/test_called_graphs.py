"""What becomes of calls when a batch is submitted: the snapshots they are given, and which calls are refused."""

from collections.abc import Callable
from typing import Any

import pytest
from support.queues import open_queue
from support.toys import CATALOGUE
from support.workflows import call, edge, expose, invocation, workflow

from impasto.app import submissions as submissions_module
from impasto.app.called_graphs import CalledGraphs
from impasto.app.references import Library
from impasto.app.submissions import Submissions
from impasto.app.workflows import WorkflowLibrary
from impasto.errors import GraphValidationError, Problem
from impasto.graph import EdgeConnection, Graph
from impasto.host import Catalogue
from impasto.host.contributions import Registered
from impasto.host.plugin import PluginInfo, PluginState
from impasto.queue import SessionQueue
from impasto.queue.records import Batch, BatchDatum
from impasto.storage.database import Database
from impasto.storage.event_log import EventLog
from impasto.storage.workflow_dto import WorkflowRecord

PLUGIN = PluginInfo(name="toys", version="1.0.0", entry_point="toys", state=PluginState.ACTIVE)
#: Saves a workflow of this name that calls these others and returns a number; its id.
Save = Callable[..., str]


@pytest.fixture
def save(workflows: WorkflowLibrary) -> Save:
    def save(name: str, *calls: str, nodes: list[Any] | None = None) -> str:
        own = [
            invocation("number", "toy_required", {"value": 1}),
            invocation("give", "toy_return_value", {"key": "number"}),
            invocation("return", "toy_return"),
        ]
        callers = [call(f"to_{place}", workflow_id) for place, workflow_id in enumerate(calls)]
        edges = [edge("number.value", "give.value"), edge("give.value", "return.values")]
        exposed = expose("number.value")
        return workflows.create(
            workflow([*own, *callers, *(nodes or [])], edges, name=name, exposedFields=exposed)
        ).workflow_id

    return save


def point(workflows: WorkflowLibrary, workflow_id: str, **calls: str) -> WorkflowRecord:
    """Let calls of a saved workflow call others: this is how a circle comes about."""
    document = workflows.get(workflow_id).workflow
    kept = [node for node in document["nodes"] if node["id"] not in calls]
    return workflows.update(workflow_id, {**document, "nodes": [*kept, *(call(*each) for each in calls.items())]})


@pytest.fixture
def called_graphs(workflows: WorkflowLibrary) -> CalledGraphs:
    return CalledGraphs(CATALOGUE, workflows)


def graph_of(*calls: str, **more: Any) -> dict[str, Any]:
    """A graph whose nodes ``call_0``, ``call_1`` … call these workflows."""
    nodes = {f"call_{place}": {"type": "toy_call", "workflow_id": each} for place, each in enumerate(calls)}
    return {"nodes": {**nodes, **more}, "edges": []}


def problems_of(called_graphs: CalledGraphs, document: dict[str, Any], **options: Any) -> list[Problem]:
    with pytest.raises(GraphValidationError) as caught:
        called_graphs.resolve(document, **options)
    problems = list(caught.value.problems)
    for problem in problems:
        assert problem.expected is not None
        assert problem.message.endswith(f"; {problem.suggestion}")
    return problems


def test_a_call_is_given_the_workflow_as_it_is_now(called_graphs: CalledGraphs, save: Save) -> None:
    workflow_id = save("One more")
    asked = graph_of(workflow_id, other={"type": "toy_integer"})
    resolved = called_graphs.resolve(asked)

    called = resolved.document["nodes"]["call_0"]["called"]
    assert (called["workflow_id"], called["name"]) == (workflow_id, "One more")
    assert list(called["graph"]["nodes"]) == ["number", "give", "return"]
    assert called["inputs"] == [{"node_id": "number", "field": "value"}]
    assert (resolved.nodes, resolved.depth) == (5, 1)
    assert resolved.document["nodes"]["other"] == {"type": "toy_integer"}
    assert "called" not in asked["nodes"]["call_0"]
    assert Graph.from_document(resolved.document).problems(CATALOGUE) == []


def test_a_later_edit_changes_nothing_for_a_graph_that_was_resolved(
    called_graphs: CalledGraphs, workflows: WorkflowLibrary, save: Save
) -> None:
    workflow_id = save("One more")
    before = called_graphs.resolve(graph_of(workflow_id))
    point(workflows, workflow_id, more=save("Other"))
    after = called_graphs.resolve(graph_of(workflow_id))
    again = called_graphs.resolve(before.document)

    assert (before.nodes, after.nodes, again.nodes) == (4, 8, 4)
    assert again.document == before.document


def test_a_graph_that_calls_nothing_stays_as_it_is(called_graphs: CalledGraphs) -> None:
    document = {"nodes": {"a": {"type": "toy_integer"}}, "edges": [], "id": "g"}
    resolved = called_graphs.resolve(document)

    assert (resolved.document, resolved.nodes, resolved.depth) == (document, 1, 0)


@pytest.mark.parametrize(
    "document", [{}, {"nodes": 5}, {"nodes": {"a": 5, "b": {"type": ["toy_call"]}}}, {"nodes": {}, "edges": [5, {}]}]
)
def test_what_is_no_graph_is_left_for_the_check_to_tell(called_graphs: CalledGraphs, document: dict[str, Any]) -> None:
    assert called_graphs.resolve(document).document == document


def test_calls_of_calls_are_resolved_and_one_workflow_is_read_once(
    called_graphs: CalledGraphs, workflows: WorkflowLibrary, save: Save, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = save("Inner")
    outer = save("Outer", inner, inner)
    read: list[str] = []
    find = workflows.find
    monkeypatch.setattr(workflows, "find", lambda workflow_id: (read.append(workflow_id), find(workflow_id))[1])
    resolved = called_graphs.resolve(graph_of(outer, inner, outer))

    assert read == [outer, inner]
    assert (resolved.nodes, resolved.depth) == (3 + 2 * (5 + 3 + 3) + 3, 2)
    called = resolved.document["nodes"]["call_2"]["called"]
    assert called["graph"]["nodes"]["to_1"]["called"]["name"] == "Inner"
    assert Graph.from_document(resolved.document).problems(CATALOGUE) == []


@pytest.mark.parametrize(
    ("names", "told"),
    [("A", "'A' calls 'A'"), ("AB", "'A' calls 'B' calls 'A'"), ("ABC", "'A' calls 'B' calls 'C' calls 'A'")],
)
def test_a_workflow_that_calls_itself_is_refused_with_the_whole_chain(
    called_graphs: CalledGraphs, workflows: WorkflowLibrary, save: Save, names: str, told: str
) -> None:
    ids = [save(name) for name in names]
    for place, workflow_id in enumerate(ids):
        point(workflows, workflow_id, onward=ids[(place + 1) % len(ids)])
    before = save("Before", ids[0])
    (problem,) = problems_of(called_graphs, graph_of(before))

    assert problem.code == "recursive_call"
    assert f"a workflow cannot call itself: {told}; take" in problem.message
    assert (problem.node_id, problem.field) == ("/".join(["call_0", "to_0", *["onward"] * len(names)]), "workflow_id")


def row(save: Save, length: int) -> list[str]:
    """Workflows ``w1`` … that call one another, each the one before."""
    ids: list[str] = []
    for place in range(length):
        ids.append(save(f"w{place + 1}", *ids[-1:]))
    return ids


def test_four_workflows_may_call_one_another_and_five_may_not(called_graphs: CalledGraphs, save: Save) -> None:
    ids = row(save, 5)
    allowed = called_graphs.resolve(graph_of(ids[3]))
    (problem,) = problems_of(called_graphs, graph_of(ids[4]))

    assert allowed.depth == 4
    assert Graph.from_document(allowed.document).problems(CATALOGUE) == []
    assert (problem.code, problem.node_id) == ("calls_too_deep", "call_0/to_0/to_0/to_0/to_0")
    assert "'w5' calls 'w4' calls 'w3' calls 'w2' calls 'w1'" in problem.message


def test_a_workflow_that_was_read_already_stands_too_deep_all_the_same(called_graphs: CalledGraphs, save: Save) -> None:
    ids = row(save, 3)
    deep = save("deep", save("deeper", ids[2]))
    (problem,) = problems_of(called_graphs, graph_of(ids[2], deep))

    assert (problem.code, problem.node_id) == ("calls_too_deep", "call_1/to_0/to_0")
    assert "'deep' calls 'deeper' calls 'w3'" in problem.message


def test_a_snapshot_that_came_along_stays_and_its_own_calls_are_resolved(
    called_graphs: CalledGraphs, workflows: WorkflowLibrary, save: Save
) -> None:
    inner = save("Inner")
    nodes = {"again": {"type": "toy_call", "workflow_id": inner}}
    given = {"workflow_id": "theirs", "name": "Theirs", "graph": {"nodes": nodes}, "inputs": []}
    resolved = called_graphs.resolve({"nodes": {"c": {"type": "toy_call", "called": given}}})

    called = resolved.document["nodes"]["c"]["called"]
    assert (called["name"], resolved.nodes, resolved.depth) == ("Theirs", 5, 2)
    assert called["graph"]["nodes"]["again"]["called"]["name"] == "Inner"


def test_a_snapshot_that_calls_its_own_workflow_is_refused(called_graphs: CalledGraphs, save: Save) -> None:
    workflow_id = save("Same")
    nodes = {"again": {"type": "toy_call", "workflow_id": workflow_id}}
    given = {"workflow_id": workflow_id, "name": "Same", "graph": {"nodes": nodes}, "inputs": []}
    document = graph_of(workflow_id, c={"type": "toy_call", "called": given})
    (problem,) = problems_of(called_graphs, document)

    assert (problem.code, problem.node_id) == ("recursive_call", "c/again")


def test_a_snapshot_of_another_workflow_than_the_one_that_is_written_is_refused(
    called_graphs: CalledGraphs, save: Save
) -> None:
    given = {"workflow_id": "old", "name": "Old", "graph": {"nodes": {}}, "inputs": []}
    node = {"type": "toy_call", "workflow_id": save("New"), "called": given}
    (problem,) = problems_of(called_graphs, {"nodes": {"c": node}})

    assert (problem.code, problem.node_id) == ("wrong_snapshot", "c")
    assert "carries the graph of 'old'" in problem.message


@pytest.mark.parametrize("given", [5, {}, {"graph": 5}, {"workflow_id": 7, "graph": {"nodes": 5}}])
def test_a_malformed_snapshot_is_left_for_the_check_to_tell(called_graphs: CalledGraphs, given: Any) -> None:
    resolved = called_graphs.resolve({"nodes": {"c": {"type": "toy_call", "called": given}}})

    with pytest.raises(GraphValidationError):
        Graph.from_document(resolved.document)


def test_a_workflow_that_does_not_exist_is_told_with_the_one_that_was_meant(
    called_graphs: CalledGraphs, save: Save
) -> None:
    workflow_id = save("Upscale")
    problems = problems_of(called_graphs, graph_of("upscale", workflow_id, workflow_id[:-2], "???"))

    assert [(problem.code, problem.node_id, problem.field) for problem in problems] == [
        ("unknown_workflow", node_id, "workflow_id") for node_id in ("call_0", "call_2", "call_3")
    ]
    meant = f"did you mean {workflow_id!r}, which is called 'Upscale'?"
    assert [problem.suggestion for problem in problems] == [
        meant,
        meant,
        "GET /api/v1/workflows/ lists those there are",
    ]
    assert problems[0].message == f"call_0.workflow_id is 'upscale', and there is no such workflow; {meant}"


@pytest.mark.parametrize("workflow_id", [None, "", 5, ["x"]])
def test_a_call_of_no_workflow_is_refused(called_graphs: CalledGraphs, workflow_id: Any) -> None:
    (problem,) = problems_of(called_graphs, graph_of(workflow_id))

    assert (problem.code, problem.node_id, problem.field) == ("missing_input", "call_0", "workflow_id")


def test_a_workflow_that_comes_over_an_edge_or_from_a_batch_is_refused(called_graphs: CalledGraphs, save: Save) -> None:
    workflow_id = save("W")
    end = {"source": {"node_id": "t", "field": "value"}, "destination": {"node_id": "call_0", "field": "workflow_id"}}
    document = {**graph_of(workflow_id, workflow_id, t={"type": "toy_text"}), "edges": [end]}
    problems = problems_of(called_graphs, document, substituted=[EdgeConnection("call_1", "workflow_id")])

    assert [(problem.code, problem.node_id) for problem in problems] == [
        ("workflow_not_written", "call_0"),
        ("workflow_not_written", "call_1"),
    ]


def test_problems_inside_a_called_workflow_are_told_once_with_the_way_there(
    called_graphs: CalledGraphs, save: Save
) -> None:
    broken = save("Broken", "gone", "")
    outer = save("Outer", broken)
    problems = problems_of(called_graphs, graph_of(outer, broken, outer))

    assert [(problem.node_id, problem.code) for problem in problems] == [
        ("call_0/to_0/to_0", "unknown_workflow"),
        ("call_0/to_0/to_1", "missing_input"),
    ]


# --- through the one way into the queue ---


@pytest.fixture
def queue(database: Database, log: EventLog) -> SessionQueue:
    return open_queue(database, log=log, max_queue_size=50)


@pytest.fixture
def submissions(queue: SessionQueue, workflows: WorkflowLibrary) -> Submissions:
    catalogue = Catalogue([Registered(spec.invocation, PLUGIN) for spec in CATALOGUE.values()])
    return Submissions(
        catalogue,
        queue,
        Library(images_that_exist=lambda names: {"here.png"} & set(names), model_exists=lambda key: False),
        CalledGraphs(catalogue, workflows),
        lambda proposal: None,
        max_graph_nodes=20,
    )


VALUE = "saved_workflow_input::number::value"


def test_what_is_stored_carries_what_it_calls(submissions: Submissions, queue: SessionQueue, save: Save) -> None:
    submissions.enqueue("default", Batch(graph=graph_of(save("W"))))
    claimed = queue.claim("worker")

    assert claimed is not None
    assert claimed.graph["nodes"]["call_0"]["called"]["name"] == "W"


@pytest.mark.parametrize(("inside", "needs_device"), [("toy_io_add", False), ("toy_device_add", True)])
def test_what_a_called_workflow_needs_the_session_needs(
    submissions: Submissions, queue: SessionQueue, save: Save, inside: str, needs_device: bool
) -> None:
    called = save("W", save("V", nodes=[invocation("work", inside)]))
    submissions.enqueue("default", Batch(graph=graph_of(called, outside={"type": "toy_io_add"})))
    assert queue.claim("worker", needs_device=not needs_device) is None
    assert queue.claim("worker", needs_device=needs_device) is not None


def test_a_key_is_for_what_was_asked_though_the_workflow_has_changed(
    submissions: Submissions, workflows: WorkflowLibrary, save: Save
) -> None:
    workflow_id = save("W")
    first = submissions.enqueue("default", Batch(graph=graph_of(workflow_id)), idempotency_key="k")
    point(workflows, workflow_id, more=save("X"))
    again = submissions.enqueue("default", Batch(graph=graph_of(workflow_id)), idempotency_key="k")

    assert again.item_ids == first.item_ids


def test_nodes_of_called_graphs_count_as_often_as_they_are_called(submissions: Submissions, save: Save) -> None:
    workflow_id = save("W")
    submissions.enqueue("default", Batch(graph=graph_of(*[workflow_id] * 5)))
    with pytest.raises(GraphValidationError, match="has 24 nodes with those that it calls, at most 20 are taken"):
        submissions.enqueue("default", Batch(graph=graph_of(*[workflow_id] * 6)))


def test_many_calls_of_many_calls_are_counted_without_being_made(submissions: Submissions, save: Save) -> None:
    workflow_id = save("bottom")
    for place in range(3):
        workflow_id = save(f"level {place}", *[workflow_id] * 15)
    with pytest.raises(GraphValidationError, match="has 216960 nodes"):
        submissions.enqueue("default", Batch(graph=graph_of(*[workflow_id] * 15)))


def test_a_large_workflow_is_not_called_more_often_than_memory_bears(
    submissions: Submissions, save: Save, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(submissions_module, "MOST_CALLED_BYTES", 3_000)
    large = save("large", nodes=[invocation("text", "toy_text", {"value": "x" * 1_000})])
    submissions.enqueue("default", Batch(graph=graph_of(large)))
    with pytest.raises(GraphValidationError, match="the workflows that the graph calls come to") as caught:
        submissions.enqueue("default", Batch(graph=graph_of(save("twice", large, large))))
    assert [problem.code for problem in caught.value.problems] == ["calls_too_large"]


def test_a_batch_of_values_for_an_input_of_a_called_graph_is_checked_and_put_in(
    submissions: Submissions, queue: SessionQueue, save: Save
) -> None:
    graph = graph_of(save("W"))
    fits = BatchDatum(node_path="call_0", field_name=VALUE, items=[1, 2])
    assert submissions.enqueue("default", Batch(graph=graph, data=[[fits]])).enqueued == 2
    claimed = queue.claim("worker")
    assert claimed is not None
    assert claimed.graph["nodes"]["call_0"][VALUE] == 1
    wrong = BatchDatum(node_path="call_0", field_name=VALUE, items=[1, 5000])
    with pytest.raises(ValueError, match="does not take 5000"):
        submissions.enqueue("default", Batch(graph=graph, data=[[wrong]]))


def test_an_image_that_a_called_graph_names_must_exist_unless_the_call_names_another(
    submissions: Submissions, workflows: WorkflowLibrary, save: Save
) -> None:
    shown = invocation("shown", "toy_show", {"image": {"image_name": "gone.png"}})
    workflow_id = save("W", nodes=[shown])
    document = workflows.get(workflow_id).workflow
    workflows.update(workflow_id, {**document, "exposedFields": expose("shown.image")})
    name = "saved_workflow_input::shown::image"

    with pytest.raises(GraphValidationError) as caught:
        submissions.enqueue("default", Batch(graph=graph_of(workflow_id)))
    assert [(p.code, p.node_id, p.field) for p in caught.value.problems] == [
        ("image_not_found", "call_0/shown", "image")
    ]
    good, bad = {"image_name": "here.png"}, {"image_name": "lost.png"}
    for given in ({name: good}, {"workflow_inputs": {name: good}}):
        node = {"type": "toy_call", "workflow_id": workflow_id, **given}
        assert submissions.enqueue("default", Batch(graph={"nodes": {"c": node}})).enqueued == 1
    for given in ({name: bad}, {"workflow_inputs": {name: bad}}):
        node = {"type": "toy_call", "workflow_id": workflow_id, **given}
        with pytest.raises(GraphValidationError) as caught:
            submissions.enqueue("default", Batch(graph={"nodes": {"c": node}}))
        assert [(p.node_id, p.field, p.found) for p in caught.value.problems] == [("c", name, "lost.png")]
