"""Model records: `/api/v2/models/…`. Paths and payloads are InvokeAI's."""

from collections.abc import Container
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from fastapi import Query, Response
from pydantic import BaseModel, ConfigDict, Field, create_model

from impasto.api.idempotency import IdempotencyKey, tell_repeated
from impasto.api.parameters import App, NameParameter, RequestBody
from impasto.api.problems import problem_responses
from impasto.api.router import Router
from impasto.models.registry import CHANGEABLE
from impasto_sdk.models import ModelRecord, StarterModel

__all__ = ["router"]

router = Router("/api/v2/models", "models")

#: What an absolute path looks like: a client does not know the server's working folder.
ABSOLUTE_PATH = r"^(/|[A-Za-z]:[\\/])[^\x00]*$"


class ModelList(BaseModel):
    """Model records."""

    models: list[ModelRecord]


class ModelRegistration(RequestBody):
    """Weights that are to be registered."""

    path: str = Field(description="Absolute path of a file or folder on the server", pattern=ABSOLUTE_PATH)
    name: str | None = Field(default=None, min_length=1, description="Name shown to a person; None: found out")
    description: str | None = Field(default=None, description="A sentence about it; None: found out")


if TYPE_CHECKING:
    ModelChanges = RequestBody
else:
    ModelChanges = create_model(
        "ModelChanges",
        __doc__="What is to be changed of a model record.",
        __config__=ConfigDict(extra="forbid", strict=True),
        **{
            # a factory leaves the default out of the description: what is not sent is not changed
            name: (field.annotation, Field(default_factory=lambda: None, description=field.description))
            for name, field in ModelRecord.model_fields.items()
            if name in CHANGEABLE
        },
    )


class StarterModelOffer(BaseModel):
    """A model that a plugin offers to a new installation."""

    id: str
    name: str
    description: str
    source: str
    base: str
    type: str
    format: str
    is_installed: bool = Field(description="Whether it is registered")
    plugin: str = Field(description="The plugin that offers it")
    provider_id: str | None = Field(
        description="The external provider whose model it is: it is there while that has a key, and may cost money; "
        "null: weights"
    )


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


@router.post("/", status_code=201, responses=problem_responses(409))
def register_model(
    app: App, response: Response, registration: ModelRegistration, idempotency_key: IdempotencyKey = None
) -> ModelRecord:
    """Register weights where they lie. Those that are registered already are answered as they are."""
    created = app.models.register_once(
        Path(registration.path),
        name=registration.name,
        description=registration.description,
        idempotency_key=idempotency_key,
    )
    tell_repeated(response, repeated=created.repeated)
    return created.thing


@router.get("/starter_models")
def list_starter_models(app: App) -> StarterModels:
    """The models that plugins offer to a new installation, those of external services among them."""
    keys = {record.key for record in app.models.search()}
    starters = app.host.contributions.starter_models
    offers = [_offer(one.value, one.value.id, one.plugin.name, keys) for one in starters]
    # in the words of their plugins, and not as a person may have changed their records
    external = [
        _offer(record, record.key, plugin, keys, str(record.facts["provider"]))
        for record, plugin in app.providers.offers()
    ]
    return StarterModels(starter_models=[*offers, *external])


@router.get("/i/{key}", responses=problem_responses(404))
def get_model(app: App, key: NameParameter) -> ModelRecord:
    """One model record."""
    return app.models.get(key)


@router.patch("/i/{key}", responses=problem_responses(404, 409))
def update_model(app: App, key: NameParameter, changes: ModelChanges) -> ModelRecord:
    """Change what a person may change of a record; keys that are left out stay as they are.

    Of a model of an external service that is name, description, settings, trigger phrases and cover.
    """
    return app.models.update(key, changes.model_dump(exclude_unset=True))


@router.post("/i/{key}/reidentify", responses=problem_responses(404, 409))
def reidentify_model(app: App, key: NameParameter) -> ModelRecord:
    """Ask the plugins anew what weights are. What a person says of them (name, description …) stays."""
    return app.models.reidentify(key)


@router.delete("/i/{key}", status_code=204, responses=problem_responses(404))
def delete_model(app: App, key: NameParameter) -> None:
    """Forget a model. Its files go too when they lie in the server's own models folder."""
    app.models.delete(key)


def _offer(
    model: StarterModel | ModelRecord, model_id: str, plugin: str, keys: Container[str], provider_id: str | None = None
) -> StarterModelOffer:
    return StarterModelOffer(
        id=model_id,
        name=model.name,
        description=model.description,
        source=model.source,
        base=model.base,
        type=model.type,
        format=model.format,
        is_installed=model_id in keys,
        plugin=plugin,
        provider_id=provider_id,
    )
