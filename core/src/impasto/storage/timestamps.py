"""The one form in which the database keeps a moment: ISO 8601 text in UTC with microseconds and a ``Z``.

Of fixed width, so that it sorts and compares as text on every database, and every client can parse it.
"""

from datetime import UTC, datetime, timedelta

__all__ = ["timestamp", "to_timestamp"]


def to_timestamp(moment: datetime) -> str:
    """An aware datetime as it is stored, e.g. ``2026-03-01T12:00:00.000000Z``."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def timestamp(*, plus_s: float = 0.0) -> str:
    """The current moment as it is stored, or one `plus_s` seconds later."""
    return to_timestamp(datetime.now(UTC) + timedelta(seconds=plus_s))
