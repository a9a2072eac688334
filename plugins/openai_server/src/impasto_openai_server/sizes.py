"""Which size a picture gets, from the size that was asked for, the panel's field and the model's facts. Pure.

Clients of OpenAI's API can often send nothing but OpenAI's own sizes, or send none at all. These then stand for a
shape: the picture gets as many pixels as suit the model. Any other size is meant, and goes to the nearest one that is
taken.
"""

import math

from impasto_sdk.panels import Scope, Size
from impasto_sdk.panels.sizes import nearest_size

__all__ = ["OPENAI_SIZES", "picture_size"]

#: The sizes that OpenAI's models have had.
OPENAI_SIZES = frozenset({(256, 256), (512, 512), (1024, 1024), (1024, 1536), (1536, 1024), (1024, 1792), (1792, 1024)})
#: Pixels of a side where neither the panel nor the model says anything.
_SIDE = 512


def picture_size(
    field: Size,
    scope: Scope,
    asked: tuple[int, int] | None,
    *,
    original: tuple[int, int] | None = None,
    keep_original: bool = False,
    exact: bool = False,
) -> dict[str, int]:
    """``{"width", "height"}`` for `field`, whose panel's values are `scope`.

    `original`: the size of the picture that is to be changed, whose shape counts when no size is asked for; with
    `keep_original` its very size does, unless it is larger than suits the model or not taken: the pixels that must not
    change then need not be scaled. `exact`: OpenAI's own sizes are meant as they stand.
    """
    if asked is not None and (exact or asked not in OPENAI_SIZES):
        return nearest_size(field, scope, *asked)
    area = _native_area(field, scope)
    shape = asked or original
    if shape is None:
        own = scope.values.get(field.id)
        if isinstance(own, dict):
            return {"width": own["width"], "height": own["height"]}
        shape = (1, 1)
    width, height = shape
    taken = nearest_size(field, scope, width, height)
    if keep_original and asked is None and taken == {"width": width, "height": height} and width * height <= area:
        return taken
    side = math.sqrt(area * width / height)
    return nearest_size(field, scope, max(1, round(side)), max(1, round(area / side)))


def _native_area(field: Size, scope: Scope) -> float:
    """How many pixels suit the model."""
    native = scope.resolve(field.native)
    if isinstance(native, int | float) and native > 0:
        return float(native * native)
    own = scope.values.get(field.id)
    return float(own["width"] * own["height"]) if isinstance(own, dict) else float(_SIDE * _SIDE)
