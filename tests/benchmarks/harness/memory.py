"""The most memory that some work holds at once, counted by `tracemalloc`.

It counts what Python's allocators give out, to the byte and the same each time, whatever else the machine does; the
resident memory of a process is neither, for it comes in pages and does not fall. What a C or Rust library takes behind
Python's back is not counted: of the engine that is pydantic's checkers, one set for each node type and none for a node.
Nothing is timed here, for counting makes everything slower.
"""

import gc
import tracemalloc
from collections.abc import Callable

__all__ = ["peak_bytes"]


def peak_bytes(prepare: Callable[[], Callable[[], object]]) -> int:
    """The most bytes that what `prepare` gives holds at once, beyond what was there when it was prepared."""
    work = prepare()
    gc.collect()
    tracemalloc.start()
    try:
        work()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return peak
