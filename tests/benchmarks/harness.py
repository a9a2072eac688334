"""What every benchmark has in common: rows of measured values beside their budgets, and a `main` that prints them.

A benchmark is a file of this folder with a function `rows() -> list[Row]` that ends with::

    if __name__ == "__main__":
        main_of(rows)

``make bench`` runs each file in a process of its own and prints all rows as one table.
"""

import gc
import json
import math
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass

__all__ = ["Row", "cpu_seconds", "exponent", "main_of", "table"]


@dataclass(frozen=True)
class Row:
    """One measured value."""

    #: As the design's table of budgets words it.
    what: str
    measured: float
    unit: str
    #: At most this much; None: no budget, the value is for comparison.
    budget: float | None = None
    #: What a peer needs for the same, in words, with where that is known from.
    peer: str = ""


def main_of(rows: Callable[[], Sequence[Row]]) -> None:
    """Measure and print: a table for people, with ``--json`` a list for `make bench`."""
    gc.freeze()  # as servers and workers do once they are up
    measured = rows()
    if "--json" in sys.argv[1:]:
        print(json.dumps([asdict(row) for row in measured]))
    else:
        print(table(measured))


def table(rows: Sequence[Row]) -> str:
    """The rows as a Markdown table."""
    head = ("what", "measured", "budget", "", "peer")
    cells = [(row.what, amount(row.measured, row.unit), budget(row), verdict(row), row.peer) for row in rows]
    widths = [max(len(line[column]) for line in (head, *cells)) for column in range(len(head))]
    lines = [" | ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)) for line in (head, *cells)]
    return "\n".join(
        [f"| {lines[0]} |", "|" + "|".join("-" * (width + 2) for width in widths) + "|"]
        + [f"| {line} |" for line in lines[1:]]
    )


def cpu_seconds(work: Callable[[], object], *, repeats: int = 5) -> float:
    """CPU seconds of this process that `work` takes: the median, so that a busy neighbour changes little."""
    seconds = []
    for _ in range(repeats):
        begin = time.process_time()
        work()
        seconds.append(time.process_time() - begin)
    return statistics.median(seconds)


def exponent(seconds: Mapping[int, float]) -> float:
    """The power of the size with which the time grows: the slope of a line through the logarithms. 1: linear."""
    slope, _ = statistics.linear_regression([math.log(size) for size in seconds], list(map(math.log, seconds.values())))
    return slope


def amount(value: float, unit: str) -> str:
    """A value with three significant digits and its unit."""
    digits = f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{digits} {unit}".strip()


def budget(row: Row) -> str:
    return "" if row.budget is None else amount(row.budget, row.unit)


def verdict(row: Row) -> str:
    if row.budget is None:
        return ""
    return "kept" if row.measured <= row.budget else "OVER"
