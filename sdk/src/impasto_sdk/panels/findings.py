"""What is wrong with one value of one field: the rules of each kind, as pure functions that give `Finding`s.

`impasto_sdk.panels.check` applies them to whole panels. Bounds that follow a fact are resolved in the field's scope.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from impasto_sdk.fields import JsonValue
from impasto_sdk.panels.bounds import Bounds
from impasto_sdk.panels.filter import candidates, unmet
from impasto_sdk.panels.kinds import (
    AnyField,
    Boolean,
    Choice,
    ChoiceKind,
    Choices,
    Colour,
    ImageKind,
    Images,
    Integer,
    List,
    Model,
    NumberKind,
    Range,
    Seed,
    Size,
    TextKind,
)
from impasto_sdk.panels.scope import Scope, equal, is_number
from impasto_sdk.panels.sizes import nearest_size, size_problems

__all__ = ["Finding", "count_findings", "findings", "seed_bounds"]

#: Greatest seed when a field names none: 2^32 − 1, which every random number generator takes.
MAX_SEED = 2**32 - 1


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with a value."""

    message: str
    #: JSON Pointer to the part that is wrong, inside the value; empty for the whole.
    path: str = ""
    #: A value for that part that would be accepted, when one is obvious.
    fix: JsonValue = None


def findings(field: AnyField, value: JsonValue, scope: Scope) -> Iterator[Finding]:
    """Everything that is wrong with `value`, which is not null, as the value of `field`."""
    rule = _RULES.get(field.kind)
    return iter(()) if rule is None else rule(field, value, scope)


def _text(field: TextKind, value: JsonValue, scope: Scope) -> Iterator[Finding]:
    if not isinstance(value, str):
        yield _wrong_type(value, "a text")
    elif field.max_length is not None and len(value) > field.max_length:
        yield Finding(
            f"{len(value)} characters are given, at most {field.max_length} are taken", fix=value[: field.max_length]
        )


def _number(field: NumberKind, value: JsonValue, scope: Scope) -> Iterator[Finding]:
    whole = isinstance(field, Integer)
    if not is_number(value) or (whole and value != int(value)):
        yield _wrong_type(value, "a whole number" if whole else "a number")
        return
    bounds = Bounds.of(field, scope)
    if problem := bounds.problem(value):
        yield Finding(problem, fix=bounds.nearest(value, whole=whole))


def _boolean(field: Boolean, value: JsonValue, scope: Scope) -> Iterator[Finding]:
    if not isinstance(value, bool):
        yield _wrong_type(value, "true or false")


def _range(field: Range, value: JsonValue, scope: Scope) -> Iterator[Finding]:
    if not isinstance(value, list | tuple) or len(value) != 2 or not all(is_number(end) for end in value):
        yield _wrong_type(value, "two numbers, [from, to]")
        return
    bounds = Bounds(field.min, field.max)
    for index, end in enumerate(value):
        if problem := bounds.problem(end):
            yield Finding(problem, f"/{index}", bounds.nearest(end, whole=False))
    gap = field.min_gap or 0
    if value[1] - value[0] < gap - 1e-9:
        yield Finding(f"{value[0]} to {value[1]} is given; the end must be at least {gap} above the beginning")


def _choice(field: Choice, value: JsonValue, scope: Scope) -> Iterator[Finding]:
    if isinstance(value, list | tuple | dict):
        yield _wrong_type(value, "one option")
    else:
        yield from _option(field, value, scope, "")


def _choices(field: Choices, value: JsonValue, scope: Scope) -> Iterator[Finding]:
    if not isinstance(value, list | tuple):
        yield _wrong_type(value, "a list of options")
        return
    for index, one in enumerate(value):
        yield from _option(field, one, scope, f"/{index}")
        if any(equal(one, earlier) for earlier in value[:index]):
            yield Finding(f"{one!r} is chosen twice", f"/{index}")


def _option(field: ChoiceKind, value: JsonValue, scope: Scope, path: str) -> Iterator[Finding]:
    options = scope.options(field)
    if options is None or field.free_text:
        return
    chosen = next((option for option in options if equal(option.value, value)), None)
    enabled = [option for option in options if scope.test(option.enabled_when)]
    names = ", ".join(repr(option.value) for option in enabled) or "none"
    if chosen is None:
        yield Finding(f"{value!r} is no option; there are {names}", path, enabled[0].value if enabled else None)
    elif chosen not in enabled:
        yield Finding(f"{value!r} cannot be chosen with these values; there are {names}", path)


def _seed(field: Seed, value: JsonValue, scope: Scope) -> Iterator[Finding]:
    modes = field.modes or ("random", "fixed", "increment")
    if not isinstance(value, Mapping) or not isinstance(value.get("mode"), str):
        yield _wrong_type(value, 'an object {"mode", "value"}')
        return
    if value["mode"] not in modes:
        yield Finding(f"{value['mode']!r} is no mode; there are {', '.join(modes)}", "/mode", modes[0])
    number = value.get("value")
    if number is None:
        if value["mode"] == "fixed":
            yield Finding("a fixed seed needs a value", "/value")
    elif not is_number(number) or number != int(number):
        yield Finding(_wrong_type(number, "a whole number").message, "/value")
    elif problem := (bounds := seed_bounds(field)).problem(number):
        yield Finding(problem, "/value", bounds.nearest(number, whole=True))


