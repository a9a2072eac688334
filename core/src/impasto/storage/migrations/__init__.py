"""The history of the database's schema: which revisions there are, and how a database is brought to the last one.

Alembic costs as much to import as the rest of the server's start, so it is imported only when there is something to do;
whether there is, the `Database` finds out with one plain query.
"""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

__all__ = ["HISTORY", "History", "upgrade"]


@dataclass(frozen=True, slots=True)
class History:
    """A line of revisions, the oldest first, and the folders that their files lie in."""

    revisions: tuple[str, ...]
    folders: tuple[Path, ...]

    @property
    def head(self) -> str:
        """The revision that this version of the code works with."""
        return self.revisions[-1]


#: The history of this version. A new revision is a file in ``versions`` and its id at the end of this line.
HISTORY = History(revisions=("0001", "0002", "0003", "0004"), folders=(Path(__file__).parent / "versions",))


def upgrade(connection: Connection, history: History = HISTORY) -> None:
    """Bring a database, new or of any known revision, to the last one. Runs in the caller's transaction."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", "\n".join(str(folder) for folder in history.folders))
    config.attributes["connection"] = connection
    command.upgrade(config, history.head)
