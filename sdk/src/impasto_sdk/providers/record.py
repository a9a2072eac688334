"""`external_record`: an external model as a model record: listed, chosen and referred to like any other."""

import re

from impasto_sdk.fields import JsonValue
from impasto_sdk.models import ModelRecord
from impasto_sdk.providers.model import (
    EXTERNAL_BASE,
    EXTERNAL_FORMAT,
    EXTERNAL_TYPE,
    ExternalModel,
    external_source,
)
from impasto_sdk.providers.provider import ExternalProvider

__all__ = ["external_record"]

_NOT_IN_A_KEY = re.compile(r"[^A-Za-z0-9._-]+")


def external_record(provider: type[ExternalProvider], model: ExternalModel) -> ModelRecord:
    """The record of a provider's model. It is a function of the two, so its key is the same on every server.

    Its facts are those of its capabilities, ``provider``, ``options`` (names of those it takes) and ``defaults``, of
    which the size is the model's first unless it says otherwise.
    """
    source = external_source(provider.provider_id, model.id)
    first = next(iter(model.capabilities.presets), None)
    size = {} if first is None else {"size": {"width": first.width, "height": first.height}}
    facts: dict[str, JsonValue] = {
        **model.capabilities.facts(),
        "provider": provider.provider_id,
        "options": list(model.option_names(provider.options.model_fields)),
        "defaults": {**size, **model.defaults},
    }
    return ModelRecord(
        key=_NOT_IN_A_KEY.sub("-", f"{provider.provider_id}.{model.id}"),
        hash=source,
        path=source,
        name=model.name,
        description=f"{model.description} Needs an API key of {provider.title}; usage may cost money.",
        source=source,
        source_type="external",
        base=EXTERNAL_BASE,
        type=EXTERNAL_TYPE,
        format=EXTERNAL_FORMAT,
        facts=facts,
    )
