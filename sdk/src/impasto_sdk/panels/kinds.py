"""The fields of a panel, one class for each kind, named as the kind is.

What each kind holds in the values is said by its class. ``None`` is held by a field that was switched off
(`optional`), and by a size that is left to the service (`Size.auto`).
"""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from impasto_sdk.fields import JsonValue
from impasto_sdk.panels.field import PanelField
from impasto_sdk.panels.option import Option, OptionSource, OptionValue
from impasto_sdk.panels.part import FieldPath, Many, PanelPart
from impasto_sdk.panels.reference import NumberOrFact, Reference, SameAs

__all__ = [
    "AnyField",
    "Boolean",
    "Choice",
    "ChoiceKind",
    "Choices",
    "Colour",
    "Image",
    "ImageKind",
    "Images",
    "Integer",
    "List",
    "Mask",
    "Model",
    "Note",
    "Number",
    "NumberKind",
    "Prompt",
    "Range",
    "Secret",
    "Seed",
    "Size",
    "SizePreset",
    "Text",
    "TextKind",
    "TokenCount",
]


class TokenCount(PanelPart):
    """Which model's tokenizer counts a prompt."""

    model: FieldPath | None = None


class TextKind(PanelField):
    """What texts of all kinds have."""

    #: Lines shown; 1 is a single line.
    rows: int | None = None
    placeholder: str | None = None
    #: Most characters.
    max_length: int | None = None
    syntax: Literal["plain", "weighted"] | None = None
    tokens: TokenCount | None = None
    examples: Many[str] | None = None


class Text(TextKind):
    """Text. Holds a string."""

    kind: Literal["text"] = "text"


class Prompt(TextKind):
    """A prompt. Holds a string; ``syntax="weighted"`` says that (word)1.3 and word++ mean something."""

    kind: Literal["prompt"] = "prompt"


class Secret(TextKind):
    """A secret text, e.g. a key. Holds a string; never stored with an image and never sent back."""

    kind: Literal["secret"] = "secret"


class NumberKind(PanelField):
    """What numbers of both kinds have."""

    min: NumberOrFact | None = None
    max: NumberOrFact | None = None
    soft_min: NumberOrFact | None = None
    soft_max: NumberOrFact | None = None
    step: int | float | None = None
    coarse_step: int | float | None = None
    multiple_of: NumberOrFact | None = None
    unit: str | None = None
    scale: Literal["linear", "log"] | None = None
    show_as: Literal["percent"] | None = None
    marks: Many[int | float] | None = None
    widget: Literal["slider", "box"] | None = None


class Number(NumberKind):
    """A number. Holds a number between the hard bounds `min` and `max`; the soft ones draw the slider."""

    kind: Literal["number"] = "number"


class Integer(NumberKind):
    """A whole number. Holds an integer between the hard bounds `min` and `max`."""

    kind: Literal["integer"] = "integer"


class Range(PanelField):
    """Two numbers, from and to. Holds ``[from, to]`` with ``min ≤ from``, ``from + min_gap ≤ to``, ``to ≤ max``."""

    kind: Literal["range"] = "range"
    min: int | float | None = None
    max: int | float | None = None
    step: int | float | None = None
    min_gap: int | float | None = None
    show_as: Literal["percent"] | None = None
    unit: str | None = None


class Boolean(PanelField):
    """Yes or no. Holds a boolean."""

    kind: Literal["boolean"] = "boolean"


class ChoiceKind(PanelField):
    """What choices of one and of many have."""

    #: Values, or `Option`s, or a fact that holds a list of either.
    options: Many[OptionValue | Option] | Reference | None = None
    #: Where a client gets the options instead.
    options_from: OptionSource | None = None
    widget: Literal["segmented", "menu", "cards"] | None = None
    free_text: bool = False


class Choice(ChoiceKind):
    """One of several options. Holds the value of the option, or any text with `free_text`."""

    kind: Literal["choice"] = "choice"


