"""`Roles`: which fields of a panel take what a request brings, found by what the fields are. Pure.

No panel and no plugin is named. A panel of an external service does not count: what it makes is not made here, and
costs money.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TypeVar

from impasto_sdk.fields import JsonValue
from impasto_sdk.models import ModelRecord
from impasto_sdk.panels import (
    Image,
    Images,
    Mask,
    Model,
    PanelForm,
    Prompt,
    Scope,
    Seed,
    Size,
    World,
    check,
    effective,
    unmet,
)

__all__ = ["Roles", "Task", "roles_of"]

FieldT = TypeVar("FieldT")

#: The category of panels of external services.
_PROVIDERS = "provider"
#: Where a record's weights are not on this machine.
_EXTERNAL = "external"
#: Stands for an image while it is found out whether a panel takes one.
_SOME_IMAGE: JsonValue = {"image_name": "some.png"}


class Task(Enum):
    """What a panel is wanted for."""

    GENERATE = "make a picture from words"
    EDIT = "change a picture"
    MASK = "change a picture in a mask"


@dataclass(frozen=True, slots=True, kw_only=True)
class Roles:
    """A panel, and its fields by what they are for. Names are ids of fields; None: it has none for that."""

    form: PanelForm
    prompt: str
    model: Model
    size: Size | None
    seed: str | None
    image: str | None
    #: The field for a mask over `image`.
    mask: str | None
    #: The field for further images.
    references: str | None

    @property
    def strength(self) -> str | None:
        """The field that says how much of a picture is made anew."""
        canvas = self.form.canvas
        return canvas.strength.removeprefix("/") if canvas is not None and canvas.strength is not None else None

    @property
    def count(self) -> str | None:
        """The field that says how many images to make; the queue is asked for several instead."""
        submit = self.form.submit
        return submit.count.removeprefix("/") if submit is not None and submit.count is not None else None

    def params(self) -> dict[str, str]:
        """Parameters of requests by the fields that they go into."""
        found = {
            "prompt": self.prompt,
            "model": self.model.id,
            "size": self.size.id if self.size is not None else None,
            "seed": self.seed,
            "image": self.image,
            "mask": self.mask,
        }
        return {field: param for param, field in found.items() if field is not None}

    def values(self, model: ModelRecord, prompt: str) -> dict[str, JsonValue]:
        """The values that every request fills in."""
        one = {} if self.count is None else {self.count: 1}
        return {self.prompt: prompt, self.model.id: {"key": model.key}, **one}

    def scope(self, values: Mapping[str, JsonValue], world: World) -> Scope:
        """What the panel comes to with these values, for conditions and references."""
        return effective(self.form, values, world).groups[0].scope

    def serves(self, task: Task, model: ModelRecord, world: World) -> bool:
        """Whether the panel makes a graph for `task` with this model, from what a request brings and no more."""
        fits = not unmet(self.model, world.models[model.key], Scope(self.form.root_fields, {}, world))
        if model.source_type == _EXTERNAL or not fits:  # most do not, and the whole check takes its time
            return False
        values = self.values(model, "a picture")
        alone = check(self.form, values, world).ok
        if task is Task.GENERATE:
            return alone
        needed = [self.image, *([self.mask] if task is Task.MASK else [])]
        if None in needed:
            return False
        given = {**values, **{field: _SOME_IMAGE for field in needed if field is not None}}
        verdict = check(self.form, given, world)
        return verdict.ok and not verdict.hidden.intersection(field for field in needed if field is not None)

    @property
    def needs_image(self) -> bool:
        """Whether the panel does nothing without a picture to change."""
        return self.image is not None and bool(getattr(self.form.root_fields[self.image], "required", False))


def roles_of(form: PanelForm) -> Roles | None:
    """The roles of a panel; None for one that makes no pictures on this machine, or not from a prompt and a model."""
    if form.category == _PROVIDERS or form.makes not in ("image", "images"):
        return None
    prompt, model = _first(form, Prompt), _first(form, Model)
    if prompt is None or model is None or not model.required:
        return None
    size, image, seed, references = (
        _first(form, Size), _first(form, Image), _first(form, Seed), _first(form, Images)
    )  # fmt: skip
    masks = (mask for mask in _all(form, Mask) if image is not None and (mask.of or image.id) == image.id)
    mask = next(masks, None)
    return Roles(
        form=form,
        prompt=prompt.id,
        model=model,
        size=size,
        seed=seed.id if seed is not None else None,
        image=image.id if image is not None else None,
        mask=mask.id if mask is not None else None,
        references=references.id if references is not None else None,
    )


def _all(form: PanelForm, kind: type[FieldT]) -> Iterator[FieldT]:
    return (field for field in form.root_fields.values() if isinstance(field, kind))


def _first(form: PanelForm, kind: type[FieldT]) -> FieldT | None:
    """The first field of a kind that must be filled in, else the first of that kind."""
    found = list(_all(form, kind))
    return next((field for field in found if getattr(field, "required", False)), next(iter(found), None))
