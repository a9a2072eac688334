"""`ModelCache`: weights in memory, least recently used ones first to go. One in each worker.

It knows `LoadedModel` only: a size, a place and a way to move. What the weights are, and how they are read, is the
loaders' business; which record is meant is the registry's, in the server.
"""

import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Protocol

from impasto_sdk.errors import DeviceError, ImpastoError, ModelLoadError, NoLoaderError
from impasto_sdk.models import DeviceInfo, LoadedModel, LoadRequest, ModelLoader, ModelRecord

__all__ = ["LoadListener", "ModelCache", "ModelCacheStats"]

logger = logging.getLogger(__name__)

#: Share of a device's memory that is kept free for the work itself when no limit is set …
_RESERVE_SHARE = 0.2
#: … and the most that is kept free, in bytes.
_RESERVE_BYTES = 4 * 2**30


class LoadListener(Protocol):
    """Told of loads, on the loading thread."""

    def load_started(self, record: ModelRecord, submodel: str | None) -> None:
        """Weights are about to be read from disk."""
        ...

    def load_complete(self, record: ModelRecord, submodel: str | None) -> None:
        """They are in memory."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCacheStats:
    """What the cache holds and has done."""

    #: Locks that found their model in memory.
    hits: int
    #: Locks that had to load.
    misses: int
    #: Models that were released to make room.
    evictions: int
    #: Models that were brought from the device back to the CPU to make room.
    offloads: int
    #: How many models are held, and how many of them are locked.
    held: int
    locked: int
    #: Bytes that held models take in memory and on the device; the latter is 0 where the device is the CPU.
    ram_bytes: int
    device_bytes: int


@dataclass(slots=True)
class _Entry:
    """A held model. Size and place are asked of the model each time, so there is no account that could be wrong."""

    loaded: LoadedModel
    locks: int = 0


class ModelCache:
    """Loads models, brings them to the device, and keeps them there as long as there is room.

    `ram_bytes` bounds what idle models take in memory, `device_bytes` what they take on the device (0: all but a
    reserve). Models in use always stay, even when they exceed a bound. One thread loads or moves at a time: two would
    only contend for the same disk and bus.
    """

    def __init__(
        self,
        loaders: Sequence[ModelLoader],
        device: DeviceInfo,
        *,
        ram_bytes: int,
        device_bytes: int = 0,
        listener: LoadListener | None = None,
    ) -> None:
        self._loaders = tuple(loaders)
        self._device = device
        self._ram_limit = ram_bytes
        self._device_limit = device_bytes or _all_but_a_reserve(device.memory_bytes)
        self._listener = listener
        self._lock = threading.RLock()
        #: Least recently used first.
        self._entries: dict[tuple[str, str | None], _Entry] = {}
        self._hits = self._misses = self._evictions = self._offloads = 0

    @contextmanager
    def lock(self, record: ModelRecord, submodel: str | None = None) -> Iterator[LoadedModel]:
        """Hold a model, or the part of it called `submodel`, on the device while the block runs.

        It is loaded if need be, by the first loader that accepts it. Raises `NoLoaderError`, `ModelLoadError`, and
        `DeviceError` when it does not fit the device even though every idle model made room.
        """
        entry = self._acquire(record, submodel)
        try:
            yield entry.loaded
        finally:
            with self._lock:
                entry.locks -= 1
                self._trim()

    def clear(self) -> None:
        """Release every model that is not locked."""
        with self._lock:
            for key in self._idle():
                self._drop(key)

    def keys(self, limit: int) -> list[str]:
        """Keys of the models that are held, wholly or a part of them: the most recently used first, `limit` at most."""
        with self._lock:
            return list(islice(dict.fromkeys(key for key, _ in reversed(self._entries)), limit))

    def stats(self) -> ModelCacheStats:
        """What the cache holds and has done."""
        with self._lock:
            return ModelCacheStats(
                hits=self._hits,
                misses=self._misses,
                evictions=self._evictions,
                offloads=self._offloads,
                held=len(self._entries),
                locked=sum(1 for entry in self._entries.values() if entry.locks),
                ram_bytes=self._ram_used(),
                device_bytes=self._device_used(),
            )

    def _acquire(self, record: ModelRecord, submodel: str | None) -> _Entry:
        """The entry, loaded, on the device and locked."""
        key = (record.key, submodel)
        with self._lock:
            entry = self._entries.pop(key, None)
            if entry is None:
                self._misses += 1
                entry = _Entry(self._load(record, submodel))
            else:
                self._hits += 1
            self._entries[key] = entry  # at the end: the most recently used
            entry.locks += 1
            try:
                self._bring_to_device(key, entry)
                self._trim()
            except BaseException:
                entry.locks -= 1
                self._trim()
                raise
            return entry

    def _load(self, record: ModelRecord, submodel: str | None) -> LoadedModel:
        loader = next((one for one in self._loaders if one.accepts(record, submodel)), None)
        if loader is None:
            raise NoLoaderError(record.key, record.base, record.type, record.format, submodel)
        if submodel is None:
            self._make_ram(record.file_size)  # the size in memory is not known yet; on disk it is close
        if self._listener:
            self._listener.load_started(record, submodel)
        request = LoadRequest(
            record=record,
            submodel=submodel,
            path=Path(record.path),
            device=self._device.name,
            precision=self._device.precision,
        )
        try:
            loaded = loader.load(request)
        except ImpastoError:
            raise
        except Exception as error:  # a loader belongs to a plugin
            raise ModelLoadError(
                record.key, submodel, f"loader {loader.name!r} raised {type(error).__name__}: {error}"
            ) from error
        if not isinstance(loaded, LoadedModel):
            raise ModelLoadError(
                record.key, submodel, f"loader {loader.name!r} gave a {type(loaded).__name__}, which is no LoadedModel"
            )
        if self._listener:
            self._listener.load_complete(record, submodel)
        return loaded

    def _bring_to_device(self, key: tuple[str, str | None], entry: _Entry) -> None:
        if entry.loaded.device == self._device.name:
            return
        self._make_device_room(entry.loaded.size_bytes)
        try:
            self._move(key, entry, self._device.name)
        except DeviceError:
            # the bound did not know of all that lives on the device: make all the room there is, and try once more
            if not self._make_device_room(None):
                raise
            self._move(key, entry, self._device.name)

    def _move(self, key: tuple[str, str | None], entry: _Entry, device: str) -> None:
        try:
            entry.loaded.move_to(device)
        except DeviceError:
            raise  # it is where it was, and may be used there
        except Exception as error:  # where it is now cannot be told, so nobody may use it again
            self._entries.pop(key, None)
            self._release(key, entry)
            raise ModelLoadError(*key, f"moving it to {device!r} raised {type(error).__name__}: {error}") from error

    def _make_device_room(self, size_bytes: int | None) -> bool:
        """Bring idle models to the CPU until `size_bytes` more fit the bound (None: all of them); whether any was."""
        moved = False
        for key in self._idle():
            if size_bytes is not None and self._device_used() + size_bytes <= self._device_limit:
                break
            entry = self._entries[key]
            if entry.loaded.device == "cpu":
                continue
            moved = True
            try:
                self._move(key, entry, "cpu")
                self._offloads += 1
            except ImpastoError:
                logger.warning("model %s cannot be brought to the CPU, so it is released", key, exc_info=True)
                self._drop(key)
        return moved

    def _make_ram(self, size_bytes: int) -> None:
        """Release idle models until `size_bytes` more fit the bound."""
        for key in self._idle():
            if self._ram_used() + size_bytes <= self._ram_limit:
                return
            if self._entries[key].loaded.device == "cpu":
                self._drop(key)
                self._evictions += 1

    def _trim(self) -> None:
        """Bring idle models back under both bounds."""
        if self._device.name != "cpu":
            self._make_device_room(0)
        self._make_ram(0)

    def _idle(self) -> list[tuple[str, str | None]]:
        """Keys of models that nobody uses, least recently used first."""
        return [key for key, entry in self._entries.items() if not entry.locks]

    def _ram_used(self) -> int:
        return sum(e.loaded.size_bytes for e in self._entries.values() if e.loaded.device == "cpu")

    def _device_used(self) -> int:
        return sum(e.loaded.size_bytes for e in self._entries.values() if e.loaded.device != "cpu")

    def _drop(self, key: tuple[str, str | None]) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._release(key, entry)

    def _release(self, key: tuple[str, str | None], entry: _Entry) -> None:
        try:
            entry.loaded.release()
        except Exception:  # it belongs to a plugin, and it is out of the cache already
            logger.exception("releasing model %s failed", key)


def _all_but_a_reserve(memory_bytes: int | None) -> float:
    """The bound for a device when the operator sets none; infinite when its memory cannot be told."""
    if memory_bytes is None:
        return float("inf")
    return memory_bytes - min(memory_bytes * _RESERVE_SHARE, _RESERVE_BYTES)
