"""`ProviderDesk`: the places for requests to external providers over all workers, and the meter of each provider.

A worker takes a place before it sends a request and gives it back with what the request came to, which is on disk
before the worker goes on: what was paid for is counted, whatever becomes of the node. Asked by the engine; what it has
counted since the server started is read for `/metrics`.
"""

import logging
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from impasto.errors import ExternalProviderNotFoundError, StorageError
from impasto.storage.provider_usage import ProviderUsageRecords, UsageCounts, UsageKey
from impasto.storage.tables import SYSTEM_USER
from impasto_sdk.usage import ProviderUsage

__all__ = ["UNKNOWN_MODEL", "DeskReading", "ProviderDesk", "today"]

logger = logging.getLogger(__name__)

#: Stands for the model of a request whose worker was lost before it could say what became of it, or that has no name.
UNKNOWN_MODEL = "(unknown)"
#: Characters of a model's id that are kept.
LONGEST_MODEL = 255


def today() -> str:
    """The day by which usage is counted now: in UTC, e.g. ``2026-11-22``."""
    return datetime.now(UTC).date().isoformat()


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskReading:
    """How one provider is doing."""

    #: Requests that are under way, and how many there may be at most.
    in_flight: int
    places: int
    #: What requests came to since the server started.
    counts: UsageCounts


class ProviderDesk:
    """Places and meters. Every method may be called from any thread; none waits for a place."""

    def __init__(self, places: Mapping[str, int], records: ProviderUsageRecords) -> None:
        """`places`: how many requests may be under way at once, by id of the provider."""
        self._places = {provider_id: max(number, 1) for provider_id, number in places.items()}
        self._records = records
        self._lock = threading.Lock()
        #: How many places each holder has, by provider and holder.
        self._taken: Counter[tuple[str, str]] = Counter()
        self._counts = dict.fromkeys(self._places, UsageCounts())
        #: What could not be written yet.
        self._unwritten: dict[UsageKey, UsageCounts] = {}

    def begin(self, provider_id: str, holder: str) -> bool:
        """Take a place for `holder`; False: as many requests as there may be are under way.

        Raises `ExternalProviderNotFoundError`.
        """
        with self._lock:
            if provider_id not in self._places:
                raise ExternalProviderNotFoundError(provider_id, list(self._places))
            if self._in_flight(provider_id) >= self._places[provider_id]:
                return False
            self._taken[provider_id, holder] += 1
            return True

    def end(self, provider_id: str, holder: str, usage: ProviderUsage, user_id: str = SYSTEM_USER) -> None:
        """Give a place back, and write down what the request came to.

        While the database cannot be written it is kept, and written with what comes next. Raises
        `ExternalProviderNotFoundError`.
        """
        with self._lock:
            if provider_id not in self._places:
                raise ExternalProviderNotFoundError(provider_id, list(self._places))
            self._give_back(provider_id, holder)
        self._count(provider_id, usage.model, user_id, UsageCounts.of(usage))

    def release(self, holder: str) -> None:
        """Give back every place that `holder` has: it ended in the middle of these requests, which count as failed."""
        with self._lock:
            left = {provider_id: number for (provider_id, who), number in self._taken.items() if who == holder}
            for provider_id in left:
                del self._taken[provider_id, holder]
        for provider_id, number in left.items():
            logger.warning(
                "%s ended with %d requests to %s under way; the service may have carried them out",
                *(holder, number, provider_id),
            )
            self._count(provider_id, UNKNOWN_MODEL, SYSTEM_USER, UsageCounts(failed=number))

    def readings(self) -> Mapping[str, DeskReading]:
        """How each provider is doing now, by its id."""
        with self._lock:
            return {
                provider_id: DeskReading(
                    in_flight=self._in_flight(provider_id), places=places, counts=self._counts[provider_id]
                )
                for provider_id, places in self._places.items()
            }

    def close(self) -> None:
        """Write what could not be written before; what still cannot be is said in the log, and lost."""
        try:
            self._write()
        except StorageError as error:
            lost = sum(counts.requests for counts in self._unwritten.values())
            logger.error("usage of %d requests to external providers is lost: %s", lost, error)

    def _in_flight(self, provider_id: str) -> int:
        return sum(number for (of, _), number in self._taken.items() if of == provider_id)

    def _give_back(self, provider_id: str, holder: str) -> None:
        place = (provider_id, holder)
        self._taken[place] -= 1
        if self._taken[place] <= 0:  # a holder that has been released counts all the same
            del self._taken[place]

    def _count(self, provider_id: str, model: str, user_id: str, counts: UsageCounts) -> None:
        key = UsageKey(provider_id=provider_id, model=_written(model), day=today(), user_id=user_id)
        with self._lock:
            self._counts[provider_id] += counts
            self._owe(key, counts)
        try:
            self._write()
        except StorageError as error:  # the picture that was paid for must not be lost to its meter
            logger.warning("usage of %s is counted, and cannot be written now: %s", provider_id, error)

    def _write(self) -> None:
        with self._lock:
            owed, self._unwritten = self._unwritten, {}
        if not owed:
            return
        try:
            self._records.add(owed.items())
        except BaseException:
            with self._lock:
                for key, counts in owed.items():
                    self._owe(key, counts)
            raise

    def _owe(self, key: UsageKey, counts: UsageCounts) -> None:
        self._unwritten[key] = self._unwritten.get(key, UsageCounts()) + counts


def _written(model: object) -> str:
    """The id of a model as a database takes it, whatever a plugin says it is."""
    if not isinstance(model, str) or not model:
        return UNKNOWN_MODEL
    return model[:LONGEST_MODEL].encode("utf-8", "replace").decode()
