"""What keeps a server, its settings or its events from being used."""

from collections.abc import Sequence

from impasto.errors.root import CoreError

__all__ = ["ServerError", "SettingsError", "SubscriptionEndedError"]


class SettingsError(CoreError):
    """A setting holds something unusable. `problems` names setting, value and what is allowed, one line each."""

    def __init__(self, source: str, problems: Sequence[str]) -> None:
        super().__init__(f"{source}: " + "; ".join(problems))
        self.source = source
        self.problems = tuple(problems)


class SubscriptionEndedError(CoreError):
    """A subscription to events has ended and all of it was read.

    `reason` says why; `last_id` is what to come back with.
    """

    def __init__(self, reason: str, last_id: int) -> None:
        super().__init__(f"no more events after id {last_id}: {reason}")
        self.reason = reason
        self.last_id = last_id


class ServerError(CoreError):
    """The server cannot start, or cannot be reached."""
