"""`Histogram`: how often values fell under each of some bounds. Counted by `Metrics`, read by the metrics page."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

__all__ = ["SECONDS", "Histogram", "HistogramReading"]

#: Bounds for times of image work, in seconds: a millisecond (a sum) to ten minutes (a large batch on a CPU).
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)


@dataclass(frozen=True, slots=True)
class HistogramReading:
    """A histogram at one moment."""

    #: How many values were at most as large as each bound, in order of the bounds.
    within: tuple[int, ...]
    #: How many values there were, and what they add up to.
    count: int
    total: float


class Histogram:
    """Counts values under `bounds`, which rise. One thread at a time."""

    def __init__(self, bounds: Sequence[float] = SECONDS) -> None:
        self._bounds = tuple(bounds)
        #: The last one counts what is larger than every bound.
        self._counts = [0] * (len(self._bounds) + 1)
        self._total = 0.0

    def observe(self, value: float) -> None:
        """Count a value. Clocks may be set back, so a negative one counts as zero."""
        value = max(value, 0.0)
        self._counts[bisect_left(self._bounds, value)] += 1
        self._total += value

    def reading(self) -> HistogramReading:
        """The counts as they are now."""
        *within, count = accumulate(self._counts)
        return HistogramReading(tuple(within), count, self._total)
