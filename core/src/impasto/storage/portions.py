"""Many values in portions: a statement takes only so many parameters, and a queue or a gallery may hold more."""

from collections.abc import Collection, Iterator
from itertools import islice
from typing import TypeVar

__all__ = ["PORTION", "portions"]

T = TypeVar("T")

#: Most values that one statement is given; every build of SQLite takes more.
PORTION = 10_000


def portions(values: Collection[T]) -> Iterator[list[T]]:
    """The values in lists of at most `PORTION`, in order; none for no values."""
    waiting = iter(values)
    while portion := list(islice(waiting, PORTION)):
        yield portion
