"""`JsonLines`: log lines for programs, one JSON object each. Imported only where `log_format` asks for it."""

import json
import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.json import JsonFormatter

from impasto.cli.text_lines import HIDDEN
from impasto.engine.log_fields import fields_of
from impasto.storage.timestamps import to_timestamp

__all__ = ["JsonLines"]


class JsonLines(JsonFormatter):
    """Writes timestamp, level, logger, message, the ids that are known, and an exception where there is one."""

    def __init__(self, secrets: Sequence[str] = ()) -> None:
        """`secrets` are values that are not to be seen."""
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
        self._secrets = {*secrets, *(json.dumps(secret, ensure_ascii=False)[1:-1] for secret in secrets)}

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
        line = super().format(record).encode("utf-8", "backslashreplace").decode()
        for secret in self._secrets:
            line = line.replace(secret, HIDDEN)
        return line
