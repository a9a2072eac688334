"""Processor time, and how it grows with the size of the work, on a machine that others use as well."""

import gc
import math
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

__all__ = ["cpu_seconds", "exponent", "in_turns"]

KeyT = TypeVar("KeyT")


def cpu_seconds(work: Callable[[], object], *, repeats: int = 5) -> float:
    """CPU seconds of this process that `work` takes: the median, so that a busy neighbour changes little."""
    seconds = []
    for _ in range(repeats):
        begin = time.process_time()
        work()
        seconds.append(time.process_time() - begin)
    return statistics.median(seconds)


def in_turns(
    contestants: Mapping[KeyT, Callable[[], Callable[[], object]]], *, turns: int = 5
) -> dict[KeyT, list[float]]:
    """The CPU seconds of each contestant by turn; each is measured once in every turn.

    A neighbour that is busy for a while, or a processor that slows down, so meets all of them and not one alone. A
    contestant is called outside the clock and gives what is to be timed; what it made for that lives as long as its
    part of the turn. Garbage is collected before each measurement, outside the clock; the collector stays on inside it.
    """
    seconds: dict[KeyT, list[float]] = {key: [] for key in contestants}
    for _ in range(turns):
        for key, prepare in contestants.items():
            work = prepare()
            gc.collect()
            begin = time.process_time()
            work()
            seconds[key].append(time.process_time() - begin)
            del work
    return seconds


def exponent(seconds: Mapping[int, Sequence[float]]) -> float:
    """The power of the size with which the time grows, from the seconds of each size by turn. 1: linear.

    In each turn, the slope of a line through the logarithms; of these the median, so that no two moments that are
    far apart are compared.
    """
    sizes = [math.log(size) for size in seconds]
    turns = zip(*seconds.values(), strict=True)
    return statistics.median(
        statistics.linear_regression(sizes, [math.log(each) for each in turn]).slope for turn in turns
    )
