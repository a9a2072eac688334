"""The workflow library in the database: what is stored, in which order it is listed, and how it is narrowed."""

from typing import Any

import pytest
from support.event_logs import open_log

from impasto.storage.database import Database
from impasto.storage.workflow_dto import WorkflowFacts, WorkflowOrder, WorkflowQuery, WorkflowRecord
from impasto.storage.workflow_records import WorkflowRecords
from impasto_sdk.events import Event, WorkflowDeletedEvent

ALL = WorkflowQuery()


@pytest.fixture
def records(database: Database) -> WorkflowRecords:
    return WorkflowRecords(database, open_log(database))


def add(records: WorkflowRecords, workflow_id: str, **facts: Any) -> WorkflowRecord:
    category = facts.pop("category", "user")
    known = WorkflowFacts(**{"name": workflow_id, **facts})
    return records.add(workflow_id, known, {"id": workflow_id, "nodes": []}, category=category).thing


def ids(records: WorkflowRecords, query: WorkflowQuery = ALL, **how: Any) -> list[str]:
    return [item.workflow_id for item in records.page(query, **how).items]


def test_a_workflow_is_given_back_as_it_was_stored(records: WorkflowRecords) -> None:
    stored = records.add("w", WorkflowFacts(name="Upscale"), {"nodes": [{"ü": [1.5, None]}]}, user_id="ann").thing

    assert records.find("w") == stored
    assert (stored.workflow_id, stored.name, stored.user_id) == ("w", "Upscale", "ann")
    assert (stored.opened_at, stored.thumbnail_url, stored.is_public) == (None, None, False)
    assert stored.created_at == stored.updated_at
    assert stored.workflow == {"nodes": [{"ü": [1.5, None]}]}


def test_what_is_not_there_is_not_found_changed_or_deleted(records: WorkflowRecords) -> None:
    assert records.find("w") is None
    assert records.update("w", WorkflowFacts(name="x"), {}) is None
    assert records.mark_opened("w") is None
    assert records.delete("w") is None


def test_a_change_replaces_document_and_facts_and_keeps_the_rest(records: WorkflowRecords) -> None:
    before = add(records, "w", tags=("old",))
    opened = records.mark_opened("w")
    after = records.update("w", WorkflowFacts(name="New", tags=("new",)), {"nodes": [1]})

    assert opened is not None
    assert after is not None
    assert (after.name, after.workflow, after.created_at) == ("New", {"nodes": [1]}, before.created_at)
    assert after.updated_at > before.updated_at
    assert after.opened_at == opened.opened_at is not None
    assert records.tags(ALL) == ["new"]


def test_what_is_deleted_is_gone_and_given_back_once_more(records: WorkflowRecords) -> None:
    stored = add(records, "w")

    assert records.delete("w") == stored
    assert records.find("w") is None
    assert ids(records) == []


def test_a_change_is_on_disk_with_the_event_that_tells_of_it_or_not_at_all(database: Database) -> None:
    log = open_log(database)
    records = WorkflowRecords(database, log)

    def fails(_: object) -> list[Event]:
        raise ValueError("no words for it")

    add(records, "w")
    for change in (
        lambda tell: records.update("w", WorkflowFacts(name="v"), {}, tell=tell),
        lambda tell: records.delete("w", tell=tell),
        lambda tell: records.add("x", WorkflowFacts(name="x"), {}, tell=tell),
    ):
        with pytest.raises(ValueError, match="no words"):
            change(fails)
    assert ids(records) == ["w"]
    assert records.names() == {"w": "w"}
    assert log.read(0, 10).events == []

    records.delete("w", tell=lambda record: [WorkflowDeletedEvent(workflow_id=record.workflow_id)])
    assert [one.event.to_document()["workflow_id"] for one in log.read(0, 10).events] == ["w"]


def test_a_list_has_the_facts_and_not_the_documents(records: WorkflowRecords) -> None:
    add(records, "w", description="makes it larger", tags=("sd1.5", "large"), is_callable=True)
    (item,) = records.page(ALL).items

    assert item.model_dump(exclude={"created_at", "updated_at"}) == {
        "workflow_id": "w",
        "name": "w",
        "opened_at": None,
        "user_id": "system",
        "is_public": False,
        "thumbnail_url": None,
        "description": "makes it larger",
        "category": "user",
        "tags": "sd1.5, large",
        "is_callable": True,
    }


