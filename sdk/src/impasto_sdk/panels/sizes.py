"""Which sizes a `Size` field takes, and the nearest one to a size that it does not take."""

import math
from collections.abc import Iterator, Mapping, Sequence

from impasto_sdk.panels.bounds import Bounds
from impasto_sdk.panels.kinds import Size, SizePreset
from impasto_sdk.panels.scope import Scope

__all__ = ["nearest_size", "presets_of", "size_problems"]


def presets_of(field: Size, scope: Scope) -> list[tuple[int, int]]:
    """Width and height of each preset, in pixels, as they are now."""
    found = scope.resolve(field.presets)
    presets = found if isinstance(found, Sequence) and not isinstance(found, str) else ()
    pairs = []
    for preset in presets:
        if isinstance(preset, SizePreset):
            pairs.append((preset.width, preset.height))
        elif isinstance(preset, Mapping) and "width" in preset and "height" in preset:
            pairs.append((int(preset["width"]), int(preset["height"])))
    return pairs


def size_problems(field: Size, scope: Scope, width: int, height: int) -> Iterator[tuple[str, str]]:
    """What is wrong with a size, as (``/width``, ``/height`` or empty for both, words)."""
    presets = presets_of(field, scope)
    if field.presets_only:
        if presets and (width, height) not in presets:
            offered = ", ".join(f"{one}×{other}" for one, other in presets)
            yield "", f"{width}×{height} is given; taken are {offered}"
        return
    bounds = Bounds.of(field, scope)
    for path, side in (("/width", width), ("/height", height)):
        if problem := bounds.problem(side):
            yield path, f"{problem} (pixels)"


def nearest_size(field: Size, scope: Scope, width: int, height: int) -> dict[str, int]:
    """The accepted size nearest to this one: by each side, or the preset that differs least in proportion."""
    presets = presets_of(field, scope)
    if field.presets_only and presets:
        width, height = min(presets, key=lambda one: abs(math.log(one[0] / width)) + abs(math.log(one[1] / height)))
    elif not field.presets_only:
        bounds = Bounds.of(field, scope)
        width, height = (int(bounds.nearest(side, whole=True)) for side in (width, height))
    return {"width": width, "height": height}
