"""`WorkflowLibrary`: the workflows that people have saved. Decides what is taken in, and tells of every change.

A document is kept as the editor made it, but for its id and its category, which are the library's to say. It is read
whole before it is kept, so that what is in the library can be run. Used by the API, and by whoever runs or calls one.
"""

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches

from impasto.errors import Problem, WorkflowFormatError, WorkflowNotFoundError
from impasto.graph.malformed import malformed
from impasto.graph.workflow import read_workflow
from impasto.storage.creations import Created, CreationKey, fingerprint_of
from impasto.storage.documents import dump_document
from impasto.storage.workflow_dto import (
    WorkflowCategory,
    WorkflowFacts,
    WorkflowOrder,
    WorkflowPage,
    WorkflowQuery,
    WorkflowRecord,
)
from impasto.storage.workflow_records import WorkflowRecords
from impasto_sdk.events import Event, WorkflowCreatedEvent, WorkflowDeletedEvent, WorkflowUpdatedEvent
from impasto_sdk.fields import JsonValue
from impasto_sdk.ids import new_id
from impasto_sdk.node import NodeKind, NodeSpec

__all__ = ["LONGEST_NAME", "MOST_BYTES", "WorkflowLibrary"]

#: Largest workflow that is kept, in bytes of JSON; one of a hundred nodes has about a hundred thousand.
MOST_BYTES = 8 * 2**20
#: Longest name of a workflow, in characters.
LONGEST_NAME = 255
#: Names are compared with a wrong one while there are no more than so many.
MOST_COMPARED = 1000


class WorkflowLibrary:
    """All saved workflows."""

    def __init__(self, records: WorkflowRecords, catalogue: Mapping[str, NodeSpec]) -> None:
        self._records = records
        self._return_types = frozenset(name for name, spec in catalogue.items() if spec.kind is NodeKind.RETURN)

    def create(self, document: Mapping[str, JsonValue], *, user_id: str = "system") -> WorkflowRecord:
        """Save a workflow under a fresh id, whatever id it came with.

        Raises `WorkflowFormatError`, listing everything that is wrong with it; nothing is saved then.
        """
        return self.create_once(document, None, user_id=user_id).thing

    def create_once(
        self, document: Mapping[str, JsonValue], idempotency_key: str | None, *, user_id: str = "system"
    ) -> Created[WorkflowRecord]:
        """`create`, but with a key that created one before, that one is given as it is now and nothing is saved.

        Raises also `IdempotencyKeyError` for a key that was used for another workflow, and `CreationGoneError` when
        the one that it created was deleted since.
        """
        workflow_id, facts = new_id(), self._facts(document)
        key = None
        if idempotency_key is not None:
            key = CreationKey("workflow", idempotency_key, fingerprint_of(dict(document)), user_id)
        kept = _kept(document, workflow_id)
        return self._records.add(workflow_id, facts, kept, user_id=user_id, key=key, tell=_created)

    def update(self, workflow_id: str, document: Mapping[str, JsonValue]) -> WorkflowRecord:
        """Put another document in the place of a saved one.

        Raises `WorkflowFormatError`, also for a document that has the id of another workflow, and
        `WorkflowNotFoundError`.
        """
        facts = self._facts(document)
        own_id = document.get("id")
        if own_id not in (None, "", workflow_id):
            raise WorkflowFormatError([_of_another(own_id, workflow_id)])
        record = self._records.update(workflow_id, facts, _kept(document, workflow_id), tell=_updated)
        return record or self._refuse(workflow_id)

    def delete(self, workflow_id: str) -> None:
        """Forget a workflow. What was enqueued with it runs all the same. Raises `WorkflowNotFoundError`."""
        if self._records.delete(workflow_id, tell=_deleted) is None:
            self._refuse(workflow_id)

    def mark_opened(self, workflow_id: str) -> WorkflowRecord:
        """Note that a workflow is opened in an editor now. Raises `WorkflowNotFoundError`."""
        return self._records.mark_opened(workflow_id) or self._refuse(workflow_id)

    def get(self, workflow_id: str) -> WorkflowRecord:
        """A saved workflow. Raises `WorkflowNotFoundError`, saying which one was probably meant."""
        return self._records.find(workflow_id) or self._refuse(workflow_id)

    def find(self, workflow_id: str) -> WorkflowRecord | None:
        """A saved workflow; None when there is none of that id."""
        return self._records.find(workflow_id)

    def probably_meant(self, workflow_id: str) -> str | None:
        """``did you mean '3f0c', which is called 'Upscale'?``: for an id that no workflow has, or the name of one."""
        return _probably_meant(workflow_id, self._records.names())

    def list(
        self,
        query: WorkflowQuery,
        *,
        page: int = 0,
        per_page: int | None = None,
        order_by: WorkflowOrder = "name",
        descending: bool = False,
    ) -> WorkflowPage:
        """A page of the workflows that match, see `WorkflowRecords.page`."""
        return self._records.page(query, page=page, per_page=per_page, order_by=order_by, descending=descending)

    def tags(self, query: WorkflowQuery) -> Sequence[str]:
        """The tags of the workflows that match, each once, by the alphabet."""
        return self._records.tags(query)

    def count_by_tag(self, query: WorkflowQuery, tags: Sequence[str]) -> dict[str, int]:
        """How many of the workflows that match have each of these tags."""
        return self._records.count_by_tag(query, tags)

    def count_by_category(self, query: WorkflowQuery, categories: Sequence[WorkflowCategory]) -> dict[str, int]:
        """How many of the workflows that match are of each of these categories."""
        return self._records.count_by_category(query, categories)

    def _facts(self, document: Mapping[str, JsonValue]) -> WorkflowFacts:
        """What the library keeps beside a document. Raises `WorkflowFormatError`."""
        problems = list(_problems_of_facts(document))
        try:
            nodes = read_workflow(document).graph["nodes"].values()
        except WorkflowFormatError as error:
            problems.extend(error.problems)
        if problems:
            raise WorkflowFormatError(problems)
        tags = dict.fromkeys(tag for each in (document.get("tags") or "").split(",") if (tag := each.strip()))
        return WorkflowFacts(
            name=document["name"],
            description=document.get("description") or "",
            tags=tuple(tags),
            is_callable=sum(node["type"] in self._return_types for node in nodes) == 1,
        )

    def _refuse(self, workflow_id: str) -> WorkflowRecord:
        listed = "it was deleted, or never saved here; GET /api/v1/workflows/ lists those there are"
        raise WorkflowNotFoundError(workflow_id, self.probably_meant(workflow_id) or listed)


