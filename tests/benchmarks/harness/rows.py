"""Rows of measured values beside their budgets, the table they make, and the `main` of every benchmark."""

import gc
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

__all__ = ["Row", "main_of", "table"]


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
