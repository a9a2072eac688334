"""What the workflow library says of workflows, and what it is asked for.

Names follow InvokeAI's, and every null is present.
"""

from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from impasto_sdk.fields import JsonValue

__all__ = [
    "WorkflowCategory",
    "WorkflowFacts",
    "WorkflowListItem",
    "WorkflowOrder",
    "WorkflowPage",
    "WorkflowQuery",
    "WorkflowRecord",
]

#: A person's own, or one that came with the server.
WorkflowCategory = Literal["user", "default"]
#: What a list may be ordered by.
WorkflowOrder = Literal["name", "created_at", "updated_at", "opened_at"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowFacts:
    """What the library knows of a workflow beside its document, from which it is read."""

    name: str
    description: str = ""
    #: In the author's order; they hold no commas.
    tags: tuple[str, ...] = ()
    #: Whether it gives something back, so that another graph can call it.
    is_callable: bool = False


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True)

    workflow_id: str
    name: str
    created_at: str
    updated_at: str
    opened_at: str | None = Field(description="When it was last opened in an editor")
    user_id: str
    is_public: bool = Field(description="Whether it is shared; means nothing while there are no users")
    thumbnail_url: str | None = Field(default=None, description="Always null: workflows have no pictures")


class WorkflowRecord(_Entry):
    """A saved workflow."""

    workflow: dict[str, JsonValue] = Field(description="The document, as an editor saved it, with its id")


class WorkflowListItem(_Entry):
    """A saved workflow as it stands in a list, without its document."""

    description: str
    category: WorkflowCategory
    tags: str = Field(description="Separated by commas")
    is_callable: bool = Field(description="Whether another graph can call it")


class WorkflowPage(BaseModel):
    """A page of the library."""

    items: list[WorkflowListItem]
    page: int = Field(description="Its number, from 0")
    pages: int = Field(description="How many there are")
    per_page: int = Field(description="Most workflows on it")
    total: int = Field(description="How many workflows match on all pages")


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowQuery:
    """Which workflows. What is None does not matter."""

    #: One of these.
    categories: tuple[WorkflowCategory, ...] | None = None
    #: With one of these tags at least.
    tags: tuple[str, ...] | None = None
    #: With this text in the name, the description or the tags.
    text: str | None = None
    has_been_opened: bool | None = None
    is_public: bool | None = None
    is_callable: bool | None = None
