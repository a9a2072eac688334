"""`ExecutionNode`: one execution of one node of a graph, as the scheduler hands it to whoever runs it.

A named tuple, because one is made for every execution, and a frozen dataclass takes three times as long to make.
"""

from typing import NamedTuple

from impasto_sdk.node import NodeKind, NodeSpec

__all__ = ["ExecutionNode"]


#: What runs outside the scheduler.
_PLAIN, _RETURN = NodeKind.PLAIN, NodeKind.RETURN


class ExecutionNode(NamedTuple):
    """A node of the execution graph: a node of the graph at one place of the iterations around it."""

    #: The source id and the iteration path, e.g. ``denoise[3,0]``; the source id alone outside all iterations.
    id: str
    #: Id of the node in the graph.
    source_id: str
    #: Which item of each open iterator, from the outermost in, each from 0.
    path: tuple[int, ...]
    spec: NodeSpec
    #: Whether what it saves is kept out of the gallery.
    is_intermediate: bool
    #: Whether its result may come from the invocation cache: as the graph says, else as its type says.
    use_cache: bool
    #: Whether it was handed out before and goes on: a generator that is to give its next item, or a call whose graph is
    #: done.
    resumed: bool = False
    #: Of a generator that begins: how many of its first items are known already and are to be left out.
    emitted: int = 0

    @property
    def is_control(self) -> bool:
        """Whether the scheduler works out its output itself: call `evaluate` instead of running it."""
        kind = self.spec.kind
        return kind is not _PLAIN and kind is not _RETURN