def _created(created: Created[WorkflowRecord]) -> Sequence[Event]:
    record = created.thing
    event = WorkflowCreatedEvent(workflow_id=record.workflow_id, user_id=record.user_id, is_public=record.is_public)
    return [] if created.repeated else [event]


def _updated(record: WorkflowRecord | None) -> Sequence[Event]:
    if record is None:
        return []
    public = record.is_public
    return [
        WorkflowUpdatedEvent(
            workflow_id=record.workflow_id, user_id=record.user_id, old_is_public=public, new_is_public=public
        )
    ]


def _deleted(record: WorkflowRecord | None) -> Sequence[Event]:
    if record is None:
        return []
    return [WorkflowDeletedEvent(workflow_id=record.workflow_id, user_id=record.user_id, is_public=record.is_public)]


def _problems_of_facts(document: Mapping[str, JsonValue]) -> Iterator[Problem]:
    for field in ("description", "tags"):
        if not isinstance(document.get(field), str | None):
            yield malformed(field, document[field], "a text", field=field)
    name = document.get("name")
    if not isinstance(name, str) or not 0 < len(name) <= LONGEST_NAME:
        yield malformed("name", name, f"a text of 1 to {LONGEST_NAME} characters", field="name")
    size = len(dump_document(dict(document)))
    if size > MOST_BYTES:
        suggestion = "move a part of it into a workflow that it calls"
        message = f"the workflow has {size} bytes of JSON, at most {MOST_BYTES} are kept; {suggestion}"
        yield Problem("too_large", message, found=size, expected=MOST_BYTES, suggestion=suggestion)


def _of_another(own_id: JsonValue, workflow_id: str) -> Problem:
    suggestion = "leave its id out, or save it as a new one"
    message = f"the workflow has the id {own_id!r}, and {workflow_id!r} is to be changed; {suggestion}"
    return Problem("id_mismatch", message, field="id", found=own_id, expected=workflow_id, suggestion=suggestion)


def _kept(document: Mapping[str, JsonValue], workflow_id: str) -> dict[str, JsonValue]:
    category: WorkflowCategory = "user"
    return {**document, "id": workflow_id, "meta": {**(document.get("meta") or {}), "category": category}}


def _probably_meant(wanted: str, names: Mapping[str, str]) -> str | None:
    """Which of these workflows (names by id) somebody meant who asked for the id `wanted`."""
    ids = {name.casefold(): workflow_id for workflow_id, name in names.items()}
    found = ids.get(wanted.casefold())
    if found is None and len(names) <= MOST_COMPARED:
        near = get_close_matches(wanted.casefold(), [*ids, *names], n=1)
        found = ids.get(near[0], near[0]) if near else None
    return None if found is None else f"did you mean {found!r}, which is called {names[found]!r}?"
