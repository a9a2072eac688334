"""`TokenUsage`: the tokens that an answer says it came to. Pure.

What is missing or odd is left out: a picture that was paid for is not lost for the sake of its meter.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

__all__ = ["TokenUsage"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenUsage:
    """Tokens of a request, by what they stand for."""

    #: Of the prompt and of the images that were sent along, together.
    input: int
    #: Of the pictures, previews included, and of words about them, together.
    output: int
    #: None where the service does not tell the two apart.
    text_input: int | None = None
    image_input: int | None = None
    #: Of `output`, the words; the rest are pictures.
    text_output: int = 0

    @property
    def image_output(self) -> int:
        """Of `output`, the pictures."""
        return self.output - self.text_output

    @classmethod
    def read(cls, document: Any) -> Self | None:
        """From the ``usage`` of an answer or of an event; None where there is none."""
        counted, came = _count(document, "input_tokens"), _count(document, "output_tokens")
        if counted is None or came is None:
            return None
        details = document.get("input_tokens_details")
        return cls(
            input=counted,
            output=came,
            text_input=_count(details, "text_tokens"),
            image_input=_count(details, "image_tokens"),
            text_output=min(_count(document.get("output_tokens_details"), "text_tokens") or 0, came),
        )

    def __add__(self, other: "TokenUsage") -> "TokenUsage":
        return TokenUsage(
            input=self.input + other.input,
            output=self.output + other.output,
            text_input=_sum(self.text_input, other.text_input),
            image_input=_sum(self.image_input, other.image_input),
            text_output=self.text_output + other.text_output,
        )


def _count(document: Any, name: str) -> int | None:
    value = document.get(name) if isinstance(document, Mapping) else None
    return value if isinstance(value, int) and value >= 0 else None


def _sum(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one + other
