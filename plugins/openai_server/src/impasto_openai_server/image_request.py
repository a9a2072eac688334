"""`ImageRequest`: what a client asks for, read from JSON or from a form. Pure.

In a form every value is text, so numbers and truth values are taken as text, too. Null counts as absent. Parameters of
OpenAI's that mean nothing here are accepted and not looked at; whatever is left is kept for the panel, which may have a
field of that name.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, cast

from impasto_openai_server.errors import InvalidRequestError
from impasto_sdk.fields import JsonValue

__all__ = ["FORMATS", "ImageRequest", "OutputFormat", "read_request", "wrong_value"]

OutputFormat = Literal["png", "jpeg", "webp"]
#: The formats that pictures are sent in.
FORMATS: tuple[OutputFormat, ...] = ("png", "jpeg", "webp")

MOST_IMAGES, MOST_PARTIAL_IMAGES, LONGEST_SIDE = 10, 3, 16_384
#: Characters of the longest prompt, as with OpenAI's own models.
LONGEST_PROMPT = 32_000
#: Parameters that are read below, and those that OpenAI's own models have and these do not.
_READ = frozenset(
    {
        "model", "n", "output_compression", "output_format", "partial_images", "prompt", "response_format", "size",
        "stream",
    }
)  # fmt: skip
_IGNORED = frozenset(
    {
        "background", "complexity", "frame_count", "frame_duration_ms", "image", "input_fidelity", "markup", "mask",
        "moderation", "quality", "safety_identifier", "style", "svg", "user",
    }
)  # fmt: skip
_QUALITIES = frozenset({"low", "medium", "high", "auto"})
_SIZE = re.compile(r"([0-9]{1,5})[xX×]([0-9]{1,5})")


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRequest:
    """What is asked for, checked."""

    prompt: str
    #: As the client wrote it; None: whichever.
    model: str | None = None
    #: How many pictures, 1 to 10.
    count: int = 1
    #: Width and height in pixels; None: whatever suits.
    size: tuple[int, int] | None = None
    as_url: bool = False
    output_format: OutputFormat = "png"
    #: 0 to 100, for JPEG and WebP.
    output_compression: int = 100
    stream: bool = False
    #: How many pictures of the way to send for each picture, 0 to 3.
    partial_images: int = 0
    #: As asked for; it means nothing here and is told back.
    quality: str = "auto"
    #: Pictures to change, as they were sent. None of them: a picture is made from words.
    images: Sequence[bytes] = field(default=(), repr=False)
    #: Transparent where the first picture is to be changed, as it was sent.
    mask: bytes | None = field(default=None, repr=False)
    #: Everything else, by name.
    extras: Mapping[str, JsonValue] = field(default_factory=dict)


def read_request(
    given: Mapping[str, JsonValue], *, images: Sequence[bytes] = (), mask: bytes | None = None
) -> ImageRequest:
    """The request that was sent. Raises `InvalidRequestError` for the first thing about it that cannot be."""
    told = {name: value for name, value in given.items() if value is not None}
    response_format = _choice(told, "response_format", ("b64_json", "url"), "b64_json")
    stream = _truth(told, "stream")
    quality = told.get("quality")
    return ImageRequest(
        prompt=_prompt(told),
        model=_model(told),
        count=_integer(told, "n", 1, 1, MOST_IMAGES),
        size=_size(told),
        as_url=response_format == "url" and not stream,
        output_format=cast(OutputFormat, _choice(told, "output_format", FORMATS, "png")),
        output_compression=_integer(told, "output_compression", 100, 0, 100),
        stream=stream,
        partial_images=_integer(told, "partial_images", 0, 0, MOST_PARTIAL_IMAGES),
        quality=quality if isinstance(quality, str) and quality in _QUALITIES else "auto",
        images=tuple(images),
        mask=mask,
        extras={name: value for name, value in told.items() if name not in _READ | _IGNORED},
    )


def _prompt(told: Mapping[str, JsonValue]) -> str:
    prompt = told.get("prompt")
    if not isinstance(prompt, str) or not prompt.strip():
        found = "there is none" if prompt is None else f"it is {_shown(prompt)}"
        raise InvalidRequestError(
            f"prompt: {found}; say what the picture is to show",
            param="prompt",
            code="missing_required_parameter" if prompt is None else "invalid_value",
        )
    if len(prompt) > LONGEST_PROMPT:
        raise InvalidRequestError(
            f"prompt: it has {len(prompt)} characters; give at most {LONGEST_PROMPT}",
            param="prompt",
            code="invalid_value",
        )
    return prompt


def _model(told: Mapping[str, JsonValue]) -> str | None:
    model = told.get("model")
    if model is not None and not isinstance(model, str):
        raise wrong_value("model", model, "the id of a model, as text")
    return model or None


def _size(told: Mapping[str, JsonValue]) -> tuple[int, int] | None:
    size = told.get("size")
    if size in (None, "", "auto"):
        return None
    found = _SIZE.fullmatch(size) if isinstance(size, str) else None
    sides = (int(found[1]), int(found[2])) if found else (0, 0)
    if not all(1 <= side <= LONGEST_SIDE for side in sides):
        raise wrong_value(
            "size", size, f"WIDTHxHEIGHT in pixels, each 1 to {LONGEST_SIDE}, e.g. 512x512, or auto", "size"
        )
    return sides


def _integer(told: Mapping[str, JsonValue], name: str, default: int, least: int, greatest: int) -> int:
    value = told.get(name, default)
    number = int(value) if isinstance(value, str) and re.fullmatch(r"[0-9]{1,9}", value.strip()) else value
    if isinstance(number, float) and number.is_integer():
        number = int(number)
    if not isinstance(number, int) or isinstance(number, bool) or not least <= number <= greatest:
        raise wrong_value(name, value, f"a whole number from {least} to {greatest}")
    return number


def _truth(told: Mapping[str, JsonValue], name: str) -> bool:
    value = told.get(name, False)
    known = {"true": True, "1": True, "false": False, "0": False, "": False}
    found = known.get(value.strip().lower()) if isinstance(value, str) else value
    if not isinstance(found, bool):
        raise wrong_value(name, value, "true or false")
    return found


def _choice(told: Mapping[str, JsonValue], name: str, allowed: Sequence[str], default: str) -> str:
    value = told.get(name, default)
    if value not in allowed:
        raise wrong_value(name, value, " or ".join(allowed))
    return str(value)


def wrong_value(name: str, value: JsonValue, wanted: str, what: str = "value") -> InvalidRequestError:
    """The refusal of a parameter's value, which says what is `wanted`; its code is ``invalid_`` and `what` it is."""
    return InvalidRequestError(f"{name}: it is {_shown(value)}; give {wanted}", param=name, code=f"invalid_{what}")


def _shown(value: JsonValue) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:80]}…"
