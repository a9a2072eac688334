"""`Station`: something that a run passes through, once for each iteration around it.

The nodes of a graph are stations, and two more kinds that no graph shows: the *gate* of an iterator, where its list
arrives, and the *pool* of an edge that leads out of an iteration into a collector, where the items gather.
"""

from collections.abc import Mapping
from typing import Any, Final

from impasto_sdk.node import NodeKind, NodeSpec

__all__ = ["Dims", "Gate", "Pool", "Reading", "Role", "Station", "role_of"]

#: Numbers of the iterators that are open around a station, rising, so that an outer one comes before its inner ones.
Dims = tuple[int, ...]

#: That a station reads another, in its own iteration or in one around it: the base where the other one stands (0: the
#: reader's own frame), its slot there, its output ("": all of it), the reader's input, and the condition under which a
#: branch reads it (None: it is always read). A plain tuple, which the garbage collector need not look into: there is
#: one for each edge of a graph.
Reading = tuple[int, int, str, str, bool | None]


class Role:
    """What a station does. Plain numbers, for the same reason as those of `Status`."""

    #: Runs, outside the scheduler.
    PLAIN: Final = 0
    ITERATE: Final = 1
    COLLECT: Final = 2
    BRANCH: Final = 3
    CALL: Final = 4
    #: Takes an iterator's list, and lets its iterations be opened.
    GATE: Final = 5
    #: Gathers what comes out of the iterations under it, for a collector.
    POOL: Final = 6

    #: Those that no graph shows.
    HIDDEN: Final = frozenset({GATE, POOL})


_ROLES: Mapping[NodeKind, int] = {
    NodeKind.ITERATE: Role.ITERATE,
    NodeKind.COLLECT: Role.COLLECT,
    NodeKind.BRANCH: Role.BRANCH,
    NodeKind.CALL: Role.CALL,
}


def role_of(kind: NodeKind) -> int:
    """The role of a node of this kind."""
    return _ROLES.get(kind, Role.PLAIN)


class Station:
    """A node, a gate or a pool."""

    __slots__ = ("id", "index", "is_intermediate", "reads", "region", "role", "slot", "spec", "use_cache", "values")

    def __init__(
        self,
        index: int,
        role: int,
        id: str,
        spec: NodeSpec,
        region: int,
        slot: int,
        values: Mapping[str, Any],
        is_intermediate: bool = False,
        use_cache: bool = False,
    ) -> None:
        #: Its number. Stations are numbered in topological order; of those that are equally far, in the document's.
        self.index = index
        self.role = role
        #: The id of its node; of a gate: of its iterator; of a pool: of its collector.
        self.id = id
        self.spec = spec
        #: Number of its region, and its place there.
        self.region = region
        self.slot = slot
        #: Written values that say something, those of connected inputs left out.
        self.values = values
        #: What it reads. An iterator reads its gate, which is not among this; what a pool gathers is not either.
        self.reads: tuple[Reading, ...] = ()
        self.is_intermediate = is_intermediate
        self.use_cache = use_cache


class Gate(Station):
    """Where the list of an iterator arrives."""

    __slots__ = ("streams",)

    def __init__(self, index: int, id: str, spec: NodeSpec, region: int, slot: int, values: Mapping[str, Any]) -> None:
        super().__init__(index, Role.GATE, id, spec, region, slot, values)
        #: It takes the items of a generator as they come.
        self.streams = False


class Pool(Station):
    """Where the items of one edge into a collector gather."""

    __slots__ = ("loop", "member", "output")

    def __init__(
        self, index: int, id: str, spec: NodeSpec, region: int, slot: int, *, member: Station, output: str, loop: int
    ) -> None:
        super().__init__(index, Role.POOL, id, spec, region, slot, {})
        #: The station that it gathers from, and that one's output.
        self.member = member
        self.output = output
        #: Which of its frame's loops opens the iterations that it gathers from.
        self.loop = loop
