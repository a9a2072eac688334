"""Which stored things a document refers to.

Asked of outputs, so that a cached one is only given out while they are still there, and of a panel's values.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from impasto_sdk.fields import JsonValue

__all__ = ["References", "find_references"]

#: Keys of field values that name an image …
_IMAGE_KEYS = frozenset({"image_name"})
#: … and those that name a file of a session.
_FILE_KEYS = frozenset({"latents_name", "tensor_name", "conditioning_name", "mask_name", "masked_latents_name"})


@dataclass(frozen=True, slots=True)
class References:
    """Names of images and of sessions' files, each once, in order of appearance."""

    images: tuple[str, ...]
    files: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.images or self.files)


def find_references(document: JsonValue) -> References:
    """What a document of field values refers to, however deep it lies."""
    found = list(_named(document))
    return References(
        tuple(dict.fromkeys(name for key, name in found if key in _IMAGE_KEYS)),
        tuple(dict.fromkeys(name for key, name in found if key in _FILE_KEYS)),
    )


def _named(value: JsonValue) -> Iterator[tuple[str, str]]:
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting.extend(reversed(value))
        elif isinstance(value, dict):
            for key, part in value.items():
                if isinstance(part, str):
                    if key in _IMAGE_KEYS or key in _FILE_KEYS:
                        yield key, part
                elif isinstance(part, dict | list):
                    waiting.append(part)