def seed_bounds(field: Seed) -> Bounds:
    """Least and greatest seed of a seed field."""
    return Bounds(field.min or 0, MAX_SEED if field.max is None else field.max)


def _size(field: Size, value: JsonValue, scope: Scope) -> Iterator[Finding]:
    given = [value.get("width"), value.get("height")] if isinstance(value, Mapping) else []
    sides = [int(side) for side in given if is_number(side) and side == int(side) and side > 0]
    if len(sides) != 2:
        yield _wrong_type(value, 'an object {"width", "height"} of whole numbers of pixels')
        return
    width, height = sides
    fix = nearest_size(field, scope, width, height)
    for path, message in size_problems(field, scope, width, height):
        yield Finding(message, path, fix[path.removeprefix("/")] if path else fix)


def _model(field: Model, value: JsonValue, scope: Scope) -> Iterator[Finding]:
    if not isinstance(value, Mapping) or not isinstance(value.get("key"), str):
        yield _wrong_type(value, 'a model\'s identifier, {"key": …}')
        return
    fitting = list(candidates(field, scope))
    facts = scope.world.models.get(value["key"])
    if facts is None:
        name = value.get("name") or value["key"]
        yield Finding(f"the model {name!r} is not installed", fix=_stand_in(value, fitting))
        return
    if reasons := unmet(field, facts, scope):
        name = facts.get("name", value["key"])
        yield Finding(f"the model {name!r} does not fit: {'; '.join(reasons)}", fix=_stand_in(value, fitting))


def _stand_in(value: Mapping[str, JsonValue], fitting: list[dict[str, JsonValue]]) -> JsonValue:
    """The same weights under another key, a model of the same name, or the only one that fits."""
    for fact in ("hash", "name"):
        for one in fitting:
            if value.get(fact) and one.get(fact) == value[fact]:
                return one
    return fitting[0] if len(fitting) == 1 else None


def _image(field: ImageKind, value: JsonValue, scope: Scope) -> Iterator[Finding]:
    if not isinstance(value, Mapping) or not isinstance(value.get("image_name"), str):
        yield _wrong_type(value, 'an image, {"image_name": …}')
        return
    name, images = value["image_name"], scope.world.images
    if images is None:
        return
    if name not in images:
        yield Finding(f"no image {name!r} is stored; it may have been deleted")
        return
    media, size = images[name].get("mime_type"), images[name].get("bytes")
    if field.accept and media is not None and media not in field.accept:
        yield Finding(f"the image is {media}; taken are {', '.join(field.accept)}")
    if field.max_bytes is not None and is_number(size) and size > field.max_bytes:
        yield Finding(f"the image has {size} bytes; at most {field.max_bytes} are taken")


def _images(field: Images, value: JsonValue, scope: Scope) -> Iterator[Finding]:
    if not isinstance(value, list | tuple):
        yield _wrong_type(value, "a list of images")
        return
    yield from count_findings(len(value), field.min_items, scope.resolve(field.max_items), "images")
    for index, one in enumerate(value):
        for finding in _image(field, one, scope):
            yield Finding(finding.message, f"/{index}{finding.path}", finding.fix)


def _colour(field: Colour, value: JsonValue, scope: Scope) -> Iterator[Finding]:
    pattern, form = (r"#[0-9a-fA-F]{6}([0-9a-fA-F]{2})?", "#rrggbb or #rrggbbaa") if field.alpha else (
        r"#[0-9a-fA-F]{6}", "#rrggbb"
    )  # fmt: skip
    if not isinstance(value, str) or not re.fullmatch(pattern, value):
        yield _wrong_type(value, f"a colour, {form}")


def _list(field: List, value: JsonValue, scope: Scope) -> Iterator[Finding]:
    if not isinstance(value, list | tuple):
        yield _wrong_type(value, "a list")
        return
    yield from count_findings(len(value), field.min_items, field.max_items, "entries")
    for index, one in enumerate(value):
        for finding in findings(field.item, one, scope):
            yield Finding(finding.message, f"/{index}{finding.path}", finding.fix)


def count_findings(count: int, least: Any, most: Any, what: str) -> Iterator[Finding]:
    """What is wrong with a number of things; a bound that is None is none."""
    if least is not None and count < least:
        yield Finding(f"there are {count} {what}, at least {least} are needed")
    if is_number(most) and count > most:
        yield Finding(f"there are {count} {what}, at most {most} are taken")


def _wrong_type(value: JsonValue, wanted: str) -> Finding:
    text = repr(value)
    return Finding(f"{text if len(text) <= 60 else text[:57] + '…'} is given, {wanted} is needed")


#: The rule of each kind; a kind that is not here holds anything, and a note holds nothing.
_RULES: dict[str, Callable[[Any, JsonValue, Scope], Iterator[Finding]]] = {
    "text": _text,
    "prompt": _text,
    "secret": _text,
    "integer": _number,
    "number": _number,
    "range": _range,
    "boolean": _boolean,
    "choice": _choice,
    "choices": _choices,
    "seed": _seed,
    "size": _size,
    "model": _model,
    "image": _image,
    "mask": _image,
    "images": _images,
    "colour": _colour,
    "list": _list,
}
