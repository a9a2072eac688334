"""Model records: `/api/v2/models/…`. Paths and payloads are InvokeAI's."""

from typing import Annotated

from fastapi import Query
from pydantic import BaseModel, Field

from impasto.api.parameters import App, NameParameter
from impasto.api.problems import problem_responses
from impasto.api.router import Router
from impasto_sdk.models import ModelRecord, StarterModel

__all__ = ["router"]

router = Router("/api/v2/models", "models")


class ModelList(BaseModel):
    """Model records."""

    models: list[ModelRecord]


class StarterModelOffer(BaseModel):
    """A model that a plugin offers to a new installation."""

    id: str
    name: str
    description: str
    source: str
    base: str
    type: str
    format: str
    is_installed: bool = Field(description="Whether a record was made from this source")
    plugin: str = Field(description="The plugin that offers it")


class StarterModels(BaseModel):
    """What plugins offer to a new installation."""

    starter_models: list[StarterModelOffer]


@router.get("/")
def list_models(
    app: App,
    base_models: Annotated[list[str] | None, Query(description="Only of these families")] = None,
    model_type: Annotated[str | None, Query(description="Only of this type, e.g. `main`")] = None,
    model_name: Annotated[str | None, Query(description="Only of this name")] = None,
    model_format: Annotated[str | None, Query(description="Only of this format, e.g. `diffusers`")] = None,
) -> ModelList:
    """The model records that match all that is given, by name."""
    found = app.models.search(type=model_type, name=model_name)
    return ModelList(
        models=[
            record
            for record in found
            if (not base_models or record.base in base_models)
            and (model_format is None or record.format == model_format)
        ]
    )


@router.get("/starter_models")
def list_starter_models(app: App) -> StarterModels:
    """The models that plugins offer to a new installation."""
    sources = {record.source for record in app.models.search()}
    offers = [(registered.value, registered.plugin.name) for registered in app.host.contributions.starter_models]
    return StarterModels(starter_models=[_offer(starter, plugin, sources) for starter, plugin in offers])


@router.get("/i/{key}", responses=problem_responses(404))
def get_model(app: App, key: NameParameter) -> ModelRecord:
    """One model record."""
    return app.models.get(key)


def _offer(starter: StarterModel, plugin: str, sources: set[str]) -> StarterModelOffer:
    return StarterModelOffer(
        id=starter.id,
        name=starter.name,
        description=starter.description,
        source=starter.source,
        base=starter.base,
        type=starter.type,
        format=starter.format,
        is_installed=starter.source in sources,
        plugin=plugin,
    )
