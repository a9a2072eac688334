"""`Region`: the stations that stand in the same iterations, as a pattern from which frames are made.

A region is known before anything runs. Each time that its iterations come by, a `Frame` is made from it, with a copy of
the counts below; what leads into the region from outside is looked at then.
"""

from dataclasses import dataclass, field

from impasto.scheduler.station import Dims, Gate, Pool, Station

__all__ = ["Hold", "Region", "Route", "Track"]


@dataclass(frozen=True, slots=True)
class Route:
    """The way from a frame to another one around it: so many levels up, then down again along its own path.

    Only where independent iterators meet does it lead down.
    """

    #: Number of the region that it leads to.
    region: int
    up: int
    #: For each step down: which of the loops there, and which step of the path says the item.
    down: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Hold:
    """Stations that must be kept until no more frames of a region, which reads them, will be opened."""

    #: Loops to go down from the frame where both regions meet to the frames of the stations.
    down: tuple[int, ...]
    #: How often each station is held: by slot.
    slots: dict[int, int] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Track:
    """At a region: whether more frames of a region somewhere under it are to be opened."""

    #: Its track in the region which that loop opens; None when that is the region.
    inner: int | None = None
    #: Its track in the region around; None at the outermost that asks.
    outer: int | None = None
    holds: list[Hold] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Region:
    """A pattern of frames."""

    index: int
    dims: Dims
    #: The region without the last iterator; None for the outermost.
    parent: "Region | None"
    #: Which of its parent's loops opens it.
    loop: int = 0
    #: Regions with one iterator more, in the order of its loops.
    children: list["Region"] = field(default_factory=list)
    #: Of the last iterator: its gate, and the base of the parent region (0: the parent frame itself) where that stands.
    gate: Gate | None = None
    gate_base: int = 0
    #: Ways to the frames that it reads from, from base 1 on.
    routes: list[Route] = field(default_factory=list)
    tracks: list[Track] = field(default_factory=list)
    #: Of a loop, by its number: the tracks that lead through it.
    tracks_of: dict[int, list[int]] = field(default_factory=dict)
    #: Tracks in regions around it that hold its stations too: levels up, the track there, and the hold.
    remote_holds: list[tuple[int, int, Hold]] = field(default_factory=list)

    #: By slot: the station; the slots inside the region that always read it; whether anything reads it at all.
    stations: list[Station] = field(default_factory=list)
    readers_of: list[tuple[int, ...]] = field(default_factory=list)
    is_read: bytearray = field(default_factory=bytearray)
    #: Branches that read a station on a condition: slot of the branch, and the side.
    sides_of: dict[int, list[tuple[int, bool]]] = field(default_factory=dict)
    #: Gates that take the items of a generator in the same region as they come, by the generator's slot.
    streams_of: dict[int, list[int]] = field(default_factory=dict)
    #: What is read from outside: base, slot there, slot of the reader, and the side if it is a branch.
    reads_outside: list[tuple[int, int, int, bool | None]] = field(default_factory=list)
    #: Pools of the parent region that its frames fill, and which of them a station fills.
    pools: list[Pool] = field(default_factory=list)
    pools_of: dict[int, list[Pool]] = field(default_factory=dict)

    # --- what a new frame begins with, by slot
    #: How many values it waits for from inside the region; a pool waits for its loop, too.
    indegree: list[int] = field(default_factory=list)
    #: How many may read it: inside the region, pools, and what holds it for frames that are to come.
    readers: list[int] = field(default_factory=list)
    #: 1 for what is needed for certain.
    wanted: bytearray = field(default_factory=bytearray)
    #: Slots that wait for nothing inside the region.
    begin: list[int] = field(default_factory=list)

    @property
    def open(self) -> int:
        """Stations, loops and pins that must be done with before a frame can go."""
        return len(self.stations) + len(self.children) + len(self.remote_holds)
