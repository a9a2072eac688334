"""`new_record`: the record of weights that nobody has hashed yet, and how their place is written. For the registry."""

from pathlib import Path
from typing import Any

from impasto.models.hashing import PENDING, size_of_model
from impasto_sdk.ids import new_id
from impasto_sdk.models import ModelIdentification, ModelRecord

__all__ = ["new_record", "place_of", "placeholder", "traits_of"]


def new_record(
    path: Path,
    found: ModelIdentification,
    *,
    name: str | None = None,
    description: str | None = None,
    source: str | None = None,
    key: str | None = None,
) -> ModelRecord:
    """The record of weights that are not hashed yet."""
    return ModelRecord(
        key=key or new_id(),
        path=str(path),
        name=name or found.name or path.stem,
        description=description if description is not None else found.description,
        source=source or str(path),
        source_type="path",
        default_settings=None if found.default_settings is None else dict(found.default_settings),
        **traits_of(path, found),
    )


def traits_of(path: Path, found: ModelIdentification) -> dict[str, Any]:
    """The fields of a record that follow from the weights, and from nothing that a person says; not hashed yet."""
    return {
        "hash": placeholder(),
        "file_size": size_of_model(path),
        "base": found.base,
        "type": found.type,
        "format": found.format,
        "variant": found.variant,
        "prediction_type": found.prediction_type,
        "submodels": None if found.submodels is None else dict(found.submodels),
        "facts": dict(found.facts),
    }


def place_of(path: Path) -> Path:
    """One path for one place, however it is written. A link stays one: its own name tells plugins what it leads to."""
    return path.parent.resolve() / path.name if path.is_symlink() else path.resolve()


def placeholder() -> str:
    """A hash that is never empty and of no other model."""
    return f"{PENDING}{new_id()}"
