"""What the node of an external provider is run with in memory: records of its models, and a context with its key."""

from impasto_sdk.models import ModelRecord
from impasto_sdk.providers import ExternalProvider, external_record
from impasto_sdk.testing import FakeContext

__all__ = ["provider_context", "records_of"]


def records_of(provider: type[ExternalProvider]) -> dict[str, ModelRecord]:
    """The records of the provider's models, by the id that the service knows."""
    return {model.id: external_record(provider, model) for model in provider.models()}


def provider_context(
    provider: type[ExternalProvider], base_url: str, *, api_key: str | None, places: int = 4
) -> FakeContext:
    """A context with all of the provider's models and a key, whose service is at `base_url`."""
    context = FakeContext()
    context.providers.add(provider.provider_id, api_key=api_key, base_url=base_url, places=places)
    for record in records_of(provider).values():
        context.models.add(record)
    return context
