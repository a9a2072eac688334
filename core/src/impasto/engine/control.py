"""`RunControl`: what the server wants of a run that is under way. Set by the wire's thread, read by the node's."""

import threading

__all__ = ["RunControl"]


class RunControl:
    """Two flags of one run that only ever rise."""

    def __init__(self) -> None:
        self._canceled = threading.Event()
        self._interrupted = threading.Event()

    @property
    def canceled(self) -> bool:
        """Whether the run is to end, its work being unwanted. The running node sees this flag."""
        return self._canceled.is_set()

    @property
    def interrupted(self) -> bool:
        """Whether the run is to stop after the node in hand, to go on elsewhere. No node sees this flag."""
        return self._interrupted.is_set()

    def cancel(self) -> None:
        """Raise the first flag."""
        self._canceled.set()

    def interrupt(self) -> None:
        """Raise the second flag."""
        self._interrupted.set()
