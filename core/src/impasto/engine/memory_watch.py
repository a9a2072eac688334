"""`MemoryWatch`: looks after how much memory a worker's process group takes, and says when it is too much.

A bound on the address space would be the kernel's to keep, and no use: what libraries map for a GPU is many times what
they take. So what is resident is measured, now and then, on a thread of its own.
"""

import os
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from psutil import Process

__all__ = ["MemoryWatch", "resident_bytes"]

#: Seconds between two looks.
_LOOK_S = 0.5


def resident_bytes(group: int) -> int:
    """Memory that the processes of a group take, in bytes. What some of them share counts for each."""
    import psutil  # costs start-up time, and is only needed where there is a limit

    total = 0
    for process in _members(group):
        try:
            total += process.memory_info().rss
        except psutil.Error:  # it has just ended, or is not ours to look at
            continue
    return total


class MemoryWatch:
    """Watches the group of `pid` until `stop`. `on_excess` is called once, with the bytes, when over `limit_bytes`."""

    def __init__(self, pid: int, limit_bytes: int, on_excess: Callable[[int], object]) -> None:
        self._pid = pid
        self._limit_bytes = limit_bytes
        self._on_excess = on_excess
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, name=f"impasto-memory-{pid}", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more; nothing is said after this. Call it before the number of the process may be another's."""
        self._stopped.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join()

    def _watch(self) -> None:
        while not self._stopped.wait(_LOOK_S):
            taken = resident_bytes(self._pid)
            if taken > self._limit_bytes and not self._stopped.is_set():
                self._on_excess(taken)
                return


def _members(group: int) -> Iterator["Process"]:
    import psutil

    for pid in psutil.pids():
        try:
            if os.getpgid(pid) == group:
                yield psutil.Process(pid)
        except (OSError, psutil.Error):  # as above
            continue
