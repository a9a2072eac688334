"""Where the log goes: to standard error for a server in the foreground, into a file for an embedded one."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["log_to_file", "log_to_stderr"]

FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"


def log_to_stderr(level: str) -> None:
    """Send the log to standard error: ours from `level` on, other libraries' from warnings on."""
    _log_to(logging.StreamHandler(), level, "%H:%M:%S")


@contextmanager
def log_to_file(path: Path, level: str) -> Iterator[None]:
    """Add the log to a file, as long as the block lasts."""
    handler = logging.FileHandler(path, encoding="utf-8", delay=True)
    _log_to(handler, level, None)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)
        handler.close()


def _log_to(handler: logging.Handler, level: str, date_format: str | None) -> None:
    handler.setFormatter(logging.Formatter(FORMAT, date_format))
    logging.getLogger().addHandler(handler)
    logging.getLogger().setLevel(logging.WARNING)
    logging.getLogger("impasto").setLevel(level.upper())
