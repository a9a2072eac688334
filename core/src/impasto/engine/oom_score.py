"""`offer_first`: has the kernel take this process before the server when the machine runs out of memory."""

from pathlib import Path

__all__ = ["offer_first"]

#: Where Linux is told how readily it may end a process, from -1000 to 1000.
_SCORE = Path("/proc/self/oom_score_adj")
#: How much more readily than the server, which started this process.
_MORE = 500


def offer_first() -> None:
    """Raise the process's score above the one it was started with; does nothing where there is no such thing.

    The worker holds the models and is replaced when it is lost. The server holds the queue.
    """
    try:
        _SCORE.write_text(str(min(int(_SCORE.read_text()) + _MORE, 1000)))
    except (OSError, ValueError):  # another system, or a container that hides it
        return
