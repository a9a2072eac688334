"""`Regions`: the regions of a plan while it is being made, and how they see one another."""

from impasto.scheduler.region import Hold, Region, Route, Track
from impasto.scheduler.station import Dims, Gate

__all__ = ["Regions"]


class Regions:
    """Finds and makes regions, and joins what leads from one into another."""

    def __init__(self) -> None:
        #: All of them; the first is outside all iterations.
        self.all: list[Region] = [Region(0, (), None)]
        self._by_dims: dict[Dims, Region] = {(): self.all[0]}
        #: The gate of each iterator, by the iterator's number.
        self.gates: dict[int, Gate] = {}
        #: Numbers of bases, by the regions that look and are looked at.
        self._bases: dict[tuple[int, int], int] = {}
        self._holds: dict[tuple[int, int], Hold] = {}
        #: Numbers of tracks, by the regions where they begin and end.
        self._tracks: dict[tuple[int, int], int] = {}

    def of(self, dims: Dims) -> Region:
        """The region under these iterators, whose gates must be known."""
        found = self._by_dims.get(dims)
        if found is not None:
            return found
        parent = self.of(dims[:-1])
        region = Region(len(self.all), dims, parent, loop=len(parent.children))
        self.all.append(region)
        self._by_dims[dims] = region
        parent.children.append(region)
        region.gate = self.gates[dims[-1]]
        if region.gate.region != parent.index:
            region.gate_base = self.base(parent, self.all[region.gate.region])
        return region

    def join(self, source: Region, from_slot: int, target: Region, slot: int, side: bool | None) -> int:
        """Let a station be read from another region, which has more iterators; gives the base."""
        base = self.base(target, source)
        target.reads_outside.append((base, from_slot, slot, side))
        hold = self._hold(source, target)
        hold.slots[from_slot] = hold.slots.get(from_slot, 0) + 1
        source.is_read[from_slot] = 1
        source.readers[from_slot] += 1  # for the hold; each reader counts for itself when its frame is made
        return base

    def base(self, region: Region, seen: Region) -> int:
        """The number of the base of `region` where frames of `seen` are found."""
        key = (region.index, seen.index)
        found = self._bases.get(key)
        if found is None:
            meeting = _shared(region.dims, seen.dims)
            down = tuple(
                (self._by_dims[seen.dims[: depth + 1]].loop, region.dims.index(seen.dims[depth]))
                for depth in range(meeting, len(seen.dims))
            )
            region.routes.append(Route(seen.index, len(region.dims) - meeting, down))
            found = self._bases[key] = len(region.routes)
            if down:
                self._hold(seen, region)  # its frames stay for as long as they may be looked for
        return found

    def _hold(self, source: Region, reader: Region) -> Hold:
        """How stations of `source` are held for frames of `reader`."""
        key = (source.index, reader.index)
        found = self._holds.get(key)
        if found is None:
            meeting = _shared(source.dims, reader.dims)
            place = self._by_dims[source.dims[:meeting]]
            down = tuple(self._by_dims[source.dims[: depth + 1]].loop for depth in range(meeting, len(source.dims)))
            found = self._holds[key] = Hold(down)
            track = self._track(place, reader)
            place.tracks[track].holds.append(found)
            if down:
                source.remote_holds.append((len(down), track, found))
        return found

    def _track(self, place: Region, region: Region) -> int:
        """The number of the track at `place` that leads to `region`."""
        key = (place.index, region.index)
        found = self._tracks.get(key)
        if found is None:
            found = self._tracks[key] = len(place.tracks)
            onward = self._by_dims[region.dims[: len(place.dims) + 1]]
            track = Track()
            place.tracks.append(track)
            place.tracks_of.setdefault(onward.loop, []).append(found)
            if onward is not region:
                track.inner = self._track(onward, region)
                onward.tracks[track.inner].outer = found
        return found


def _shared(one: Dims, other: Dims) -> int:
    """How many iterators two lists begin with in common."""
    count = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        count += 1
    return count
