"""`ExternalModel`: a model of an external service, and the address that stands for it among models on disk."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from impasto_sdk.fields import JsonValue
from impasto_sdk.providers.capabilities import ExternalModelCapabilities

__all__ = [
    "EXTERNAL_BASE",
    "EXTERNAL_FORMAT",
    "EXTERNAL_SCHEME",
    "EXTERNAL_TYPE",
    "ExternalModel",
    "external_source",
    "model_id_of",
]

#: How the source of every such model begins: ``external://provider/model``.
EXTERNAL_SCHEME = "external://"
# what the records of all such models say, as InvokeAI's do
EXTERNAL_BASE = "external"
EXTERNAL_TYPE = "external_image_generator"
EXTERNAL_FORMAT = "external_api"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalModel:
    """A model of a provider."""

    #: Id as the service spells it; it is sent with every request.
    id: str
    #: Name shown to a person.
    name: str
    #: What it is good for.
    description: str
    capabilities: ExternalModelCapabilities
    #: What a panel begins with, by field, e.g. ``{"quality": "auto"}``.
    defaults: Mapping[str, JsonValue] = field(default_factory=dict)
    #: Which of the provider's options it takes, by name; None: all of them.
    options: tuple[str, ...] | None = None

    def option_names(self, declared: Iterable[str]) -> tuple[str, ...]:
        """Those of the provider's `declared` options that it takes, in order."""
        return tuple(name for name in declared if self.options is None or name in self.options)


def external_source(provider_id: str, model_id: str) -> str:
    """``external://provider/model``."""
    return f"{EXTERNAL_SCHEME}{provider_id}/{model_id}"


def model_id_of(source: str, provider_id: str) -> str | None:
    """The model's id in such an address of this provider; None for any other address."""
    prefix = external_source(provider_id, "")
    return source.removeprefix(prefix) if source.startswith(prefix) else None
