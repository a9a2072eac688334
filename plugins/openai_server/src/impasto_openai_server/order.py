"""`Order`: what goes to the queue for a request. Putting it together is pure but for the pictures, which are stored."""

import asyncio
import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from impasto_openai_server.errors import InvalidRequestError
from impasto_openai_server.host import Host, StoredImage
from impasto_openai_server.image_request import ImageRequest, wrong_value
from impasto_openai_server.pictures import edit_mask, extension_of
from impasto_openai_server.refusals import refusal_of
from impasto_openai_server.roles import Roles, Task
from impasto_openai_server.settings import OpenAIServerSettings
from impasto_openai_server.sizes import picture_size
from impasto_openai_server.studio import Choice, Studio
from impasto_sdk.errors import ApiRefusedError
from impasto_sdk.fields import JsonValue
from impasto_sdk.panels import AnyField, Boolean, Integer, Number, Seed

__all__ = ["Order", "order_of", "task_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """The values of a panel, and how many pictures to make of them."""

    panel_id: str
    values: Mapping[str, JsonValue]
    count: int
    #: Width and height that the pictures will have, in pixels; None: the panel does not say.
    size: tuple[int, int] | None
    #: Parameters of the request by the fields that they went into.
    params: Mapping[str, str]


def task_of(asked: ImageRequest) -> Task:
    """What a panel is wanted for."""
    if not asked.images:
        return Task.GENERATE
    return Task.EDIT if asked.mask is None else Task.MASK


async def order_of(asked: ImageRequest, studio: Studio, host: Host, settings: OpenAIServerSettings) -> Order:
    """The order for a request; its pictures are in the library then.

    Raises `InvalidRequestError` and `NoPanelError` for what cannot be, as far as can be before anything is queued.
    """
    task = task_of(asked)
    choice = studio.choose(task, asked.model)
    _refuse_too_many(asked, choice.roles)
    images = [await _stored(host, data) for data in asked.images]
    values = _values(asked, choice, studio)
    if images:
        values |= await _starting_from(images, asked, choice.roles, host)
    size = None
    if choice.roles.size is not None:
        chosen = picture_size(
            choice.roles.size,
            choice.roles.scope(values, studio.world),
            asked.size,
            original=images[0].size if images else None,
            keep_original=task is Task.MASK,
            exact=settings.openai_sizes == "pixels",
        )
        values[choice.roles.size.id], size = chosen, (chosen["width"], chosen["height"])
    return Order(
        panel_id=choice.roles.form.id, values=values, count=asked.count, size=size, params=choice.roles.params()
    )


def _values(asked: ImageRequest, choice: Choice, studio: Studio) -> dict[str, JsonValue]:
    """What the request says, apart from pictures and sizes."""
    roles, form = choice.roles, choice.roles.form
    own = roles.values(choice.model, asked.prompt)
    named: dict[str, JsonValue] = {}
    for name, value in asked.extras.items():
        field_id = roles.seed if name == "seed" and roles.seed is not None else name
        field = form.root_fields.get(field_id)
        if field is not None:
            named[field_id] = _of_kind(field, name, value)
    # of two things that are said of one field, that of OpenAI's own parameter counts
    return {**named, **own}


async def _starting_from(
    images: list[StoredImage], asked: ImageRequest, roles: Roles, host: Host
) -> dict[str, JsonValue]:
    """The values of the fields that take pictures."""
    first, *others = images
    assert roles.image is not None, "it was chosen for that"
    values: dict[str, JsonValue] = {roles.image: {"image_name": first.name}}
    if others and roles.references is not None:
        values[roles.references] = [{"image_name": image.name} for image in others]
    if asked.mask is not None and roles.mask is not None:
        mask = await asyncio.to_thread(edit_mask, asked.mask, first.size)
        values[roles.mask] = {"image_name": (await host.store(mask, "png", "mask")).name}
        strength = roles.form.root_fields.get(roles.strength or "")
        if isinstance(strength, Number) and strength.id not in asked.extras and isinstance(strength.max, int | float):
            # what is masked is to show what the prompt says, not what was there
            values[strength.id] = strength.max
    return values


def _refuse_too_many(asked: ImageRequest, roles: Roles) -> None:
    if len(asked.images) > 1 and roles.references is None:
        raise InvalidRequestError(
            f"image: {len(asked.images)} pictures are given; {roles.form.title} takes one, and no others to go by",
            param="image",
            code="too_many_images",
        )


async def _stored(host: Host, data: bytes) -> StoredImage:
    extension = extension_of(data, "image")
    try:
        return await host.store(data, extension)
    except ApiRefusedError as error:
        refused = refusal_of(error)
        if isinstance(refused, InvalidRequestError):  # what is wrong is the picture
            refused.param = "image"
        raise refused from error


def _of_kind(field: AnyField, name: str, value: JsonValue) -> JsonValue:
    """A value as its field holds it: a seed is more than its number, and a form knows texts only."""
    if isinstance(field, Seed) and not isinstance(value, dict):
        return {"mode": "fixed", "value": _number(name, value, whole=True)}
    if isinstance(value, str | float) and isinstance(field, Integer | Number):
        return _number(name, value, whole=isinstance(field, Integer))
    if isinstance(value, str) and isinstance(field, Boolean):
        return value.strip().lower() in ("true", "1")
    return value


def _number(name: str, value: JsonValue, *, whole: bool) -> int | float:
    number = value
    if isinstance(value, str):
        with suppress(ValueError):
            number = int(value) if whole else float(value)
    if isinstance(number, int) and not isinstance(number, bool):
        return number
    if isinstance(number, float) and math.isfinite(number) and (not whole or number.is_integer()):
        return int(number) if whole else number
    raise wrong_value(name, value, "a whole number" if whole else "a number")
