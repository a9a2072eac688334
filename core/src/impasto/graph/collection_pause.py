"""`collection_pause`: no search for garbage while something large is made of which nothing is garbage yet.

Python looks through all objects there are each time their number has grown by a quarter. A document of a hundred
thousand nodes becomes half a million objects, so reading it would look through them again and again, in vain, for half
of the time that it takes. Used where a document is read, and where a run is planned.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["collection_pause"]


@contextmanager
def collection_pause() -> Iterator[None]:
    """Inside, no cyclic garbage is collected, in any thread; what is counted as unused meanwhile is freed as ever.

    Pauses may stand inside one another and overlap in threads: the first that ends ends them all, which costs some
    time and nothing else.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
