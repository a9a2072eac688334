"""`WorkflowRecords`: the workflow library in the database. Each method is one transaction.

Pages go by number: a library is what people have made by hand. Called by `impasto.app.workflows` only, which knows what
a workflow is; `tell` says, in the transaction, which events what was written amounts to.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, get_args

from sqlalchemy import ColumnElement, Connection, Row, bindparam, delete, false, func, insert, or_, select, update

from impasto.storage.creations import Created, CreationKey, created_before, remember
from impasto.storage.database import Database
from impasto.storage.documents import dump_document, load_document
from impasto.storage.event_log import EventLog, tell_nothing
from impasto.storage.tables import SYSTEM_USER, workflow_library
from impasto.storage.timestamps import timestamp
from impasto.storage.workflow_dto import (
    WorkflowCategory,
    WorkflowFacts,
    WorkflowListItem,
    WorkflowOrder,
    WorkflowPage,
    WorkflowQuery,
    WorkflowRecord,
)
from impasto_sdk.events import Event
from impasto_sdk.fields import JsonValue

__all__ = ["WorkflowRecords"]

_BY_ID = workflow_library.c.workflow_id == bindparam("id")
_LISTED = [column for column in workflow_library.c if column.name != "document"]

ADD_WORKFLOW = insert(workflow_library)
FIND_WORKFLOW = select(workflow_library).where(_BY_ID)
FIND_NAMES = select(workflow_library.c.workflow_id, workflow_library.c.name)
UPDATE_WORKFLOW = update(workflow_library).where(_BY_ID)
DELETE_WORKFLOW = delete(workflow_library).where(_BY_ID)
COUNT_WORKFLOWS = select(func.count()).select_from(workflow_library)


class WorkflowRecords:
    """Saved workflows, one row each."""

    def __init__(self, database: Database, log: EventLog) -> None:
        self._database = database
        self._log = log

    def add(
        self,
        workflow_id: str,
        facts: WorkflowFacts,
        document: JsonValue,
        *,
        category: WorkflowCategory = "user",
        user_id: str = SYSTEM_USER,
        key: CreationKey | None = None,
        tell: Callable[[Created[WorkflowRecord]], Sequence[Event]] = tell_nothing,
    ) -> Created[WorkflowRecord]:
        """Store a workflow under an id that no other has; with a `key` that stored one before, that one is given.

        Raises `IdempotencyKeyError` for a key that was used for another workflow, and `CreationGoneError` when the
        one that it stored was deleted since.
        """

        def work(connection: Connection) -> Created[WorkflowRecord]:
            earlier = created_before(connection, key, _find)
            if earlier is not None:
                return earlier
            moment = timestamp()
            own = {"workflow_id": workflow_id, "user_id": user_id, "category": category, "is_public": False}
            times = {"created_at": moment, "updated_at": moment}
            connection.execute(ADD_WORKFLOW, {**own, **times, **_columns(facts, document)})
            remember(connection, key, workflow_id)
            return Created(_record(_row(connection, workflow_id)), repeated=False)

        return self._log.write(work, tell)

    def update(
        self,
        workflow_id: str,
        facts: WorkflowFacts,
        document: JsonValue,
        *,
        tell: Callable[[WorkflowRecord | None], Sequence[Event]] = tell_nothing,
    ) -> WorkflowRecord | None:
        """Put another document in the place of a workflow's; None when there is no such workflow."""

        def work(connection: Connection) -> WorkflowRecord | None:
            changes = {**_columns(facts, document), "updated_at": timestamp()}
            changed = connection.execute(UPDATE_WORKFLOW.values(**changes), {"id": workflow_id}).rowcount
            return _record(_row(connection, workflow_id)) if changed else None

        return self._log.write(work, tell)

    def mark_opened(self, workflow_id: str) -> WorkflowRecord | None:
        """Note that a workflow is opened now; None when there is none of that id."""

        def work(connection: Connection) -> WorkflowRecord | None:
            changed = connection.execute(UPDATE_WORKFLOW.values(opened_at=timestamp()), {"id": workflow_id}).rowcount
            return _record(_row(connection, workflow_id)) if changed else None

        return self._database.write(work)

    def delete(
        self, workflow_id: str, *, tell: Callable[[WorkflowRecord | None], Sequence[Event]] = tell_nothing
    ) -> WorkflowRecord | None:
        """Remove a workflow; what it was, None when there was none of that id."""

        def work(connection: Connection) -> WorkflowRecord | None:
            record = _find(connection, workflow_id)
            connection.execute(DELETE_WORKFLOW, {"id": workflow_id})
            return record

        return self._log.write(work, tell)

    def find(self, workflow_id: str) -> WorkflowRecord | None:
        """The workflow of an id."""
        with self._database.read() as connection:
            return _find(connection, workflow_id)

    def names(self) -> dict[str, str]:
        """The names of all workflows by id."""
        with self._database.read() as connection:
            return {row.workflow_id: row.name for row in connection.execute(FIND_NAMES)}

    def page(
        self,
        query: WorkflowQuery,
        *,
        page: int = 0,
        per_page: int | None = None,
        order_by: WorkflowOrder = "name",
        descending: bool = False,
    ) -> WorkflowPage:
        """A page of those that match, the first one being 0; all of them without `per_page`.

        Names are ordered as if all letters were small; workflows that were never opened come last by `opened_at`.
        """
        conditions = list(_conditions(query))
        statement = select(*_LISTED).where(*conditions).order_by(*_order(order_by, descending=descending))
        if per_page is not None:
            statement = statement.limit(per_page).offset(page * per_page)
        with self._database.read() as connection:
            total = connection.execute(COUNT_WORKFLOWS.where(*conditions)).scalar_one()
            items = [_list_item(row) for row in connection.execute(statement)]
        pages = 1 if per_page is None else -(-total // per_page)
        return WorkflowPage(items=items, page=page, pages=pages, per_page=per_page or total, total=total)

    def tags(self, query: WorkflowQuery) -> list[str]:
        """The tags of those that match, each once however its letters are written, by the alphabet."""
        statement = select(workflow_library.c.tags).where(*_conditions(query)).order_by(workflow_library.c.created_at)
        with self._database.read() as connection:
            found = [tag for (tags,) in connection.execute(statement) for tag in _split(tags)]
        return sorted({tag.lower(): tag for tag in reversed(found)}.values(), key=str.lower)

    def count_by_tag(self, query: WorkflowQuery, tags: Sequence[str]) -> dict[str, int]:
        """How many of those that match have each of these tags."""
        conditions = list(_conditions(query))
        with self._database.read() as connection:
            return {
                tag: connection.execute(COUNT_WORKFLOWS.where(*conditions, _has_tag(tag))).scalar_one() for tag in tags
            }

    def count_by_category(
        self, query: WorkflowQuery, categories: Sequence[WorkflowCategory] = get_args(WorkflowCategory)
    ) -> dict[str, int]:
        """How many of those that match are of each of these categories."""
        column = workflow_library.c.category
        statement = select(column, func.count()).where(*_conditions(query)).group_by(column)
        with self._database.read() as connection:
            found = {category: count for category, count in connection.execute(statement)}  # noqa: C416 - rows
        return {category: found.get(category, 0) for category in categories}


def _row(connection: Connection, workflow_id: str) -> Row[Any]:
    return connection.execute(FIND_WORKFLOW, {"id": workflow_id}).one()


def _find(connection: Connection, workflow_id: str) -> WorkflowRecord | None:
    row = connection.execute(FIND_WORKFLOW, {"id": workflow_id}).one_or_none()
    return None if row is None else _record(row)


def _conditions(query: WorkflowQuery) -> Iterator[ColumnElement[bool]]:
    columns = workflow_library.c
    if query.categories is not None:
        yield columns.category.in_(query.categories)
    if query.tags is not None:
        yield or_(false(), *map(_has_tag, query.tags))
    if query.text:
        texts = (columns.name, columns.description, columns.tags)
        yield or_(*(column.icontains(query.text, autoescape=True) for column in texts))
    if query.has_been_opened is not None:
        yield columns.opened_at.is_not(None) if query.has_been_opened else columns.opened_at.is_(None)
    for column, wanted in ((columns.is_public, query.is_public), (columns.is_callable, query.is_callable)):
        if wanted is not None:
            yield column.is_(wanted)


def _has_tag(tag: str) -> ColumnElement[bool]:
    return workflow_library.c.tags.icontains(f",{tag.strip()},", autoescape=True)


def _order(order_by: WorkflowOrder, *, descending: bool) -> list[ColumnElement[Any]]:
    column: ColumnElement[Any] = workflow_library.c[order_by]
    by = func.lower(column) if order_by == "name" else column
    tie = workflow_library.c.workflow_id
    return [by.desc().nulls_last(), tie.desc()] if descending else [by.asc().nulls_last(), tie.asc()]


def _columns(facts: WorkflowFacts, document: JsonValue) -> dict[str, object]:
    return {
        "name": facts.name,
        "description": facts.description,
        "tags": f",{','.join(facts.tags)}," if facts.tags else "",
        "is_callable": facts.is_callable,
        "document": dump_document(document),
    }


def _split(tags: str) -> list[str]:
    return [tag for tag in tags.split(",") if tag]


def _shared(row: Row[Any]) -> dict[str, Any]:
    names = ("workflow_id", "name", "created_at", "updated_at", "opened_at", "user_id", "is_public")
    return {name: getattr(row, name) for name in names}


def _record(row: Row[Any]) -> WorkflowRecord:
    return WorkflowRecord(**_shared(row), workflow=load_document(row.document))


def _list_item(row: Row[Any]) -> WorkflowListItem:
    own = {name: getattr(row, name) for name in ("description", "category", "is_callable")}
    return WorkflowListItem(**_shared(row), **own, tags=", ".join(_split(row.tags)))
