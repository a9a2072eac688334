"""`UsageReport`: what external providers were asked for in some days, added up in the ways that people want. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from impasto.storage.provider_usage import UsageCounts, UsageRow

__all__ = ["UsageReport", "UsageSum"]


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageSum:
    """Counts, and what they are of; None: of all."""

    counts: UsageCounts
    provider_id: str | None = None
    model: str | None = None
    day: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageReport:
    """The usage of some days."""

    #: The first and the last day, in UTC, e.g. ``2026-11-22``; both are counted.
    first_day: str
    last_day: str
    rows: Sequence[UsageRow]

    def total(self) -> UsageSum:
        """All of it."""
        return UsageSum(counts=sum((row.counts for row in self.rows), UsageCounts()))

    def by_model(self) -> list[UsageSum]:
        """For each provider and model, in the order of their names."""
        return sorted(
            self._by(lambda row: (row.provider_id, row.model, None)), key=lambda one: (one.provider_id, one.model)
        )

    def by_day(self) -> list[UsageSum]:
        """For each day and provider that were used, oldest first."""
        return self._by(lambda row: (row.provider_id, None, row.day))

    def _by(self, key_of: Callable[[UsageRow], tuple[str | None, str | None, str | None]]) -> list[UsageSum]:
        together: dict[tuple[str | None, str | None, str | None], UsageCounts] = {}
        for row in self.rows:
            key = key_of(row)
            together[key] = together.get(key, UsageCounts()) + row.counts
        return [
            UsageSum(provider_id=provider_id, model=model, day=day, counts=counts)
            for (provider_id, model, day), counts in together.items()
        ]
