"""`UsageReport`: what external providers were asked for in some days, added up in the ways that people want. Pure."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from impasto.storage.provider_usage import UsageCounts, UsageRow

__all__ = ["DayUsage", "ModelUsage", "UsageReport"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelUsage:
    """What requests to one model came to."""

    provider_id: str
    #: Id of the model as the service spells it.
    model: str
    counts: UsageCounts


@dataclass(frozen=True, slots=True, kw_only=True)
class DayUsage:
    """What requests to one provider came to on one day."""

    #: In UTC, e.g. ``2026-11-22``.
    day: str
    provider_id: str
    counts: UsageCounts


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageReport:
    """The usage of some days."""

    #: The first and the last day; both are counted.
    first_day: str
    last_day: str
    rows: Sequence[UsageRow]

    @property
    def total(self) -> UsageCounts:
        """All of it."""
        return sum((row.counts for row in self.rows), UsageCounts())

    @property
    def models(self) -> list[ModelUsage]:
        """For each provider and model, in the order of their names."""
        found: defaultdict[tuple[str, str], UsageCounts] = defaultdict(UsageCounts)
        for row in self.rows:
            found[row.provider_id, row.model] += row.counts
        return [ModelUsage(provider_id=of, model=model, counts=found[of, model]) for of, model in sorted(found)]

    @property
    def days(self) -> list[DayUsage]:
        """For each day and provider, oldest first; those without requests are left out."""
        found: defaultdict[tuple[str, str], UsageCounts] = defaultdict(UsageCounts)
        for row in self.rows:
            found[row.day, row.provider_id] += row.counts
        return [DayUsage(day=day, provider_id=of, counts=found[day, of]) for day, of in sorted(found)]
