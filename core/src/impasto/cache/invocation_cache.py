"""`InvocationCache`: outputs of executions by their key, as many as fit a number of bytes.

When it is full, what was used longest ago goes. Shared by the threads of a worker. An output is kept as it is and given
to all who ask: read it, do not change it.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

from impasto_sdk.fields import BaseInvocationOutput

__all__ = ["CacheStats", "InvocationCache"]

#: What an entry costs beside its JSON: the key, the object, their places.
_OVERHEAD_BYTES = 512


@dataclass(frozen=True, slots=True)
class CacheStats:
    """How a cache is doing."""

    hits: int
    misses: int
    entries: int
    #: What the entries take, estimated from their JSON.
    bytes: int
    max_bytes: int
    enabled: bool


class InvocationCache:
    """A thread-safe LRU cache of invocation outputs."""

    def __init__(self, max_bytes: int) -> None:
        """`max_bytes`: most that the entries may take together; 0: nothing is ever kept."""
        self._max_bytes = max_bytes
        self._enabled = max_bytes > 0
        self._entries: OrderedDict[str, tuple[BaseInvocationOutput, int]] = OrderedDict()
        self._bytes = 0
        self._hits = 0
        self._misses = 0
        self._lock = Lock()

    def get(
        self, key: str, is_usable: Callable[[BaseInvocationOutput], bool] | None = None
    ) -> BaseInvocationOutput | None:
        """The output kept under `key`, or None.

        `is_usable` may look at it first, e.g. whether its images still exist; an output that it refuses is forgotten,
        and counts as a miss. It is called without the lock, so it may take its time.
        """
        with self._lock:
            if not self._enabled:
                return None
            entry = self._entries.get(key)
        usable = entry is not None and (is_usable is None or is_usable(entry[0]))
        with self._lock:
            if entry is None or not usable:
                self._misses += 1
                if entry is not None and self._entries.get(key) is entry:
                    self._remove(key)
                return None
            self._hits += 1
            if key in self._entries:
                self._entries.move_to_end(key)
            return entry[0]

    def put(self, key: str, output: BaseInvocationOutput) -> None:
        """Keep `output` under `key`, in the place of what was there. One larger than the whole cache is not kept."""
        if not self._enabled:
            return
        size = len(output.model_dump_json()) + _OVERHEAD_BYTES
        with self._lock:
            if not self._enabled or size > self._max_bytes:
                return
            if key in self._entries:
                self._remove(key)
            self._entries[key] = (output, size)
            self._bytes += size
            while self._bytes > self._max_bytes:
                self._remove(next(iter(self._entries)))

    def clear(self) -> None:
        """Forget all entries, and the counts of hits and misses."""
        with self._lock:
            self._entries.clear()
            self._bytes = self._hits = self._misses = 0

    def enable(self) -> None:
        """Give and take entries again. Without effect on a cache of no bytes."""
        with self._lock:
            self._enabled = self._max_bytes > 0

    def disable(self) -> None:
        """Give and take no entries until `enable`; those there are stay."""
        with self._lock:
            self._enabled = False

    def stats(self) -> CacheStats:
        """How it is doing."""
        with self._lock:
            return CacheStats(self._hits, self._misses, len(self._entries), self._bytes, self._max_bytes, self._enabled)

    def _remove(self, key: str) -> None:
        self._bytes -= self._entries.pop(key)[1]
