"""Where the log goes and what its lines look like: text for people, or one JSON object each for programs.

A server in the foreground logs to standard error, an embedded one into a file. Ids that are known of a line (see
`impasto.engine.log_fields`) are in both forms; values of secrets are in neither.
"""

import logging
import os
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Literal

from impasto.engine.access.secrets import PREFIX as SECRET_PREFIX
from impasto.engine.log_fields import fields_of

__all__ = ["LogFormat", "TextLines", "log_to_file", "log_to_stderr", "secrets_in"]

LogFormat = Literal["text", "json"]

FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"
#: A secret that is shorter would be found in half of all words.
SHORTEST_SECRET = 6
#: What stands in the place of a secret.
HIDDEN = "***"
#: The ids that a line of text ends with, and what they are called there; the others are for programs.
_SHOWN = {"worker_id": "", "item_id": "item ", "node_id": "node ", "request_id": "request "}

logger = logging.getLogger("impasto")


def log_to_stderr(level: str, form: LogFormat = "text") -> None:
    """Send the log to standard error: ours from `level` on, other libraries' from warnings on.

    Warnings and exceptions that nobody caught, which Python would print there, are lines of the log too.
    """
    _log_to(logging.StreamHandler(), level, form, "%H:%M:%S")
    logging.captureWarnings(True)
    sys.excepthook = _on_exception
    threading.excepthook = _on_thread_exception


@contextmanager
def log_to_file(path: Path, level: str, form: LogFormat = "text") -> Iterator[None]:
    """Add the log to a file, as long as the block lasts."""
    handler = logging.FileHandler(path, encoding="utf-8", delay=True)
    _log_to(handler, level, form, None)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)
        handler.close()


class TextLines(logging.Formatter):
    """Lines for people: the ids of a line stand behind its message, as ``[cpu-0, item 7, node denoise]``."""

    def __init__(self, date_format: str | None = None, secrets: Sequence[str] = ()) -> None:
        """`secrets` are values that are not to be seen."""
        super().__init__(FORMAT, date_format)
        self._secrets = tuple(secrets)

    def formatMessage(self, record: logging.LogRecord) -> str:
        """The first line of an entry, before a traceback."""
        known = fields_of(record)
        shown = [f"{word}{known[name]}" for name, word in _SHOWN.items() if name in known]
        line = super().formatMessage(record)
        return f"{line} [{', '.join(shown)}]" if shown else line

    def format(self, record: logging.LogRecord) -> str:
        """The whole entry."""
        entry = super().format(record)
        for secret in self._secrets:
            entry = entry.replace(secret, HIDDEN)
        return entry


def secrets_in(environment: Mapping[str, str]) -> list[str]:
    """The values of all secrets that are long enough to be told from ordinary words."""
    return [
        value for name, value in environment.items() if name.startswith(SECRET_PREFIX) and len(value) >= SHORTEST_SECRET
    ]


def _log_to(handler: logging.Handler, level: str, form: LogFormat, date_format: str | None) -> None:
    secrets = secrets_in(os.environ)
    if form == "json":
        from impasto.cli.json_lines import JsonLines  # its library costs start-up time, and few ask for it

        handler.setFormatter(JsonLines(secrets, hidden=HIDDEN))
    else:
        handler.setFormatter(TextLines(date_format, secrets))
    logging.getLogger().addHandler(handler)
    logging.getLogger().setLevel(logging.WARNING)
    logging.getLogger("impasto").setLevel(level.upper())


def _on_exception(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    logger.critical("the process ends: %s", kind.__name__, exc_info=(kind, error, traceback))


def _on_thread_exception(failed: threading.ExceptHookArgs) -> None:
    if failed.exc_value is None or failed.exc_type is SystemExit:
        return  # a thread that ends by itself
    name = failed.thread.name if failed.thread is not None else "one that is gone"
    error = (failed.exc_type, failed.exc_value, failed.exc_traceback)
    logger.critical("a thread ends, %s: %s", name, failed.exc_type.__name__, exc_info=error)
