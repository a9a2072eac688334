"""`JsonLines`: log lines for programs, one JSON object each. Imported only where `log_format` asks for it."""

import json
import logging
from datetime import datetime
from typing import Any

from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.json import JsonFormatter

from impasto.engine.log_fields import fields_of
from impasto.host.mask import Mask
from impasto.storage.timestamps import to_timestamp

__all__ = ["JsonLines"]


class JsonLines(JsonFormatter):
    """Writes timestamp, level, logger, message, the ids that are known, and an exception where there is one."""

    def __init__(self, mask: Mask | None = None) -> None:
        """`mask`: what is not to be seen."""
        super().__init__(
            ["levelname", "name", "message"],
            rename_fields={
                "levelname": "level",
                "name": "logger",
                "exc_info": "exception",
                "stack_info": "stack",
            },
            reserved_attrs=[*RESERVED_ATTRS, "color_message"],  # uvicorn's own, with escapes for terminals
            json_ensure_ascii=False,
            json_default=str,
            timestamp=True,
        )
        self._mask = Mask() if mask is None else mask

    def add_fields(self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]) -> None:
        """Add the ids that are known where the line is written."""
        super().add_fields(log_data, record, message_dict)
        log_data.update(fields_of(record))

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        """Put the time first, where people look for it, and the level in the words of the settings."""
        moment: datetime = log_data.pop("timestamp")
        return {"timestamp": to_timestamp(moment), **log_data, "level": str(log_data["level"]).lower()}

    def format(self, record: logging.LogRecord) -> str:
        """One line. Halves of surrogate pairs, which no file takes, are escaped."""
        line = super().format(record)
        if self._mask and self._mask.may_be_in(line.encode("utf-8", "surrogatepass")):
            # not in the line itself: a secret may look like the rest of an escape
            line = json.dumps(self._mask.document(json.loads(line)), ensure_ascii=False)
        return line.encode("utf-8", "backslashreplace").decode()
