"""`UsageReport`: what external providers were asked for in some days, added up in the ways that people want. Pure."""

from collections import defaultdict
from collections.abc import Callable, Sequence
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
        found = self._summed(lambda row: (row.provider_id, row.model))
        return [ModelUsage(provider_id=of, model=model, counts=counts) for (of, model), counts in found]

    @property
    def days(self) -> list[DayUsage]:
        """For each day and provider, oldest first; those without requests are left out."""
        found = self._summed(lambda row: (row.day, row.provider_id))
        return [DayUsage(day=day, provider_id=of, counts=counts) for (day, of), counts in found]

    def _summed(self, by: Callable[[UsageRow], tuple[str, str]]) -> list[tuple[tuple[str, str], UsageCounts]]:
        """The rows added up by what `by` gives for each, in its order."""
        found: defaultdict[tuple[str, str], UsageCounts] = defaultdict(UsageCounts)
        for row in self.rows:
            found[by(row)] += row.counts
        return sorted(found.items(), key=lambda one: one[0])
