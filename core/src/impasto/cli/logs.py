"""Where the log goes and what its lines look like: text for people, or one JSON object each for programs.

A server in the foreground logs to standard error, an embedded one into a file. `impasto.cli.text_lines` and
`impasto.cli.json_lines` write the lines.
"""

import logging
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from impasto.host.mask import Mask

__all__ = ["LogFormat", "log_to_file", "log_to_stderr"]

LogFormat = Literal["text", "json"]

logger = logging.getLogger("impasto")


def log_to_stderr(level: str, form: LogFormat = "text") -> "Mask":
    """Send the log to standard error: ours from `level` on, other libraries' from warnings on.

    Warnings and exceptions that nobody caught, which Python would print there, are lines of the log too. Gives what is
    not to be seen in it, the secrets of the environment to begin with, for whoever learns of more.
    """
    mask = _log_to(logging.StreamHandler(), level, form, "%H:%M:%S")
    logging.captureWarnings(True)
    sys.excepthook = _on_exception
    threading.excepthook = _on_thread_exception
    return mask


@contextmanager
def log_to_file(path: Path, level: str, form: LogFormat = "text") -> Iterator["Mask"]:
    """Add the log to a file, as long as the block lasts; gives what `log_to_stderr` does."""
    handler = logging.FileHandler(path, encoding="utf-8", delay=True)
    mask = _log_to(handler, level, form, None)
    try:
        yield mask
    finally:
        logging.getLogger().removeHandler(handler)
        handler.close()


def _log_to(handler: logging.Handler, level: str, form: LogFormat, date_format: str | None) -> "Mask":
    # what lines look like is known to whoever has a server, which is imported by then; other commands are not to wait
    from impasto.cli.text_lines import TextLines
    from impasto.host.mask import Mask
    from impasto.host.secrets import secrets_in

    mask = Mask(secrets_in(os.environ).values())
    if form == "json":
        from impasto.cli.json_lines import JsonLines  # its library costs start-up time, and few ask for it

        handler.setFormatter(JsonLines(mask))
    else:
        handler.setFormatter(TextLines(date_format, mask))
    logging.getLogger().addHandler(handler)
    logging.getLogger().setLevel(logging.WARNING)
    logging.getLogger("impasto").setLevel(level.upper())
    return mask


def _on_exception(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    logger.critical("the process ends: %s", kind.__name__, exc_info=(kind, error, traceback))


def _on_thread_exception(failed: threading.ExceptHookArgs) -> None:
    if failed.exc_value is None or failed.exc_type is SystemExit:
        return  # a thread that ends by itself
    name = failed.thread.name if failed.thread is not None else "one that is gone"
    error = (failed.exc_type, failed.exc_value, failed.exc_traceback)
    logger.critical("a thread ends, %s: %s", name, failed.exc_type.__name__, exc_info=error)
