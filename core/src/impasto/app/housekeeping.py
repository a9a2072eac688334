"""`Housekeeping`: what a crash or a long run leaves behind is removed, in the background, after each start.

It waits for nothing and nothing waits for it. What sessions stored is kept after they end, since the invocation cache
may still give it to the next one; the caches of a server that starts are empty.
"""

import logging
import threading

from impasto.queue import SessionQueue
from impasto.storage.images import ImageLibrary
from impasto.storage.sessions import SessionFiles

__all__ = ["Housekeeping"]

logger = logging.getLogger(__name__)


class Housekeeping:
    """One sweep on a thread of its own."""

    def __init__(self, images: ImageLibrary, sessions: SessionFiles, queue: SessionQueue) -> None:
        self._images = images
        self._sessions = sessions
        self._queue = queue
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to sweep; returns at once."""
        self._thread = threading.Thread(target=self._sweep, name="impasto-housekeeping", daemon=True)
        self._thread.start()

    def join(self) -> None:
        """Wait for the end of the sweep, before what it looks at is closed."""
        if self._thread is not None:
            self._thread.join()

    def _sweep(self) -> None:
        try:
            ended = self._sessions.delete_all_but(self._queue.open_sessions)
            orphans = self._images.tidy()
        except Exception:  # a server must not go without its queue because its attic cannot be swept
            logger.exception("what earlier runs left behind could not be removed")
            return
        if ended:
            logger.info("removed the tensors of %d sessions that have ended", ended)
        if orphans:
            logger.info("removed %d image files that a crash left without a row", orphans)
