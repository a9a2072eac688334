"""Log lines of a worker on their way to the server's log: `WireLogHandler` sends, and `relay_log` writes them there.

What they are about travels as fields of its own and not in the text, so that the server's log can be searched by them.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from impasto.engine.log_fields import LOG_FIELDS, ItemIds, fields_of, item_fields
from impasto.engine.protocol import ToServer
from impasto.engine.wire import Wire
from impasto.errors import WireError
from impasto_sdk.fields import JsonValue

__all__ = ["WireLogHandler", "relay_log"]


class WireLogHandler(logging.Handler):
    """Sends every record as a message, with the ids of the session and the node that it was written in."""

    def __init__(self, wire: Wire) -> None:
        super().__init__()
        self._wire = wire
        self._item: Mapping[str, object] = {}

    @contextmanager
    def during(self, item: ItemIds) -> Iterator[None]:
        """While the block lasts, lines of threads that know no node (a library may have its own) are of this item."""
        self._item = item_fields(item)
        try:
            yield
        finally:
            self._item = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Send one record. A record that cannot be formatted is reported on standard error, as any handler does."""
        try:
            body: dict[str, JsonValue] = {
                "level": record.levelno,
                "logger": record.name,
                "created": record.created,
                "message": record.getMessage(),
                "exception": _exception_of(record),
                "fields": {**self._item, **fields_of(record)},
            }
            self._wire.send(ToServer.LOG, body)
        except WireError:
            return  # the server is gone, and this process with it
        except Exception:  # noqa: BLE001 - logging must not fail what it logs, as in every handler of the library
            self.handleError(record)


def relay_log(worker_id: str, body: Mapping[str, JsonValue]) -> None:
    """Write a worker's record to this process's log, under the logger's own name, as of the moment it was written."""
    logger, level = logging.getLogger(str(body["logger"])), int(body["level"])
    if not logger.isEnabledFor(level):
        return
    known = {name: value for name, value in body["fields"].items() if name in LOG_FIELDS}
    record = logging.makeLogRecord(
        {
            "name": logger.name,
            "levelno": level,
            "levelname": logging.getLevelName(level),
            "msg": str(body["message"]),
            "created": body["created"],
            "msecs": body["created"] % 1 * 1000,
            "exc_text": body["exception"],
            **known,
            "worker_id": worker_id,
        }
    )
    logger.handle(record)


def _exception_of(record: logging.LogRecord) -> str | None:
    """The traceback as text, which is all of it that can travel."""
    if record.exc_info is not None and record.exc_text is None:
        record.exc_text = _FORMATTER.formatException(record.exc_info)
    return record.exc_text


_FORMATTER = logging.Formatter()