class Choices(ChoiceKind):
    """Any number of several options. Holds a list of their values, each at most once."""

    kind: Literal["choices"] = "choices"


class Seed(PanelField):
    """The seed of random numbers. Holds ``{"mode": "random"|"fixed"|"increment", "value": integer}``.

    ``random``: the value is drawn when the panel is enqueued. ``increment``: as fixed; the client adds the number of
    images to it after each enqueue. Where `build_graph` sees it, ``value`` is always there.
    """

    kind: Literal["seed"] = "seed"
    #: Least and greatest seed; 0 and 2^32 − 1 unless given.
    min: int | None = None
    max: int | None = None
    modes: Many[Literal["random", "fixed", "increment"]] | None = None


class SizePreset(PanelPart):
    """A size to choose."""

    width: int
    height: int
    label: str | None = None


class Size(PanelField):
    """Width and height in pixels. Holds ``{"width": integer, "height": integer}``, or null with `auto`."""

    kind: Literal["size"] = "size"
    #: Bounds of either side, in pixels.
    min: NumberOrFact | None = None
    max: NumberOrFact | None = None
    #: Both sides are multiples of it.
    multiple_of: NumberOrFact | None = None
    #: The side of a square that suits the model, in pixels.
    native: NumberOrFact | None = None
    #: Aspect ratios to offer, e.g. ``3:2``.
    aspects: Many[str] | None = None
    presets: Many[SizePreset] | Reference | None = None
    #: No other size than the presets.
    presets_only: bool = False
    #: Label of null: the service chooses.
    auto: str | None = None


class Model(PanelField):
    """A model. Holds the model's identifier: ``{"key", "hash", "name", "base", "type"}``, of which ``key`` counts."""

    kind: Literal["model"] = "model"
    #: Facts that a model must have: a value, a list that means one of, or `same_as` another field's fact.
    where: Mapping[str, bool | str | int | float | Many[JsonValue] | SameAs] | None = None
    none_label: str | None = None
    #: Ids of starter models that would do.
    starters: Many[str] | None = None


class ImageKind(PanelField):
    """What images, lists of images and masks have."""

    min_items: int | None = None
    max_items: NumberOrFact | None = None
    #: Media types, e.g. ``image/png``.
    accept: Many[str] | None = None
    max_bytes: int | None = None
    #: For a mask: the field of the image that it belongs to.
    of: FieldPath | None = None
    #: How it is brought to the size of the picture.
    fit: Literal["none", "resize", "crop"] | None = None


class Image(ImageKind):
    """A stored image. Holds ``{"image_name": …}``."""

    kind: Literal["image"] = "image"


class Images(ImageKind):
    """Several stored images. Holds a list of ``{"image_name": …}``, between `min_items` and `max_items` of them."""

    kind: Literal["images"] = "images"


class Mask(ImageKind):
    """A mask painted over another field's image. Holds ``{"image_name": …}``: white is made anew, black stays."""

    kind: Literal["mask"] = "mask"


class Colour(PanelField):
    """A colour. Holds ``#rrggbb``, or ``#rrggbbaa`` with `alpha`."""

    kind: Literal["colour"] = "colour"
    alpha: bool = False
    #: Colours to offer.
    palette: Many[str] | None = None


class List(PanelField):
    """A list of values of one kind. Holds a list of what `item` holds."""

    kind: Literal["list"] = "list"
    item: "AnyField"
    min_items: int | None = None
    max_items: int | None = None


class Note(PanelField):
    """A text for the person. Holds nothing."""

    kind: Literal["note"] = "note"
    level: Literal["info", "warning"] | None = None
    text: str | None = None


#: A field of any kind.
AnyField = Annotated[
    Text | Prompt | Secret | Number | Integer | Range | Boolean | Choice | Choices | Seed | Size | Model
    | Image | Images | Mask | Colour | List | Note,
    Field(discriminator="kind"),
]  # fmt: skip
