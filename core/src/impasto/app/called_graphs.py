"""`CalledGraphs`: gives every call in a graph the graph that it calls, before the graph is checked and stored.

What is put in is a snapshot: a later edit of the workflow changes nothing for a batch that is queued. Workflows that
are called may call others, so deep as `MAX_CALL_DEPTH` allows, and never themselves. Each one is looked up and read
once for a batch, and its snapshot is shared. Called by `Submissions`.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from impasto.app.workflows import WorkflowLibrary
from impasto.errors import GraphValidationError, Problem, WorkflowFormatError
from impasto.graph import EdgeConnection
from impasto.graph.called import MAX_CALL_DEPTH, inside_call
from impasto.graph.control_flow import WORKFLOW_ID
from impasto.graph.workflow import WorkflowGraph, read_workflow
from impasto.storage.documents import dump_document
from impasto.storage.workflow_dto import WorkflowRecord
from impasto_sdk.fields import JsonValue
from impasto_sdk.node import NodeKind, NodeSpec

__all__ = ["CalledGraphs", "ResolvedGraph"]

#: The key of a call's document that holds what it calls.
CALLED = "called"
#: So many workflows that are not there are told with the one that was probably meant: comparing names is dear.
MOST_HINTS = 20


_WRITE = "write the id of a saved workflow into the node"
_TAKE_OUT = "take one of these calls out"
_LIST = "GET /api/v1/workflows/ lists those there are"
#: What each kind of problem would not be.
_EXPECTED = {
    "workflow_not_written": "a written value",
    "missing_input": "the id of a saved workflow",
    "unknown_workflow": "the id of a saved workflow",
    "wrong_snapshot": "the id of the workflow that it carries",
    "recursive_call": "calls that come to an end",
    "calls_too_deep": f"at most {MAX_CALL_DEPTH}",
}


@dataclass(frozen=True, slots=True)
class ResolvedGraph:
    """A graph document whose calls carry what they call."""

    document: dict[str, JsonValue]
    #: How many nodes it has, those of called graphs among them, each as often as it is called.
    nodes: int
    #: How many graphs are called inside one another; 0 when it calls none.
    depth: int
    #: How large what it calls is, in bytes of JSON, each as often as it is called.
    called_bytes: int = 0


class CalledGraphs:
    """Resolves the calls of graphs against the library."""

    def __init__(self, catalogue: Mapping[str, NodeSpec], library: WorkflowLibrary) -> None:
        self._call_types = frozenset(name for name, spec in catalogue.items() if spec.kind is NodeKind.CALL)
        self._library = library

    def resolve(
        self, document: Mapping[str, JsonValue], *, substituted: Collection[EdgeConnection] = ()
    ) -> ResolvedGraph:
        """The graph with a snapshot in each call that has none; what is no graph is left for the check to tell.

        `substituted`: inputs that differ from session to session. Raises `GraphValidationError` with every call that
        cannot be resolved: its workflow is not written into it, is not there or malformed, calls itself over however
        many others, or stands too deep.
        """
        resolution = _Resolution(self._call_types, self._library)
        resolved = resolution.graph(document, {}, substituted)
        if resolution.problems:
            raise GraphValidationError(resolution.problems)
        return resolved


@dataclass(frozen=True, slots=True)
class _Snapshot:
    """What a call calls, in the form of its key `CALLED`."""

    document: JsonValue
    #: As in `ResolvedGraph`; the bytes of this one are among them.
    nodes: int = 0
    depth: int = 0
    called_bytes: int = 0


class _Resolution:
    """The resolution of one graph: what was read already, and what is wrong."""

    def __init__(self, call_types: Collection[str], library: WorkflowLibrary) -> None:
        self.problems: list[Problem] = []
        self._call_types = call_types
        self._library = library
        #: What saved workflows came to, by id; None: it cannot be called, and that was said.
        self._snapshots: dict[str, _Snapshot | None] = {}
        self._hints = MOST_HINTS

    def graph(
        self, document: Mapping[str, JsonValue], chain: Mapping[str, str], substituted: Collection[EdgeConnection] = ()
    ) -> ResolvedGraph:
        """The graph with its calls resolved. `chain`: the workflows that it stands in, names by id, outermost first."""
        nodes = document.get("nodes")
        if not isinstance(nodes, dict):
            return ResolvedGraph(dict(document), 0, 0)
        calls = {
            node_id: node
            for node_id, node in nodes.items()
            if isinstance(node, dict) and isinstance(node.get("type"), str) and node["type"] in self._call_types
        }
        if not calls:
            return ResolvedGraph(dict(document), len(nodes), 0)
        varying = {*substituted, *_connected(document.get("edges"))}
        resolved, count, depth, called_bytes = dict(nodes), len(nodes), 0, 0
        for node_id, node in calls.items():
            if (node_id, WORKFLOW_ID) in varying:
                why = "takes no edge and no batch of values, since it decides what is checked before anything runs"
                self._refuse(node_id, "workflow_not_written", why, _WRITE)
            elif (snapshot := self._snapshot(node_id, node, chain)) is not None:
                resolved[node_id] = {**node, CALLED: snapshot.document}
                count += snapshot.nodes
                depth = max(depth, 1 + snapshot.depth)
                called_bytes += snapshot.called_bytes
        return ResolvedGraph({**document, "nodes": resolved}, count, depth, called_bytes)

    def _snapshot(self, node_id: str, node: Mapping[str, JsonValue], chain: Mapping[str, str]) -> _Snapshot | None:
        """What a call calls; None when it cannot, which is a problem by then."""
        workflow_id, given = node.get(WORKFLOW_ID), node.get(CALLED)
        if given is not None:
            return self._given(node_id, given, workflow_id, chain)
        if not isinstance(workflow_id, str) or not workflow_id:
            shown = "missing" if workflow_id in (None, "") else "not the id of a saved workflow"
            self._refuse(node_id, "missing_input", f"is {shown}", _WRITE, found=workflow_id)
            return None
        if workflow_id not in self._snapshots:
            return self._saved(node_id, workflow_id, chain)
        known = self._snapshots[workflow_id]
        if known is None or not self._may_go_on(node_id, workflow_id, known.document["name"], chain, known.depth):
            return None
        return known

    def _saved(self, node_id: str, workflow_id: str, chain: Mapping[str, str]) -> _Snapshot | None:
        """What a saved workflow comes to, which is read now for the first time."""
        record = self._library.find(workflow_id)
        if record is None:
            self._refuse_unknown(node_id, workflow_id)
            return None
        if not self._may_go_on(node_id, workflow_id, record.name, chain):
            return None
        begin = len(self.problems)
        workflow = self._read(record)
        inner = None if workflow is None else self.graph(workflow.graph, {**chain, workflow_id: record.name})
        if workflow is None or inner is None or len(self.problems) > begin:
            self._put_inside(node_id, begin)
            self._snapshots[workflow_id] = None
            return None
        document = {
            "workflow_id": workflow_id,
            "name": record.name,
            "graph": inner.document,
            "inputs": [place._asdict() for place in workflow.inputs],
        }
        size = len(dump_document(workflow.graph)) + inner.called_bytes
        snapshot = self._snapshots[workflow_id] = _Snapshot(document, inner.nodes, inner.depth, size)
        return snapshot

    def _given(
        self, node_id: str, given: JsonValue, workflow_id: JsonValue, chain: Mapping[str, str]
    ) -> _Snapshot | None:
        """A snapshot that the call brought along: it stays, and calls in it are resolved."""
        graph, own_id = (given.get("graph"), given.get("workflow_id")) if isinstance(given, dict) else (None, None)
        if not isinstance(graph, dict) or not isinstance(own_id, str):
            return _Snapshot(given)  # for the check to tell
        name = str(given.get("name") or own_id)
        if workflow_id and workflow_id != own_id:
            problem = f"is {workflow_id!r}, but the node carries the graph of {own_id!r}"
            self._refuse(node_id, "wrong_snapshot", problem, f"leave out {CALLED!r}", found=workflow_id)
            return None
        if not self._may_go_on(node_id, own_id, name, chain):
            return None
        begin = len(self.problems)
        inner = self.graph(graph, {**chain, own_id: name})
        self._put_inside(node_id, begin)
        # what came along was part of a request, and is as large as that may be
        return _Snapshot({**given, "graph": inner.document}, inner.nodes, inner.depth, inner.called_bytes)

    def _read(self, record: WorkflowRecord) -> WorkflowGraph | None:
        try:
            return read_workflow(record.workflow)
        except WorkflowFormatError as error:
            self.problems.extend(error.problems)
            return None

    def _may_go_on(self, node_id: str, workflow_id: str, name: str, chain: Mapping[str, str], depth: int = 0) -> bool:
        """Whether a workflow that calls so deep itself may be called at the end of the chain; if not, that is told."""
        if workflow_id in chain:
            ids = list(chain)
            circle = [*[chain[each] for each in ids[ids.index(workflow_id) :]], name]
            problem = f"leads in a circle, and a workflow cannot call itself: {_told(circle)}"
            self._refuse(node_id, "recursive_call", problem, _TAKE_OUT, found=workflow_id)
        elif len(chain) + 1 + depth > MAX_CALL_DEPTH:
            way = _told([*chain.values(), name])
            problem = f"goes too deep, at most {MAX_CALL_DEPTH} workflows may be called inside one another: {way}"
            self._refuse(node_id, "calls_too_deep", problem, _TAKE_OUT, found=len(chain) + 1 + depth)
        else:
            return True
        return False

    def _refuse_unknown(self, node_id: str, workflow_id: str) -> None:
        meant = self._library.probably_meant(workflow_id) if self._hints > 0 else None
        self._hints -= 1
        problem = f"is {workflow_id!r}, and there is no such workflow"
        self._refuse(node_id, "unknown_workflow", problem, meant or _LIST, found=workflow_id)

    def _refuse(self, node_id: str, code: str, problem: str, suggestion: str, *, found: JsonValue = None) -> None:
        self.problems.append(
            Problem(
                code,
                f"{node_id}.{WORKFLOW_ID} {problem}; {suggestion}",
                node_id=node_id,
                field=WORKFLOW_ID,
                found=found,
                expected=_EXPECTED[code],
                suggestion=suggestion,
            )
        )

    def _put_inside(self, node_id: str, begin: int) -> None:
        """Tell the problems since `begin` as those of the graph that a node calls."""
        self.problems[begin:] = [inside_call(node_id, problem) for problem in self.problems[begin:]]


def _connected(edges: JsonValue) -> Iterator[EdgeConnection]:
    """The inputs that edges lead into, as far as the edges have the form of one."""
    for edge in edges if isinstance(edges, list) else ():
        end = edge.get("destination") if isinstance(edge, dict) else None
        if isinstance(end, dict) and isinstance(end.get("node_id"), str) and isinstance(end.get("field"), str):
            yield EdgeConnection(end["node_id"], end["field"])


def _told(names: list[str]) -> str:
    """``'A' calls 'B' calls 'A'``."""
    return " calls ".join(map(repr, names))
