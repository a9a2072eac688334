"""Log lines of a worker on their way to the server's log: `WireLogHandler` sends, and `relay_log` writes them there."""

import logging
from collections.abc import Mapping

from impasto.engine.protocol import ToServer
from impasto.engine.wire import Wire
from impasto.errors import WireError
from impasto_sdk.fields import JsonValue

__all__ = ["WireLogHandler", "relay_log"]


class WireLogHandler(logging.Handler):
    """Sends every record as a message, with session and node where a `NodeLogger` said them."""

    def __init__(self, wire: Wire) -> None:
        super().__init__()
        self._wire = wire

    def emit(self, record: logging.LogRecord) -> None:
        """Send one record. A record that cannot be formatted is reported on standard error, as any handler does."""
        try:
            text = self.format(record)
            where = [record.__dict__[name] for name in ("session_id", "node_id") if name in record.__dict__]
            message = f"[{' '.join(where)}] {text}" if where else text
            self._wire.send(ToServer.LOG, {"level": record.levelno, "logger": record.name, "message": message})
        except WireError:
            return  # the server is gone, and this process with it
        except Exception:  # noqa: BLE001 - logging must not fail what it logs, as in every handler of the library
            self.handleError(record)


def relay_log(worker_id: str, body: Mapping[str, JsonValue]) -> None:
    """Write a worker's record to this process's log, under the logger's own name and with the worker's id."""
    relayed = logging.getLogger(str(body["logger"]))
    relayed.log(int(body["level"]), "[%s] %s", worker_id, body["message"], extra={"worker_id": worker_id})
