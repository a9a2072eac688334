"""`WorkflowLibrary`: what is taken in, what is refused in which words, and who is told."""

from collections.abc import Sequence
from typing import Any

import pytest
from support.workflows import edge, invocation, workflow

from impasto.app import workflows as library_module
from impasto.app.workflows import WorkflowLibrary
from impasto.errors import WorkflowFormatError, WorkflowNotFoundError
from impasto.storage.event_log import EventLog, LoggedEvent
from impasto.storage.workflow_dto import WorkflowQuery
from impasto_sdk.events import WorkflowCreatedEvent, WorkflowDeletedEvent, WorkflowUpdatedEvent

ALL = WorkflowQuery()


def problems_of(call: Any, *arguments: object) -> list[tuple[str, str | None]]:
    with pytest.raises(WorkflowFormatError) as caught:
        call(*arguments)
    return [(problem.code, problem.field) for problem in caught.value.problems]


def test_a_workflow_is_kept_as_it_was_made_under_an_id_of_the_librarys(workflows: WorkflowLibrary) -> None:
    document = workflow([invocation("a", "whatever")], id="theirs", form=None, mine={"x": 1})
    document["meta"] = {"category": "default", "version": "3.0.0", "more": True}
    saved = workflows.create(document, user_id="ann")

    assert saved.workflow_id != "theirs"
    assert (saved.name, saved.user_id) == ("A workflow", "ann")
    meta = {"category": "user", "version": "3.0.0", "more": True}
    assert saved.workflow == {**document, "id": saved.workflow_id, "meta": meta}
    assert workflows.get(saved.workflow_id) == workflows.find(saved.workflow_id) == saved


def test_what_a_list_shows_is_read_from_the_document(workflows: WorkflowLibrary) -> None:
    workflows.create(workflow([], name="N", description="D", tags=" sd1.5,, upscaling ,sd1.5"))
    (item,) = workflows.list(ALL).items

    assert (item.name, item.description, item.tags, item.category) == ("N", "D", "sd1.5, upscaling", "user")


@pytest.mark.parametrize(("returns", "callable_"), [(0, False), (1, True), (2, False)])
def test_a_workflow_with_one_return_can_be_called(workflows: WorkflowLibrary, returns: int, callable_: bool) -> None:
    workflows.create(workflow([invocation(f"r{place}", "toy_return") for place in range(returns)]))

    assert [item.is_callable for item in workflows.list(ALL).items] == [callable_]


def test_what_is_only_a_name_and_nodes_is_a_workflow(workflows: WorkflowLibrary) -> None:
    saved = workflows.create({"name": "bare", "nodes": []})

    assert saved.workflow == {"name": "bare", "nodes": [], "id": saved.workflow_id, "meta": {"category": "user"}}


def test_everything_that_is_wrong_with_a_workflow_is_told_and_nothing_is_saved(workflows: WorkflowLibrary) -> None:
    document = workflow([None], [edge("a.b", "c.d")], name=" " * 256, description=5, tags=["sd"])
    found = problems_of(workflows.create, document)

    assert found == [
        ("malformed", "description"),
        ("malformed", "tags"),
        ("malformed", "name"),
        ("malformed", None),
        ("unknown_node", "edges[0].source"),
        ("unknown_node", "edges[0].target"),
    ]
    assert workflows.list(ALL).total == 0


@pytest.mark.parametrize("name", ["", None, 7])
def test_a_workflow_must_have_a_name(workflows: WorkflowLibrary, name: object) -> None:
    assert problems_of(workflows.create, {"nodes": [], "name": name}) == [("malformed", "name")]


def test_a_workflow_that_is_too_large_is_refused(workflows: WorkflowLibrary, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library_module, "MOST_BYTES", 1000)
    workflows.create(workflow([], notes="x" * 500))

    assert problems_of(workflows.create, workflow([], notes="x" * 1000)) == [("too_large", None)]


