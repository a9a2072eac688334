"""The catalogue of node types as JSON Schema: `/api/v1/nodes`."""

import difflib
from typing import Any

from fastapi import Request, Response
from pydantic import BaseModel, ConfigDict, Field

from impasto.api.parameters import App, NameParameter
from impasto.api.problems import ProblemError, problem, problem_responses
from impasto.api.revalidation import NOT_MODIFIED, Revalidated
from impasto.api.router import Router
from impasto.host import Catalogue
from impasto_sdk.fields import JsonValue

__all__ = ["router"]

router = Router("/api/v1/nodes", "nodes")


class NodePlugin(BaseModel):
    """Where a node type comes from."""

    name: str
    version: str


class NodeType(BaseModel):
    """A node type."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(description="Its name in graphs")
    title: str
    description: str
    category: str
    tags: list[str]
    version: str
    lane: str = Field(description="Where it runs: device, cpu or io")
    kind: str = Field(description="What it is for the scheduler: plain, iterate, collect, branch, call or return")
    classification: str
    use_cache: bool
    yields: bool = Field(description="Whether it gives the items of its list one by one")
    max_batch: int = Field(description="How many of its nodes run as one call at most; 1: each runs by itself")
    input_schema: dict[str, Any] = Field(description="JSON Schema of its inputs, with `x-ui` hints")
    output_type: str
    output_schema: dict[str, Any] = Field(description="JSON Schema of its outputs, with `x-ui` hints")
    plugin: NodePlugin


class NodeCatalogue(BaseModel):
    """Every node type in force."""

    nodes: list[NodeType]


@router.get("/", response_model=NodeCatalogue, responses=NOT_MODIFIED)
def list_node_types(app: App, request: Request) -> Response:
    """Every node type in force, by name. It changes only when the server is started anew."""
    catalogue: Revalidated | None = getattr(request.app.state, "node_catalogue", None)
    if catalogue is None:
        # made when it is first asked for: a start need not wait for some hundred schemas
        nodes = [_document(app.host.catalogue, node_type) for node_type in app.host.catalogue]
        catalogue = request.app.state.node_catalogue = Revalidated.of({"nodes": nodes})
    return catalogue.answer(request)


@router.get("/{node_type}", response_model=NodeType, responses=problem_responses(404))
def get_node_type(app: App, node_type: NameParameter) -> dict[str, JsonValue]:
    """One node type."""
    if node_type not in app.host.catalogue:
        near = difflib.get_close_matches(node_type, app.host.catalogue, n=1)
        hint = f"did you mean {near[0]!r}?" if near else "install the plugin that supplies it"
        raise ProblemError(problem(404, "not-found", f"no node type is called {node_type!r}; {hint}"))
    return _document(app.host.catalogue, node_type)


def _document(catalogue: Catalogue, node_type: str) -> dict[str, JsonValue]:
    plugin = catalogue.plugin_of(node_type)
    return {**catalogue[node_type].to_document(), "plugin": {"name": plugin.name, "version": plugin.version}}
