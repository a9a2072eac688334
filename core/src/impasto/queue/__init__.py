"""The queue: batches in, sessions out, one status after the other, every change on disk before it is told of.

It stores graphs as documents and reads nothing into them but where a batch puts its values. Called by the application
(to enqueue and to answer clients) and by the engine (to claim items and to report on them).
"""

from impasto.queue.session_queue import SessionQueue

__all__ = ["SessionQueue"]
