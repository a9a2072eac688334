"""`Limits`: how long a worker and its runs are waited for, how much memory they may take, and what it is given."""

from dataclasses import dataclass

__all__ = ["Limits"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The operator's limits on one worker, by the names of their settings where it is not said otherwise."""

    #: Seconds a process has to start; the setting `worker_start_timeout_s`.
    start_timeout_s: float
    cancel_grace_s: float
    #: None: a session may run as long as it takes.
    session_timeout_s: float | None = None
    #: 0: as much as there is.
    worker_memory_bytes: int = 0
    #: Only items that need a device, or only those that need none; None: whichever. It follows from `io_workers`.
    needs_device: bool | None = None
