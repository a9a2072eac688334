"""`RunControl`: what is wanted of a run that is under way. The wire's thread and the runner set it, nodes read it."""

import threading

__all__ = ["RunControl"]


class RunControl:
    """Three flags of one run that only ever rise."""

    def __init__(self) -> None:
        self._canceled = threading.Event()
        self._interrupted = threading.Event()
        self._abandoned = threading.Event()

    @property
    def canceled(self) -> bool:
        """Whether the server wants the run to end, its work being unwanted."""
        return self._canceled.is_set()

    @property
    def interrupted(self) -> bool:
        """Whether the run is to stop after the nodes in hand, to go on elsewhere. No node sees this flag."""
        return self._interrupted.is_set()

    @property
    def unwanted(self) -> bool:
        """Whether nothing that still runs counts any more. This is what nodes see as being cancelled."""
        return self._canceled.is_set() or self._abandoned.is_set()

    def cancel(self) -> None:
        """The server no longer wants the run."""
        self._canceled.set()

    def interrupt(self) -> None:
        """The worker is to stop."""
        self._interrupted.set()

    def abandon(self) -> None:
        """One node has decided how the run ends: it failed, or gave the run up. The others need not go on."""
        self._abandoned.set()
