"""`World`: what the installation knows of the things that values refer to; the only thing besides values that the
semantics of panels look at.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from impasto_sdk.fields import JsonValue

__all__ = ["World"]


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Models and images, with their facts."""

    #: Facts of every model, by key: `ModelRecord.all_facts()`.
    models: Mapping[str, Mapping[str, JsonValue]] = field(default_factory=dict)
    #: Facts of images (``width``, ``height``, ``mime_type``, ``bytes``) by name. None: not known, so not checked.
    images: Mapping[str, Mapping[str, JsonValue]] | None = None
