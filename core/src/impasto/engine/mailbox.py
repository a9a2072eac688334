"""`Mailbox`: what a worker sent and the thread that looks after it has not yet read. All that waits is taken at once.

Taking everything is what lets finished nodes be journaled in groups: while one commit is under way, the next gather.
"""

import threading
from collections import deque

from impasto.engine.wire import Message

__all__ = ["Mailbox"]

#: Messages that may wait; a worker that sends faster is slowed down by its own socket.
_LIMIT = 10_000


class Mailbox:
    """A bounded queue of messages, a bell, and an end."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._messages: deque[Message] = deque()
        self._rung = False
        self._closed: str | None = None

    @property
    def closed(self) -> str | None:
        """Why nothing more will come; None while something may. What came before can still be taken."""
        return self._closed

    def put(self, message: Message) -> None:
        """Add a message; waits while too many are there."""
        with self._changed:
            while len(self._messages) >= _LIMIT and self._closed is None:
                self._changed.wait()
            if self._closed is None:
                self._messages.append(message)
                self._changed.notify_all()

    def ring(self) -> None:
        """Wake who takes, for something that is no message."""
        with self._changed:
            self._rung = True
            self._changed.notify_all()

    def close(self, reason: str) -> None:
        """Nothing more will come; the first reason stays."""
        with self._changed:
            self._closed = self._closed or reason
            self._changed.notify_all()

    def take(self, timeout_s: float | None) -> list[Message]:
        """All messages that wait, in order. Empty when the time was up, the bell rang, or the end is reached."""
        with self._changed:
            self._changed.wait_for(lambda: self._messages or self._rung or self._closed is not None, timeout_s)
            self._rung = False
            taken = list(self._messages)
            self._messages.clear()
            self._changed.notify_all()
            return taken
