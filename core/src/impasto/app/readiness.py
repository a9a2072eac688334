"""`Readiness`: whether work can be done now, and if not, why. For supervisors, load balancers and people.

It asks what is known already: it writes nothing as long as others do, and waits for no worker. A queue that somebody
paused is named, but it is no reason: it is as it should be.
"""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from impasto.engine import WorkerInfo

__all__ = ["Readiness", "ReadinessReport", "free_bytes"]


@dataclass(frozen=True, slots=True)
class ReadinessReport:
    """How things stand."""

    #: What keeps work from being done, one sentence each; empty: nothing does.
    reasons: tuple[str, ...]
    #: Queues that are paused, so that what waits in them does not run.
    paused_queues: tuple[str, ...] = ()

    @property
    def ready(self) -> bool:
        """Whether work can be done."""
        return not self.reasons


class Readiness:
    """Looks at the parts of one server, each through a question."""

    def __init__(
        self,
        *,
        workers: Callable[[], Sequence[WorkerInfo]],
        database_trouble: Callable[[], str | None],
        paused_queues: Callable[[], Sequence[str]],
        folder: Path,
        min_free_bytes: int,
    ) -> None:
        """`folder` is where images are written; `min_free_bytes`, how much space its disk is to have left."""
        self._workers = workers
        self._database_trouble = database_trouble
        self._paused_queues = paused_queues
        self._folder = folder
        self._min_free_bytes = min_free_bytes
        self._stopping = False

    def stop(self) -> None:
        """From now on the server is not ready: it stops."""
        self._stopping = True

    def report(self) -> ReadinessReport:
        """How things stand now."""
        if self._stopping:
            return ReadinessReport(("the server stops",))
        trouble = self._database_trouble()
        reasons = [*([] if trouble is None else [trouble]), *self._disk(), *_workers_missing(self._workers())]
        # what cannot be written may not be readable either, and then the reason is the answer
        return ReadinessReport(tuple(reasons), tuple(self._paused_queues()) if trouble is None else ())

    def _disk(self) -> list[str]:
        free = free_bytes(self._folder)
        if free is None or free >= self._min_free_bytes:
            return []
        left, wanted = (f"{count / 2**20:.0f} MiB" for count in (free, self._min_free_bytes))
        return [f"the disk of {self._folder} has {left} left, and `min_free_disk_bytes` wants {wanted}; make room"]


def free_bytes(folder: Path) -> int | None:
    """The space that is left on the disk of a folder, or of the nearest one above that there is; None: nobody knows."""
    for place in (folder, *folder.parents):
        try:
            return shutil.disk_usage(place).free
        except FileNotFoundError:
            continue
        except OSError:
            return None
    return None


def _workers_missing(workers: Sequence[WorkerInfo]) -> list[str]:
    """Why nothing could run now; empty when one worker with a device at least could.

    Those without are no help to most sessions, and are not there before one needs them.
    """
    with_device = [worker for worker in workers if worker.kind == "device"]
    if any(worker.status in ("ready", "busy") for worker in with_device):
        return []
    if not with_device:
        return ["no worker with a device is configured; the setting `devices` names none"]
    return [
        f"worker {worker.worker_id} is {worker.status}" + (f": {worker.reason}" if worker.reason else "")
        for worker in with_device
    ]
