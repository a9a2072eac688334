"""`WorkerCache`: the server's side of the invocation cache of one worker: what is wanted of it, and how it is doing.

It outlives processes. A new one begins with an empty cache, and is told when that is to be switched off. A worker says
how its cache is doing when a run ends, so nobody who asks ever waits for one.
"""

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from impasto.engine.protocol import CacheOrder, CacheReport, ToWorker
from impasto.errors import WireError
from impasto_sdk.fields import JsonValue

__all__ = ["CacheInfo", "WorkerCache"]

_NOTHING = CacheReport(hits=0, misses=0, entries=0, bytes=0, clears=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheInfo:
    """The invocation cache of a worker, as it was when its last run ended, or as new."""

    worker_id: str
    #: Whether nodes may take from it and leave something in it; never when it may take no bytes.
    enabled: bool
    #: Look-ups that found something, and that did not, since the worker started or the cache was cleared.
    hits: int
    misses: int
    entries: int
    #: What the entries take, and the most that they may take.
    bytes: int
    max_bytes: int


class WorkerCache:
    """The cache of one worker, of at most `max_bytes`. May be called from any thread."""

    def __init__(self, worker_id: str, max_bytes: int) -> None:
        self._worker_id = worker_id
        self._max_bytes = max_bytes
        self._enabled = max_bytes > 0
        #: Held while something is sent, so that orders arrive in the order in which they are remembered …
        self._ordering = threading.Lock()
        self._send: Callable[[ToWorker, Mapping[str, JsonValue]], None] | None = None
        #: … but never by whoever reads the wire: of two ends that both wait to send, one must read.
        self._counting = threading.Lock()
        self._clears = 0
        self._last = _NOTHING

    def info(self) -> CacheInfo:
        """How it is doing, as far as it is known."""
        last = self._last
        return CacheInfo(
            worker_id=self._worker_id,
            enabled=self._enabled,
            hits=last.hits,
            misses=last.misses,
            entries=last.entries,
            bytes=last.bytes,
            max_bytes=self._max_bytes,
        )

    def order(self, order: CacheOrder) -> None:
        """Have it cleared, or switched on or off, for this process of the worker and those to come; waits for no node.

        A cache that may take no bytes stays off.
        """
        with self._ordering:
            if order is CacheOrder.CLEAR:
                self._begin(self._clears + 1)
            else:
                self._enabled = order is CacheOrder.ENABLE and self._max_bytes > 0
            self._tell(order)

    def attach(self, send: Callable[[ToWorker, Mapping[str, JsonValue]], None]) -> None:
        """A new process is ready, and takes orders through `send`; called before it is given a run."""
        with self._ordering:
            self._send = send
            self._begin(0)
            if not self._enabled:
                self._tell(CacheOrder.DISABLE)

    def detach(self) -> None:
        """The process is gone, and its cache with it."""
        with self._ordering:
            self._send = None
            self._begin(0)

    def hear(self, body: Mapping[str, JsonValue]) -> None:
        """A report of the worker; on the thread that reads its wire."""
        report = CacheReport.model_validate(body)
        with self._counting:
            if report.clears == self._clears:  # else it is from before an order to clear
                self._last = report

    def _begin(self, clears: int) -> None:
        with self._counting:
            self._clears = clears
            self._last = _NOTHING

    def _tell(self, order: CacheOrder) -> None:
        if self._send is not None:
            with suppress(WireError):  # the process is gone; the next is told when it is ready
                self._send(ToWorker.CACHE, {"order": order})
