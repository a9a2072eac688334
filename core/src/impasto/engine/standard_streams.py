"""`StandardStreams`: keeps the standard streams of a worker as they are, whatever a node does to them.

A node that closes or redirects them would otherwise fail the prints of whatever is run after it, and the next file that
is opened would become its output. Used by the worker, between runs.
"""

import os
import sys
from contextlib import suppress
from typing import TextIO

__all__ = ["StandardStreams"]


class StandardStreams:
    """The streams as they are now, to go back to. Keeps a descriptor of each of its own."""

    def __init__(self) -> None:
        self._objects = (sys.stdin, sys.stdout, sys.stderr)
        self._kept = [_duplicate(number) for number in range(3)]
        self._facts = [_facts(number) for number in range(3)]

    def restore(self) -> None:
        """Make the streams what they were. What is as it was is not touched."""
        for number, (kept, facts) in enumerate(zip(self._kept, self._facts, strict=True)):
            if kept is not None and _facts(number) != facts:
                with suppress(OSError):  # its copy was closed too, and there is nothing to go back to
                    os.dup2(kept, number)
        names = ("stdin", "stdout", "stderr")
        for number, (name, stream) in enumerate(zip(names, self._objects, strict=True)):
            if getattr(sys, name) is not stream or _is_closed(stream):
                setattr(sys, name, _reopened(number, stream))
        self._objects = (sys.stdin, sys.stdout, sys.stderr)


def _duplicate(number: int) -> int | None:
    try:
        return os.dup(number)  # not inherited by what a node starts
    except OSError:  # the process was started without it
        return None


def _facts(number: int) -> tuple[int, int] | None:
    """Which file it is; None when it is none."""
    try:
        facts = os.fstat(number)
    except OSError:
        return None
    return facts.st_dev, facts.st_ino


def _is_closed(stream: TextIO | None) -> bool:
    return stream is not None and stream.closed


def _reopened(number: int, stream: TextIO | None) -> TextIO | None:
    """The stream if it can be used, else one like it."""
    if stream is None or not stream.closed:
        return stream
    if number == 0:
        return open(number, closefd=False)
    return open(number, "w", buffering=1, errors="backslashreplace", closefd=False)
