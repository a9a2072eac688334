"""`RunDocument`: the form of a run that was written down in its middle, key by key.

It says what each key means and checks that a document has this form; what the values are worth is for `document` to
find out, which knows the graph. Raise `RUN_FORMAT` with every change that an older reader would misunderstand.
"""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from impasto.errors import GraphError

__all__ = ["RUN_FORMAT", "FrameDocument", "GraphDocument", "RunDocument", "check_run_document"]

#: The number of the form that is written.
RUN_FORMAT = 1

#: What a pool gathers: the source node, its output, and the collector.
_PoolKey = tuple[str, str, str]


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)


class FrameDocument(_Document):
    """One iteration that is open, or what stands outside all iterations. Nodes are named by their ids in the graph."""

    iterators: list[str] = Field(description="The iterators around it, from the outermost in")
    path: list[int] = Field(description="Which item of each")
    executed: list[str] = Field(description="Nodes that have run here")
    outputs: dict[str, Any] = Field(description="What they gave, as far as it is kept")
    choices: dict[str, bool] = Field(description="Sides that branches have chosen")
    streams: dict[str, list[Any]] = Field(description="Items of generators that have not returned")
    arrived: dict[str, tuple[int, bool]] = Field(description="By iterator: items known, and whether these are all")
    lists: dict[str, list[Any]] = Field(description="By iterator: the list, while it is gone through")
    next: dict[str, int] = Field(description="By iterator: the item that is opened next")
    gathered: list[tuple[_PoolKey, list[tuple[int, Any]]]] = Field(description="Items for collectors, with their place")
    poured: list[tuple[_PoolKey, list[tuple[int, Any]] | None]] = Field(description="The same, once all are there")


class GraphDocument(_Document):
    """One graph under way: the session's own, or one that a call of it runs."""

    turns: dict[str, tuple[str, int]] = Field(description="By lane: the class served last, and how often in a row")
    executed: dict[str, int] = Field(description="By node: executions that have run")
    skipped: dict[str, int] = Field(description="By node: executions that are not needed")
    parked: list[str] = Field(description="Generators that are not to go on yet, by execution id")
    frames: list[FrameDocument] = Field(description="What is open, outer before inner")
    calls: dict[str, "GraphDocument"] = Field(
        description="Graphs of calls that have begun, by the calls' execution ids"
    )


class RunDocument(_Document):
    """A run in its middle."""

    format: Literal[1]
    id: str = Field(description="The session's id")
    graph: dict[str, Any]
    ready_order: list[str]
    class_caps: dict[str, int]
    window: int
    errors: dict[str, str] = Field(description="Messages of nodes that failed, by execution id")
    run: GraphDocument


def check_run_document(document: Mapping[str, Any]) -> None:
    """Raise `GraphError`, naming the first place, when `document` is no run that was written down in this form."""
    try:
        RunDocument.model_validate(document)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        place = ".".join(map(str, problem["loc"])) or "the whole"
        raise GraphError(
            f"the document is no run of form {RUN_FORMAT}: {place}: {problem['msg']}",
            field=place,
            value=problem["input"],
            suggestion="give what `to_document` of the same version gave",
        ) from error
