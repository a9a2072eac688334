"""`ProviderUsageRecords`: what requests to external providers came to, added up by provider, model, day and user.

Written by `impasto.app.providers.desk`, read by `impasto.app.providers.service`. Costs are whole millionths of a US
dollar, which add up exactly.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import get_args

from sqlalchemy import Connection, bindparam, func, insert, select, update

from impasto.storage.database import Database
from impasto.storage.tables import provider_usage
from impasto_sdk.usage import ProviderUsage, RequestOutcome

__all__ = ["MICRODOLLARS", "ProviderUsageRecords", "UsageCounts", "UsageKey", "UsageRow"]

#: Millionths of a US dollar in one.
MICRODOLLARS = 1_000_000
#: The most that one request can add to a count. What a plugin makes up must not be more than a column takes.
MOST_AT_ONCE = 2**40


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageCounts:
    """What requests came to. Adds up with ``+``."""

    #: Requests by their outcome, see `impasto_sdk.usage.RequestOutcome`.
    completed: int = 0
    refused: int = 0
    failed: int = 0
    canceled: int = 0
    images: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost_microdollars: int = 0
    #: Completed requests whose cost is not known: it is not in `cost_microdollars`.
    unpriced: int = 0

    @classmethod
    def of(cls, usage: ProviderUsage) -> "UsageCounts":
        """What one request adds, whatever a plugin says of it.

        A number that makes no sense counts as 0, such a cost as one that is not known, and such an outcome as failed.
        """
        outcome = usage.outcome if usage.outcome in get_args(RequestOutcome) else "failed"
        cost = _microdollars(usage.cost_usd)
        return cls(
            **{outcome: 1},
            images=_sane(usage.images),
            input_tokens=_sane(usage.input_tokens),
            output_tokens=_sane(usage.output_tokens),
            cost_microdollars=cost or 0,
            unpriced=int(cost is None and outcome == "completed"),
        )

    def __add__(self, other: "UsageCounts") -> "UsageCounts":
        return UsageCounts(**{name: getattr(self, name) + getattr(other, name) for name in COUNTS})

    @property
    def requests(self) -> int:
        """All of them, whatever their outcome."""
        return self.completed + self.refused + self.failed + self.canceled

    @property
    def cost_usd(self) -> float:
        """The costs that are known, in US dollars."""
        return self.cost_microdollars / MICRODOLLARS


#: Names of the counts, which are those of the columns.
COUNTS = tuple(field.name for field in fields(UsageCounts))


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageKey:
    """What counts are kept for."""

    provider_id: str
    #: Id of the model as the service spells it.
    model: str
    #: Day in UTC, e.g. ``2026-11-22``.
    day: str
    user_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageRow:
    """What all users' requests to a model came to on one day."""

    provider_id: str
    model: str
    day: str
    counts: UsageCounts


_OF_KEY = [column == bindparam(f"b_{column.name}") for column in provider_usage.primary_key]

ADD_USAGE = insert(provider_usage)
ADD_TO_USAGE = (
    update(provider_usage)
    .where(*_OF_KEY)
    .values({name: provider_usage.c[name] + bindparam(f"d_{name}") for name in COUNTS})
)
#: The counts of all users, by day, provider and model.
SUM_USAGE = (
    select(
        provider_usage.c.provider_id,
        provider_usage.c.model,
        provider_usage.c.day,
        *(func.sum(provider_usage.c[name]).label(name) for name in COUNTS),
    )
    .where(provider_usage.c.day >= bindparam("first_day"))
    .group_by(provider_usage.c.day, provider_usage.c.provider_id, provider_usage.c.model)
    .order_by(provider_usage.c.day, provider_usage.c.provider_id, provider_usage.c.model)
)


class ProviderUsageRecords:
    """Counts, one row for each key. Each method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, counted: Iterable[tuple[UsageKey, UsageCounts]]) -> None:
        """Add to the counts of some keys: all of it, or nothing when `StorageError` is raised."""
        together: dict[UsageKey, UsageCounts] = {}
        for key, counts in counted:
            together[key] = together.get(key, UsageCounts()) + counts

        def work(connection: Connection) -> None:
            for key, counts in together.items():
                _add(connection, asdict(key), asdict(counts))

        self._database.write(work)

    def since(self, first_day: str, *, provider_id: str | None = None) -> Sequence[UsageRow]:
        """What requests came to from a day on, of one provider or of all; oldest first."""
        statement = SUM_USAGE
        if provider_id is not None:
            statement = statement.where(provider_usage.c.provider_id == provider_id)
        with self._database.read() as connection:
            return [
                UsageRow(
                    provider_id=row.provider_id,
                    model=row.model,
                    day=row.day,
                    counts=UsageCounts(**{name: int(getattr(row, name)) for name in COUNTS}),
                )
                for row in connection.execute(statement, {"first_day": first_day})
            ]


def _add(connection: Connection, key: Mapping[str, str], counts: Mapping[str, int]) -> None:
    # one thread writes, so nobody can add the row between the two statements
    found = {f"b_{name}": value for name, value in key.items()} | {f"d_{name}": n for name, n in counts.items()}
    if not connection.execute(ADD_TO_USAGE, found).rowcount:
        connection.execute(ADD_USAGE, {**key, **counts})


def _sane(count: object) -> int:
    if not isinstance(count, int | float) or not math.isfinite(count):
        return 0
    return min(max(int(count), 0), MOST_AT_ONCE)


def _microdollars(dollars: object) -> int | None:
    if not isinstance(dollars, int | float) or not math.isfinite(dollars) or dollars < 0:
        return None
    return _sane(round(dollars * MICRODOLLARS))
