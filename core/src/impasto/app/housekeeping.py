"""`Housekeeping`: what a crash or a long run leaves behind is removed: after each start, and every minute from then on.

It waits for nothing and nothing waits for it, but for `discard_unfinished`, which comes before the first run. What
sessions stored is kept after they end, since the invocation cache may still give it to the next one; the caches of a
server that starts are empty. Whatever it removes or misses, it says so in the log.
"""

import logging
import threading
from collections.abc import Callable, Mapping

from impasto.queue import SessionQueue
from impasto.storage.images import ImageLibrary
from impasto.storage.sessions import SessionFiles

__all__ = ["Housekeeping"]

logger = logging.getLogger(__name__)

#: How often the routines are done, in seconds.
ROUND_S = 60.0
#: How many of the images whose files are gone are named in the log.
_NAMED = 5


class Housekeeping:
    """A sweep and then a round of `routines` every minute, on a thread of its own.

    `routines`: what is to be done, each by what it does (``forget old events``), as a failure of it is logged. They are
    tried again in the next round.
    """

    def __init__(
        self,
        images: ImageLibrary,
        sessions: SessionFiles,
        queue: SessionQueue,
        routines: Mapping[str, Callable[[], object]],
        *,
        round_s: float = ROUND_S,
    ) -> None:
        self._images = images
        self._sessions = sessions
        self._queue = queue
        self._routines = routines
        self._round_s = round_s
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def discard_unfinished(self) -> None:
        """Delete the images of nodes that had not finished when the server ended. Before anything runs."""
        discarded = self._images.discard_unsettled()
        if discarded:
            logger.warning(
                "deleted %d images of nodes that had not finished when the server ended; they run again", discarded
            )

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread = threading.Thread(target=self._keep_house, name="impasto-housekeeping", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End after what is in hand, before what it looks at is closed. Harmless when it was not started."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def sweep(self) -> None:
        """Remove what no open session needs, and bring images and their files together. It may take a while."""
        ended = self._sessions.delete_all_but(self._queue.open_sessions)
        if ended:
            logger.info("removed the tensors of %d sessions that have ended", ended)
        tidied = self._images.tidy()
        if tidied.orphans:
            logger.warning("removed %d image files that a crash left without a row", tidied.orphans)
        if tidied.missing:
            named = ", ".join(tidied.missing[:_NAMED]) + (", …" if len(tidied.missing) > _NAMED else "")
            logger.error(
                "%d images have no file any more: %s; restore the images folder from a backup, or delete these images",
                len(tidied.missing),
                named,
            )

    def _keep_house(self) -> None:
        self._guarded("remove what earlier runs left behind", self.sweep)
        while True:
            for what, routine in self._routines.items():
                self._guarded(what, routine)
            if self._stopping.wait(self._round_s):
                return

    def _guarded(self, what: str, routine: Callable[[], object]) -> None:
        try:
            if not self._stopping.is_set():
                routine()
        except Exception:  # a server must not go without its queue because its attic cannot be swept
            logger.exception("could not %s", what)
