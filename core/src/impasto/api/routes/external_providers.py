"""External image services: `/api/v1/app/external_providers/…`. Keys, addresses, a test of them, and usage.

Paths and payloads are InvokeAI's where it has them. A key is taken and never given back, not in part either.
"""

from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import Query
from pydantic import BaseModel, Field

from impasto.api.parameters import App, NameParameter, SecretBody
from impasto.api.problems import problem_responses
from impasto.api.router import Router
from impasto.app.providers.config import ProviderConfig
from impasto.app.providers.usage_report import UsageReport
from impasto.storage.provider_usage import UsageCounts

__all__ = ["router"]

router = Router("/api/v1/app/external_providers", "app")

#: The most days of usage that are added up for one answer.
MOST_DAYS = 3660

Source = Literal["environment", "file"]


class ExternalProviderStatus(BaseModel):
    """Whether an external provider can be used."""

    provider_id: str
    configured: bool = Field(description="Whether it has all that it needs; the service is not asked")
    message: str = Field(description="Why not, and what to do; for a person")


class ExternalProviderConfig(BaseModel):
    """What is set of an external provider, but for the key itself."""

    provider_id: str
    api_key_configured: bool = Field(description="Whether a key is set")
    base_url: str | None = Field(description="Where the service is, if that was set; null: at `default_base_url`")
    title: str = Field(description="Its name for a person")
    plugin: str = Field(description="The plugin that it comes from")
    api_key_source: Source | None = Field(description="Where the key is from; one of the environment cannot be changed")
    base_url_source: Source | None = Field(description="The same for the address")
    default_base_url: str
    key_help: str = Field(description="Where a person gets a key; may be empty")


class ExternalProviderConfigUpdate(SecretBody):
    """What is to be set of an external provider. What is null or left out stays as it is."""

    api_key: str | None = Field(default=None, description="The key, as the service shows it; blanks around it are cut")
    base_url: str | None = Field(
        default=None,
        description="Where the service is: http or https, a host, and a path if there is one; empty: where it usually "
        "is. With another host than before, the key has to be given, too",
    )


class ExternalProviderTest(BaseModel):
    """What a service says of a key."""

    provider_id: str
    ok: bool = Field(description="Whether the service takes the key")
    outcome: Literal["accepted", "refused", "unanswered", "not_configured", "not_testable", "failed"] = Field(
        description="`unanswered`: it was not reached in time, or is busy; `not_testable`: it has no way to ask; "
        "`failed`: its plugin made a mistake"
    )
    message: str = Field(description="The same for a person")


class ExternalUsage(BaseModel):
    """What requests to external services came to."""

    requests: int
    completed: int = Field(description="Requests that were answered")
    refused: int = Field(description="Requests that the service refused")
    failed: int = Field(description="Requests that were lost on the way or in the service")
    canceled: int = Field(description="Requests that were given up here")
    images: int = Field(description="Pictures that came back")
    input_tokens: int
    output_tokens: int
    cost_usd: float = Field(description="The costs that are known, in US dollars")
    unpriced: int = Field(description="Completed requests whose cost is not known, and not in `cost_usd`")


class ExternalUsageOfModel(ExternalUsage):
    """What requests to one model came to."""

    provider_id: str
    model: str = Field(description="Its id as the service spells it; `(unknown)`: a worker was lost before it said")


class ExternalUsageOfDay(ExternalUsage):
    """What requests to one provider came to on one day."""

    day: str = Field(description="In UTC, e.g. `2026-11-22`")
    provider_id: str


class ExternalProviderUsage(BaseModel):
    """The usage of some days."""

    first_day: str = Field(description="In UTC, e.g. `2026-11-22`")
    last_day: str = Field(description="Today")
    total: ExternalUsage
    models: list[ExternalUsageOfModel] = Field(description="By provider and model")
    days: list[ExternalUsageOfDay] = Field(description="By day and provider, oldest first; days without are left out")


@router.get("/status")
def list_external_provider_statuses(app: App) -> list[ExternalProviderStatus]:
    """Whether each external provider can be used. No service is asked."""
    return [
        ExternalProviderStatus(provider_id=one.provider_id, configured=one.configured, message=one.message)
        for one in app.providers.statuses()
    ]


@router.get("/config")
def list_external_provider_configs(app: App) -> list[ExternalProviderConfig]:
    """What is set of each external provider, but for the keys themselves."""
    return [_config(one) for one in app.providers.configs()]


@router.post("/config/{provider_id}", responses=problem_responses(404, 409))
def set_external_provider_config(
    app: App, provider_id: NameParameter, changes: ExternalProviderConfigUpdate
) -> ExternalProviderConfig:
    """Set the key, the address or both. It counts at once: its models and its panel are there when this answers."""
    return _config(app.providers.configure(provider_id, api_key=changes.api_key, base_url=changes.base_url))


@router.delete("/config/{provider_id}", responses=problem_responses(404, 409))
def reset_external_provider_config(app: App, provider_id: NameParameter) -> ExternalProviderConfig:
    """Remove the key and the address, and with them the models and the panel. Requests under way go on."""
    return _config(app.providers.reset(provider_id))


@router.post("/config/{provider_id}/test", responses=problem_responses(404))
def test_external_provider_config(app: App, provider_id: NameParameter) -> ExternalProviderTest:
    """Ask the service whether it takes the key. It costs nothing, and is answered within 15 seconds."""
    check = app.providers.verify(provider_id)
    return ExternalProviderTest(
        provider_id=check.provider_id, ok=check.outcome == "accepted", outcome=check.outcome, message=check.message
    )


@router.get("/usage")
def get_external_provider_usage(
    app: App,
    days: Annotated[int, Query(description="Today, and so many days with it, in UTC", ge=1, le=MOST_DAYS)] = 30,
    provider_id: Annotated[str | None, Query(description="Only of this provider", min_length=1)] = None,
) -> ExternalProviderUsage:
    """What requests to external services came to, by model and by day. What was paid for is counted at once."""
    return _usage(app.providers.usage(days, provider_id))


def _config(config: ProviderConfig) -> ExternalProviderConfig:
    return ExternalProviderConfig(**asdict(config))


def _usage(report: UsageReport) -> ExternalProviderUsage:
    return ExternalProviderUsage(
        first_day=report.first_day,
        last_day=report.last_day,
        total=ExternalUsage(**_fields(report.total)),
        models=[
            ExternalUsageOfModel(provider_id=one.provider_id, model=one.model, **_fields(one.counts))
            for one in report.models
        ],
        days=[
            ExternalUsageOfDay(day=one.day, provider_id=one.provider_id, **_fields(one.counts)) for one in report.days
        ],
    )


def _fields(counts: UsageCounts) -> dict[str, Any]:
    own = asdict(counts)
    del own["cost_microdollars"]
    return {**own, "requests": counts.requests, "cost_usd": counts.cost_usd}
