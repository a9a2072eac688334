"""`InvocationCache`: output documents of executions by their key, as many as fit a number of bytes.

Kept as JSON, so its size is known, and each caller gets a document of its own. When the cache is full, what was used
longest ago goes. Shared by the threads of a worker.
"""

import json
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Lock

from impasto_sdk.fields import JsonValue

__all__ = ["CacheStats", "InvocationCache", "most_entries"]

#: What an entry takes beside its JSON: the key, and its places in memory.
_OVERHEAD_BYTES = 256
_ENCODER = json.JSONEncoder(separators=(",", ":"))
#: Output documents name their type, so none is smaller.
_SMALLEST_BYTES = _OVERHEAD_BYTES + len(_ENCODER.encode({"type": ""}))


def most_entries(max_bytes: int) -> int:
    """How many entries a cache of `max_bytes` could hold, were they the smallest."""
    return max_bytes // _SMALLEST_BYTES


@dataclass(frozen=True, slots=True)
class CacheStats:
    """How a cache is doing."""

    hits: int
    misses: int
    entries: int
    #: What the entries take: their JSON, and some for their keys.
    bytes: int
    max_bytes: int
    enabled: bool
    #: How often it was cleared; `hits` and `misses` are counted since.
    clears: int = 0


class InvocationCache:
    """A thread-safe LRU cache of output documents."""

    def __init__(self, max_bytes: int) -> None:
        """`max_bytes`: most that the entries may take together; 0: nothing is ever kept."""
        self._max_bytes = max_bytes
        self._enabled = max_bytes > 0
        self._entries: OrderedDict[str, bytes] = OrderedDict()
        self._bytes = 0
        self._hits = 0
        self._misses = 0
        self._clears = 0
        self._lock = Lock()

    @property
    def enabled(self) -> bool:
        """Whether it gives and takes entries."""
        return self._enabled

    def get(
        self, key: str, is_usable: Callable[[dict[str, JsonValue]], bool] | None = None
    ) -> dict[str, JsonValue] | None:
        """The document kept under `key`, or None.

        `is_usable` may look at it first, e.g. whether its images still exist; a document that it refuses is forgotten,
        and counts as a miss. It is called without the lock, so it may take its time.
        """
        with self._lock:
            if not self._enabled:
                return None
            entry = self._entries.get(key)
        document: dict[str, JsonValue] | None = None if entry is None else json.loads(entry)
        if document is not None and is_usable is not None and not is_usable(document):
            document = None
        with self._lock:
            still_there = entry is not None and self._entries.get(key) is entry
            if document is None:
                self._misses += 1
                if still_there:
                    self._remove(key)
            else:
                self._hits += 1
                if still_there:
                    self._entries.move_to_end(key)
        return document

    def put(self, key: str, document: Mapping[str, JsonValue]) -> None:
        """Keep `document` under `key`, in the place of what was there. One that fills more than all is not kept."""
        if not self._enabled:
            return
        entry = _ENCODER.encode(document).encode()
        with self._lock:
            if not self._enabled or len(entry) + _OVERHEAD_BYTES > self._max_bytes:
                return
            if key in self._entries:
                self._remove(key)
            self._entries[key] = entry
            self._bytes += len(entry) + _OVERHEAD_BYTES
            while self._bytes > self._max_bytes:
                self._remove(next(iter(self._entries)))

    def clear(self) -> None:
        """Forget all entries, and the counts of hits and misses."""
        with self._lock:
            self._entries.clear()
            self._bytes = self._hits = self._misses = 0
            self._clears += 1

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
            return CacheStats(
                hits=self._hits,
                misses=self._misses,
                entries=len(self._entries),
                bytes=self._bytes,
                max_bytes=self._max_bytes,
                enabled=self._enabled,
                clears=self._clears,
            )

    def _remove(self, key: str) -> None:
        self._bytes -= len(self._entries.pop(key)) + _OVERHEAD_BYTES