@pytest.mark.parametrize(
    ("order_by", "descending", "expected"),
    [
        ("name", False, "abc"),
        ("name", True, "cba"),
        ("created_at", False, "bca"),
        ("updated_at", True, "bac"),
        ("opened_at", False, "cab"),
        ("opened_at", True, "acb"),
    ],
)
def test_a_list_comes_in_the_order_asked_for(
    records: WorkflowRecords, order_by: WorkflowOrder, descending: bool, expected: str
) -> None:
    for workflow_id, name in (("b", "Beta"), ("c", "gamma"), ("a", "alpha")):
        add(records, workflow_id, name=name)
    records.update("b", WorkflowFacts(name="Beta"), {})
    for workflow_id in "ca":
        records.mark_opened(workflow_id)

    assert "".join(ids(records, order_by=order_by, descending=descending)) == expected


def test_pages_are_cut_from_the_list_and_count_the_whole(records: WorkflowRecords) -> None:
    for name in "abcde":
        add(records, name)
    last = records.page(ALL, page=2, per_page=2)

    assert (ids(records, page=0, per_page=2), ids(records, page=1, per_page=2)) == (["a", "b"], ["c", "d"])
    assert [item.workflow_id for item in last.items] == ["e"]
    assert (last.page, last.pages, last.per_page, last.total) == (2, 3, 2, 5)
    assert ids(records, page=7, per_page=2) == []
    whole = records.page(ALL)
    assert (len(whole.items), whole.page, whole.pages, whole.per_page, whole.total) == (5, 0, 1, 5, 5)


@pytest.fixture
def library(records: WorkflowRecords) -> WorkflowRecords:
    add(records, "up", name="Upscale 100%", tags=("sd1.5", "upscaling"), is_callable=True)
    add(records, "text", name="Text to image", description="one_step", tags=("SD1.5", "text to image"))
    add(records, "came", name="Came along", category="default")
    records.mark_opened("came")
    return records


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (WorkflowQuery(categories=("user",)), ["text", "up"]),
        (WorkflowQuery(categories=("user", "default")), ["came", "text", "up"]),
        (WorkflowQuery(categories=()), []),
        (WorkflowQuery(tags=("sd1.5",)), ["text", "up"]),
        (WorkflowQuery(tags=("upscaling", "nothing")), ["up"]),
        (WorkflowQuery(tags=("scaling",)), []),
        (WorkflowQuery(tags=("text",)), []),
        (WorkflowQuery(tags=()), []),
        (WorkflowQuery(text="TEXT"), ["text"]),
        (WorkflowQuery(text="upscal"), ["up"]),
        (WorkflowQuery(text="0%"), ["up"]),
        (WorkflowQuery(text="e_s"), ["text"]),
        (WorkflowQuery(text="%"), ["up"]),
        (WorkflowQuery(text=""), ["came", "text", "up"]),
        (WorkflowQuery(has_been_opened=True), ["came"]),
        (WorkflowQuery(has_been_opened=False), ["text", "up"]),
        (WorkflowQuery(is_callable=True), ["up"]),
        (WorkflowQuery(is_callable=False), ["came", "text"]),
        (WorkflowQuery(is_public=True), []),
        (WorkflowQuery(is_public=False, text="along", categories=("default",)), ["came"]),
    ],
)
def test_a_query_narrows_the_list(library: WorkflowRecords, query: WorkflowQuery, expected: list[str]) -> None:
    assert ids(library, query) == expected
    assert library.page(query).total == len(expected)


def test_tags_are_listed_once_however_they_are_written(library: WorkflowRecords) -> None:
    assert library.tags(ALL) == ["sd1.5", "text to image", "upscaling"]
    assert library.tags(WorkflowQuery(categories=("default",))) == []


def test_workflows_are_counted_by_tag_and_by_category(library: WorkflowRecords) -> None:
    assert library.count_by_tag(ALL, ["sd1.5", "Upscaling", "scaling"]) == {"sd1.5": 2, "Upscaling": 1, "scaling": 0}
    assert library.count_by_tag(WorkflowQuery(text="text"), ["sd1.5"]) == {"sd1.5": 1}
    assert library.count_by_category(ALL) == {"user": 2, "default": 1}
    assert library.count_by_category(WorkflowQuery(has_been_opened=False), ["default"]) == {"default": 0}


def test_names_are_known_by_id(library: WorkflowRecords) -> None:
    assert library.names() == {"up": "Upscale 100%", "text": "Text to image", "came": "Came along"}
