"""`Frame`: one pass of a run through a region: the executions there are at one place of the iterations.

Frames are opened when their turn comes and dropped when all in them is done, so that a run takes the memory of what is
going on and not of all that ever was. An execution is a frame and a slot.
"""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from impasto.scheduler.region import Region, Route
from impasto.scheduler.station import Gate, Pool

__all__ = ["Execution", "Frame", "Loop", "Status", "gate_of", "members"]


class Status:
    """What has become of an execution. Those from `EXECUTED` on are done with.

    Plain numbers: members of an enumeration take four times as long to look up and compare, ten times for each node.
    """

    WAITING: Final = 0
    READY: Final = 1
    RUNNING: Final = 2
    #: A generator has given an item, and waits to be asked for the next.
    PAUSED: Final = 3
    FAILED: Final = 4
    EXECUTED: Final = 5
    SKIPPED: Final = 6

    #: Their names, by number, for messages.
    NAMES: Final = ("waiting", "ready", "running", "paused", "failed", "executed", "skipped")


class Frame:
    """The executions of a region's stations at one place."""

    __slots__ = (
        "_label",
        "bases",
        "choices",
        "gathered",
        "indegree",
        "loops",
        "loops_of_gates",
        "open",
        "outputs",
        "parent",
        "path",
        "pending",
        "readers",
        "region",
        "sizes",
        "status",
        "streams",
        "waiters",
        "wanted",
    )

    def __init__(self, region: Region, path: tuple[int, ...], parent: "Frame | None") -> None:
        self.region = region
        #: Which item of each iterator, from the outermost in.
        self.path = path
        self.parent = parent
        self._label: str | None = None
        #: By slot: its state; for how many values it still waits; how many may still read what it gives; whether it
        #: is certain that it must run; what it gave, while something may read it.
        self.status = bytearray(len(region.stations))
        self.indegree = region.indegree.copy()
        self.readers = region.readers.copy()
        self.wanted = region.wanted.copy()
        self.outputs: list[Any] = [None] * len(region.stations)
        #: By slot of a branch that has decided: its choice.
        self.choices: dict[int, bool] = {}
        #: By slot of a pool: items by their place.
        self.gathered: dict[int, dict[int, Any]] = {}
        #: By slot of a gate whose list has arrived: how many items it has. By slot of a generator: its items so far.
        self.sizes: dict[int, int] = {}
        self.streams: dict[int, list[Any]] = {}
        #: By slot: executions in other frames that wait for it, with the side of a branch by which they do, and by how
        #: many inputs. Who turns out not to need it is taken out, so that frames that are done with are not kept.
        self.waiters: dict[int, dict[tuple[Frame, int, bool | None], int]] = {}
        #: By slot of a gate: loops that wait for its list, or for more of it.
        self.loops_of_gates: dict[int, list[Loop]] = {}
        #: Frames around it, or beside, that it reads from; base 1 first.
        self.bases = tuple(map(self._follow, region.routes)) if region.routes else ()
        #: Its loops, one for each region with one iterator more.
        self.loops = [Loop(self, child) for child in region.children]
        #: By track: how many of the ways to its region are not at their end.
        self.pending = [1] * len(region.tracks)
        #: Executions, loops and pins that are not done with.
        self.open = region.open

    @property
    def label(self) -> str:
        """What its path adds to the ids of nodes: ``[3,0]``; nothing outside all iterations."""
        if self._label is None:
            self._label = f"[{','.join(map(str, self.path))}]" if self.path else ""
        return self._label

    def base(self, number: int) -> "Frame":
        """The frame that links of this base read from."""
        return self.bases[number - 1] if number else self

    def beside(self) -> Iterator["Frame"]:
        """The frames that it reads from and that are not around it."""
        for frame, route in zip(self.bases, self.region.routes, strict=True):
            if route.down:
                yield frame

    def around(self, levels: int) -> "Frame":
        """The frame so many levels further out."""
        frame = self
        for _ in range(levels):
            assert frame.parent is not None
            frame = frame.parent
        return frame

    def _follow(self, route: Route) -> "Frame":
        frame = self.around(route.up)
        for loop, step in route.down:
            frame = frame.loops[loop].frames[self.path[step]]
        return frame


class Loop:
    """The iterations of one region under a frame, in order."""

    __slots__ = ("available", "begun", "done", "final", "frame", "frames", "gate", "next", "queued", "region")

    def __init__(self, frame: Frame, region: Region) -> None:
        self.frame = frame
        self.region = region
        #: Frames that are open, by item.
        self.frames: dict[int, Frame] = {}
        #: The item that is opened next, and how many are known.
        self.next = self.available = 0
        #: Whether the list has arrived, or begun to; and whether `available` is all of it.
        self.begun = self.final = False
        #: Whether all its iterations have been opened.
        self.done = False
        #: Whether it stands in line to open an iteration.
        self.queued = False
        #: The gate that it goes through.
        self.gate: Execution | None = None


class Execution(NamedTuple):
    """One station at one place."""

    frame: Frame
    slot: int


def members(frame: Frame, pool: Pool) -> list[tuple[Frame, int]]:
    """The executions that a pool gathers, as far as they stand."""
    return [(inner, pool.member.slot) for inner in frame.loops[pool.loop].frames.values()]


def gate_of(frame: Frame) -> tuple[Frame, Gate]:
    """The gate that the innermost iteration of a frame came through."""
    region = frame.region
    assert frame.parent is not None
    assert region.gate is not None
    return frame.parent.base(region.gate_base), region.gate
