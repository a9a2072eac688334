"""`Names`: executions by their ids: the id of a node, with the iteration path behind it, ``denoise[3,0]``.

Nothing is kept: an id is read when it is asked for, and the way to its frame is gone through the loops.
"""

import re

from impasto.errors import NodeNotFoundError
from impasto.scheduler.frame import Execution, Frame
from impasto.scheduler.plan import Plan
from impasto.scheduler.station import Station

__all__ = ["Names"]

_PATH = re.compile(r"\[(\d+(?:,\d+)*)\]\Z")


class Names:
    """Finds executions of one run. `prefix` stands before every id; see `NodeKind.CALL`."""

    def __init__(self, plan: Plan, root: Frame, prefix: str) -> None:
        self._plan = plan
        self._root = root
        self._prefix = prefix

    def of(self, frame: Frame, station: Station) -> str:
        """The id of an execution."""
        return f"{self._prefix}{station.id}{frame.label}"

    def find(self, execution_id: str) -> Execution:
        """The execution, if it stands: its iteration has begun, and something in it is not done.

        Raises `NodeNotFoundError`.
        """
        name = execution_id.removeprefix(self._prefix)
        path: tuple[int, ...] = ()
        station = self._plan.nodes.get(name)
        if station is None and (match := _PATH.search(name)):
            station = self._plan.nodes.get(name[: match.start()])
            path = tuple(map(int, match[1].split(",")))
        if station is not None and len(path) == len(self._plan.regions[station.region].dims):
            frame = self.frame(station.region, path)
            if frame is not None:
                return Execution(frame, station.slot)
        raise NodeNotFoundError(
            f"the run has no execution node {execution_id!r}",
            node_id=execution_id,
            value=execution_id,
            suggestion="it exists once the iterations around it have begun, and until they are done",
        )

    def frame(self, region: int, path: tuple[int, ...]) -> Frame | None:
        """The frame of a region at a place, if it is open."""
        way: list[int] = []
        pattern = self._plan.regions[region]
        while pattern.parent is not None:
            way.append(pattern.loop)
            pattern = pattern.parent
        frame: Frame | None = self._root
        for loop, item in zip(reversed(way), path, strict=True):
            frame = frame.loops[loop].frames.get(item) if frame is not None else None
        return frame