def test_a_change_replaces_the_document(workflows: WorkflowLibrary) -> None:
    saved = workflows.create(workflow([]))
    workflows.mark_opened(saved.workflow_id)
    changed = workflows.update(saved.workflow_id, {**saved.workflow, "name": "Better", "id": saved.workflow_id})

    assert (changed.name, changed.workflow_id) == ("Better", saved.workflow_id)
    assert workflows.get(saved.workflow_id) == changed
    assert changed.opened_at is not None


def test_a_change_with_the_id_of_another_workflow_is_refused(workflows: WorkflowLibrary) -> None:
    one, other = workflows.create(workflow([], name="one")), workflows.create(workflow([], name="other"))

    assert problems_of(workflows.update, one.workflow_id, other.workflow) == [("id_mismatch", "id")]
    assert workflows.get(one.workflow_id) == one


def test_what_is_not_there_is_told_with_what_was_probably_meant(workflows: WorkflowLibrary) -> None:
    saved = workflows.create(workflow([], name="Upscale an image"))
    for wanted in ("upscale an image", "Upscale image", saved.workflow_id[:-1]):
        for ask in (workflows.get, workflows.delete, workflows.mark_opened):
            with pytest.raises(WorkflowNotFoundError, match=f"did you mean '{saved.workflow_id}'") as caught:
                ask(wanted)
            assert caught.value.name == wanted
    with pytest.raises(WorkflowNotFoundError, match="lists those there are"):
        workflows.update("nothing like it", workflow([]))


def test_a_deleted_workflow_is_gone(workflows: WorkflowLibrary) -> None:
    saved = workflows.create(workflow([]))
    workflows.delete(saved.workflow_id)

    assert workflows.find(saved.workflow_id) is None


def test_every_change_is_told_after_the_commit_and_nothing_else_is(workflows: WorkflowLibrary, log: EventLog) -> None:
    events: list[tuple[Any, bool]] = []

    def take(logged: Sequence[LoggedEvent]) -> None:
        events.extend((one.event, workflows.find(one.event.workflow_id) is not None) for one in logged)  # type: ignore[attr-defined]

    log.listen(take)
    saved = workflows.create(workflow([]), user_id="ann")
    workflows.update(saved.workflow_id, saved.workflow)
    workflows.mark_opened(saved.workflow_id)
    workflows.delete(saved.workflow_id)
    with pytest.raises(WorkflowNotFoundError):
        workflows.delete(saved.workflow_id)
    with pytest.raises(WorkflowNotFoundError):
        workflows.update(saved.workflow_id, saved.workflow)

    assert [(type(event), there) for event, there in events] == [
        (WorkflowCreatedEvent, True),
        (WorkflowUpdatedEvent, True),
        (WorkflowDeletedEvent, False),
    ]
    documents = [event.to_document() for event, _ in events]
    assert all((each["workflow_id"], each["user_id"]) == (saved.workflow_id, "ann") for each in documents)
    assert documents[0]["is_public"] is documents[1]["new_is_public"] is documents[2]["is_public"] is False


def test_a_repeated_creation_gives_the_workflow_as_it_is_now_and_is_not_told(
    workflows: WorkflowLibrary, log: EventLog
) -> None:
    told: list[LoggedEvent] = []
    first = workflows.create_once(workflow([]), "k", user_id="ann")
    changed = workflows.update(first.thing.workflow_id, {**first.thing.workflow, "name": "Better"})
    log.listen(told.extend)

    again = workflows.create_once(workflow([]), "k", user_id="ann")

    assert (first.repeated, again.repeated) == (False, True)
    assert again.thing == changed
    assert told == []
    assert not workflows.create_once(workflow([]), "k", user_id="bob").repeated


@pytest.mark.parametrize("field", ["description", "tags"])
@pytest.mark.parametrize("found", [0, False, [], {}])
def test_what_is_no_text_is_not_taken_for_an_empty_one(workflows: WorkflowLibrary, field: str, found: object) -> None:
    assert problems_of(workflows.create, workflow([], **{field: found})) == [("malformed", field)]
