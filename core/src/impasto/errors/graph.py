"""What can be wrong with a graph, a workflow or the inputs of a node. Names are InvokeAI's."""

from collections.abc import Sequence
from dataclasses import dataclass

from impasto.errors.root import CoreError

__all__ = [
    "CyclicalGraphError",
    "DuplicateNodeIdError",
    "GraphError",
    "GraphValidationError",
    "InvalidEdgeError",
    "NodeAlreadyExecutedError",
    "NodeAlreadyInGraphError",
    "NodeFieldNotFoundError",
    "NodeIdMismatchError",
    "NodeInputError",
    "NodeNotFoundError",
    "Problem",
    "WorkflowFormatError",
]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a graph, as data."""

    #: Stable name of the rule, e.g. ``unknown_field``.
    code: str
    #: What was found, what was expected and what to do, in words.
    message: str
    #: The node it concerns; inside a called graph with the call's id in front, as in ``call/denoise``.
    node_id: str | None = None
    #: Its input or output, or the place in the document.
    field: str | None = None
    #: The value that is wrong.
    found: object = None
    expected: object = None
    #: What to do, as far as more can be said than to give what was expected.
    suggestion: str | None = None
    #: The other nodes it concerns, e.g. the nodes of a cycle, in order.
    nodes: tuple[str, ...] = ()


class GraphError(CoreError, ValueError):
    """A graph, or what is being done to it, is wrong."""

    def __init__(
        self,
        message: str,
        *,
        node_id: str | None = None,
        field: str | None = None,
        value: object = None,
        suggestion: str | None = None,
    ) -> None:
        super().__init__(f"{message}; {suggestion}" if suggestion else message)
        self.node_id = node_id
        self.field = field
        self.value = value
        self.suggestion = suggestion

    @classmethod
    def of(cls, problem: Problem) -> "GraphError":
        """The error that says what `problem` says, whose message holds its suggestion already."""
        error = cls(problem.message, node_id=problem.node_id, field=problem.field, value=problem.found)
        error.suggestion = problem.suggestion
        return error


class GraphValidationError(GraphError):
    """A graph cannot run; `problems` lists every reason found, the other attributes are those of the first."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        first = problems[0]
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        super().__init__(first.message + more, node_id=first.node_id, field=first.field, value=first.found)
        self.suggestion = first.suggestion
        self.problems = tuple(problems)


class WorkflowFormatError(GraphValidationError):
    """A document is no workflow that could be kept or run; `problems` lists every place of it that is wrong."""


class DuplicateNodeIdError(GraphError):
    """Two nodes have one id."""


class NodeAlreadyInGraphError(GraphError):
    """The node to be added is in the graph."""


class NodeNotFoundError(GraphError):
    """No node has that id."""


class NodeFieldNotFoundError(GraphError):
    """The node type has no such input or output."""


class NodeIdMismatchError(GraphError):
    """A node is kept under a key that is not its id."""


class InvalidEdgeError(GraphError):
    """An edge cannot be: its ends do not fit, or its input is taken."""


class CyclicalGraphError(GraphError):
    """The graph has a cycle; `cycle` names its nodes, the first again at the end."""

    def __init__(
        self,
        message: str,
        cycle: Sequence[str] = (),
        *,
        field: str | None = None,
        value: object = None,
        suggestion: str | None = None,
    ) -> None:
        super().__init__(message, node_id=cycle[0] if cycle else None, field=field, value=value, suggestion=suggestion)
        self.cycle = tuple(cycle)


class NodeInputError(GraphError):
    """A value does not fit the input it is meant for."""


class NodeAlreadyExecutedError(GraphError):
    """The node was prepared or has run, so it cannot be changed any more."""
