"""`TextLines`: log lines for people. Ids that are known of a line stand behind it; values of secrets are hidden.

Used by `impasto.cli.logs`, as is `impasto.cli.json_lines`, which writes the same for programs.
"""

import logging

from impasto.engine.log_fields import fields_of
from impasto.host.mask import Mask

__all__ = ["TextLines"]

FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"
#: The ids that a line ends with, and what they are called there; the others are for programs.
_SHOWN = {"worker_id": "", "item_id": "item ", "node_id": "node ", "request_id": "request "}


class TextLines(logging.Formatter):
    """Lines for people: the ids of a line stand behind its message, as ``[cpu-0, item 7, node denoise]``."""

    def __init__(self, date_format: str | None = None, mask: Mask | None = None) -> None:
        """`mask`: what is not to be seen."""
        super().__init__(FORMAT, date_format)
        self._mask = Mask() if mask is None else mask

    def formatMessage(self, record: logging.LogRecord) -> str:
        """The first line of an entry, before a traceback."""
        known = fields_of(record)
        shown = [f"{word}{known[name]}" for name, word in _SHOWN.items() if name in known]
        line = super().formatMessage(record)
        return f"{line} [{', '.join(shown)}]" if shown else line

    def format(self, record: logging.LogRecord) -> str:
        """The whole entry."""
        return self._mask.text(super().format(record))
