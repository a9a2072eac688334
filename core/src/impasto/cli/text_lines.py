"""`TextLines`: log lines for people. Ids that are known of a line stand behind it; values of secrets are hidden.

Used by `impasto.cli.logs`, as is `impasto.cli.json_lines`, which writes the same for programs.
"""

import logging
from collections.abc import Mapping, Sequence

from impasto.engine.access.secrets import PREFIX as SECRET_PREFIX
from impasto.engine.log_fields import fields_of

__all__ = ["HIDDEN", "TextLines", "secrets_in"]

#: What stands in the place of a secret.
HIDDEN = "***"
#: A secret that is shorter would be found in half of all words.
SHORTEST_SECRET = 6
FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"
#: The ids that a line ends with, and what they are called there; the others are for programs.
_SHOWN = {"worker_id": "", "item_id": "item ", "node_id": "node ", "request_id": "request "}


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
