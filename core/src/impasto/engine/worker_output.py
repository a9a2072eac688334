"""`WorkerOutput`: what a worker process writes to its standard output and error, on its way to the server's log.

Libraries print, and so may nodes, without end and without a line break. So a line is cut, and of a worker that writes
more than a log can hold it is told how much was left out: neither memory nor disk of the server fills up. The pipe is
read all the same, since a process whose pipe is full stands still.
"""

import logging
import os
import select
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import IO

from impasto.host.mask import Mask

__all__ = ["WorkerOutput"]

logger = logging.getLogger("impasto.worker.output")

#: Last lines that are kept to explain how the process ended.
_TAIL_LINES = 30
#: The longest line, in bytes; a longer one becomes several.
_LINE_BYTES = 4096
#: Most lines of one worker in the log …
_MOST_LINES = 500
#: … in so many seconds.
_PERIOD_S = 5.0
#: How much is read at once, in bytes.
_READ_BYTES = 64 * 2**10


class WorkerOutput:
    """Reads `stream`, a pipe, on a thread of its own, and closes it."""

    def __init__(
        self, worker_id: str, stream: IO[bytes], mask: Mask, *, now: Callable[[], float] = time.monotonic
    ) -> None:
        """`mask`: what is not to be seen of it; `now` is a monotonic clock."""
        self._mask = mask
        self._fields = {"worker_id": worker_id}
        self._stream = stream
        self._now = now
        self._tail: deque[str] = deque(maxlen=_TAIL_LINES)
        #: The begin of a line whose end has not come.
        self._begun = b""
        self._period_ends = 0.0
        self._written = self._left_out = 0
        # closing the second wakes the thread that waits for the first, or for output
        self._bell, self._clapper = os.pipe()
        self._thread = threading.Thread(target=self._read, name=f"impasto-output-{worker_id}", daemon=True)

    @property
    def last_line(self) -> str:
        """The last line that says something; empty when there is none."""
        return next((line for line in reversed(self._tail) if line.strip()), "")

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def finish(self, timeout_s: float) -> None:
        """Read what is left, up to its end, and close the pipe: after `timeout_s` also when something still holds it.

        What a node started and set free may do so for ever. Call it once.
        """
        self._thread.join(timeout_s)
        os.close(self._clapper)
        self._thread.join()

    def _read(self) -> None:
        with self._stream as stream:
            pipe = stream.fileno()
            waiting = select.poll()
            waiting.register(pipe, select.POLLIN)
            waiting.register(self._bell, select.POLLIN)
            while self._bell not in dict(waiting.poll()) and (data := os.read(pipe, _READ_BYTES)):
                self._take(data)
        os.close(self._bell)
        if self._begun:
            self._take(b"\n")
        self._tell_left_out()

    def _take(self, data: bytes) -> None:
        # before a line is cut, perhaps in the middle of a secret
        *lines, self._begun = self._mask.data(self._begun + data).split(b"\n")
        for line in lines:
            for start in range(0, len(line) or 1, _LINE_BYTES):
                self._write(line[start : start + _LINE_BYTES])
        # a secret may have begun at the end of what there is
        while len(self._begun) >= _LINE_BYTES + self._mask.longest_bytes:
            self._write(self._begun[:_LINE_BYTES])
            self._begun = self._begun[_LINE_BYTES:]

    def _write(self, line: bytes) -> None:
        text = self._mask.text(line.decode("utf-8", "replace").rstrip())
        self._tail.append(text)
        now = self._now()
        if now >= self._period_ends:
            self._tell_left_out()
            self._period_ends, self._written = now + _PERIOD_S, 0
        if self._written < _MOST_LINES:
            self._written += 1
            logger.info("%s", text, extra=self._fields)
        else:
            self._left_out += 1

    def _tell_left_out(self) -> None:
        if self._left_out:
            logger.warning("%d more lines are left out", self._left_out, extra=self._fields)
            self._left_out = 0
