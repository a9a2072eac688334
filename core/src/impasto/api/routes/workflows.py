"""The workflow library: `/api/v1/workflows/…`. Paths and payloads are InvokeAI's, but for pictures and sharing.

Running a workflow is the queue's business: `POST /api/v1/queue/{queue_id}/enqueue_workflow`.
"""

from typing import Annotated, Any, Literal

from fastapi import Depends, Query, Response
from pydantic import Field

from impasto.api.idempotency import IdempotencyKey, tell_repeated
from impasto.api.parameters import App, NameParameter, RequestBody
from impasto.api.problems import problem_responses
from impasto.api.router import Router
from impasto.app.workflows import LONGEST_NAME
from impasto.storage.workflow_dto import WorkflowCategory, WorkflowOrder, WorkflowPage, WorkflowQuery, WorkflowRecord

__all__ = ["router"]

router = Router("/api/v1/workflows", "workflows")

#: Most tags that one request may name, and most workflows of a page.
MOST_TAGS, MOST_WORKFLOWS = 100, 1_000


class WorkflowBody(RequestBody):
    """A workflow."""

    workflow: dict[str, Any] = Field(
        description="The document of an editor, version 3 or 4 of the format",
        json_schema_extra={
            "required": ["name", "nodes"],
            "properties": {
                "name": {"type": "string", "minLength": 1, "maxLength": LONGEST_NAME},
                "description": {"type": ["string", "null"]},
                "tags": {"type": ["string", "null"], "description": "Separated by commas"},
                "nodes": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["id", "type"],
                        "properties": {
                            "id": {"type": "string", "minLength": 1},
                            "type": {"type": "string", "description": "`invocation`, `connector`, `notes` …"},
                            "data": {"description": "Of an invocation: `type` and `inputs`"},
                        },
                    },
                },
                "edges": {"type": ["array", "null"], "items": {"type": "object"}},
                "exposedFields": {"type": ["array", "null"], "items": {"type": "object"}},
                "form": {"type": ["object", "null"]},
                "meta": {"type": ["object", "null"]},
            },
        },
    )


Categories = Annotated[list[WorkflowCategory] | None, Query(description="Any of these categories", max_length=10)]
HasBeenOpened = Annotated[bool | None, Query(description="Whether it was ever opened in an editor")]
IsPublic = Annotated[bool | None, Query(description="Whether it is shared; none is while there are no users")]


async def _query(
    categories: Categories = None, has_been_opened: HasBeenOpened = None, is_public: IsPublic = None
) -> WorkflowQuery:
    # async, so that FastAPI does not hop to a thread for it
    return WorkflowQuery(
        categories=None if categories is None else tuple(categories),
        has_been_opened=has_been_opened,
        is_public=is_public,
    )


async def _whole_query(
    wanted: Annotated[WorkflowQuery, Depends(_query)],
    tags: Annotated[list[str] | None, Query(description="With any of these tags", max_length=MOST_TAGS)] = None,
    query: Annotated[
        str | None, Query(description="A part of its name, its description or its tags", max_length=1000)
    ] = None,
    is_callable: Annotated[
        bool | None, Query(alias="callable", description="Whether another graph can call it")
    ] = None,
) -> WorkflowQuery:
    return WorkflowQuery(
        categories=wanted.categories,
        has_been_opened=wanted.has_been_opened,
        is_public=wanted.is_public,
        tags=None if tags is None else tuple(tags),
        text=query,
        is_callable=is_callable,
    )


Wanted = Annotated[WorkflowQuery, Depends(_query)]


@router.get("/")
def list_workflows(
    app: App,
    wanted: Annotated[WorkflowQuery, Depends(_whole_query)],
    page: Annotated[int, Query(description="Number of the page, from 0", ge=0, le=2**31)] = 0,
    per_page: Annotated[
        int | None, Query(description="Most workflows on the page; null: all", ge=1, le=MOST_WORKFLOWS)
    ] = None,
    order_by: Annotated[WorkflowOrder, Query(description="What they are ordered by")] = "name",
    direction: Annotated[Literal["ASC", "DESC"], Query(description="From the first or from the last")] = "ASC",
) -> WorkflowPage:
    """A page of the library, without the documents."""
    return app.workflows.list(wanted, page=page, per_page=per_page, order_by=order_by, descending=direction == "DESC")


@router.post("/", status_code=201, responses=problem_responses(409))
def create_workflow(
    app: App, response: Response, request: WorkflowBody, idempotency_key: IdempotencyKey = None
) -> WorkflowRecord:
    """Save a workflow under an id of its own. Everything that is malformed is told with its place."""
    created = app.workflows.create_once(request.workflow, idempotency_key)
    tell_repeated(response, repeated=created.repeated)
    return created.thing


@router.get("/tags")
def list_workflow_tags(app: App, wanted: Wanted) -> list[str]:
    """The tags of the workflows that match, each once, by the alphabet."""
    return list(app.workflows.tags(wanted))


@router.get("/counts_by_tag")
def count_workflows_by_tag(
    app: App, wanted: Wanted, tags: Annotated[list[str], Query(description="The tags", max_length=MOST_TAGS)]
) -> dict[str, int]:
    """How many of the workflows that match have each of these tags."""
    return app.workflows.count_by_tag(wanted, tags)


@router.get("/counts_by_category")
def count_workflows_by_category(
    app: App,
    categories: Annotated[list[WorkflowCategory], Query(description="The categories", max_length=10)],
    has_been_opened: HasBeenOpened = None,
    is_public: IsPublic = None,
) -> dict[str, int]:
    """How many of the workflows that match are of each of these categories."""
    query = WorkflowQuery(has_been_opened=has_been_opened, is_public=is_public)
    return app.workflows.count_by_category(query, categories)


@router.get("/i/{workflow_id}", responses=problem_responses(404))
def get_workflow(app: App, workflow_id: NameParameter) -> WorkflowRecord:
    """One workflow with its document."""
    return app.workflows.get(workflow_id)


@router.patch("/i/{workflow_id}", responses=problem_responses(404))
def update_workflow(app: App, workflow_id: NameParameter, request: WorkflowBody) -> WorkflowRecord:
    """Put another document in the place of a workflow's. What is enqueued already keeps the one it was made with."""
    return app.workflows.update(workflow_id, request.workflow)


@router.delete("/i/{workflow_id}", status_code=204, responses=problem_responses(404))
def delete_workflow(app: App, workflow_id: NameParameter) -> None:
    """Forget a workflow. What is enqueued already runs all the same."""
    app.workflows.delete(workflow_id)


@router.put("/i/{workflow_id}/opened_at", responses=problem_responses(404))
def mark_workflow_opened(app: App, workflow_id: NameParameter) -> WorkflowRecord:
    """Note that a workflow is opened in an editor now."""
    return app.workflows.mark_opened(workflow_id)
