"""`OpenAIOptions`: what only OpenAI's service knows. Its node and its panel have these fields, too.

Which model takes which is said by `impasto_openai.models`.
"""

from typing import Literal

from pydantic import BaseModel

from impasto_sdk.fields import InputField

__all__ = ["OpenAIOptions"]


class OpenAIOptions(BaseModel):
    """The options of OpenAI's image models."""

    quality: Literal["auto", "high", "medium", "low"] = InputField(
        "auto", description="How finely the picture is made; it decides what the picture costs"
    )
    background: Literal["auto", "transparent", "opaque"] = InputField(
        "auto", description="Whether the background is transparent; that needs the format PNG or WebP"
    )
    input_fidelity: Literal["low", "high"] | None = InputField(
        None, description="How closely details of the images that are sent along are kept; high costs more"
    )
    output_format: Literal["png", "jpeg", "webp"] = InputField("png", description="The file format of the picture")
    output_compression: int | None = InputField(
        None, ge=0, le=100, description="How much of the quality a JPEG or WebP keeps, in percent"
    )
    moderation: Literal["auto", "low"] = InputField(
        "auto", description="How strictly content is held off; low is for pictures made from words alone"
    )
    style: Literal["vivid", "natural"] | None = InputField(
        None, description="Whether the picture is dramatic or plain; the service chooses when it is not set"
    )
    partial_images: int = InputField(
        1, ge=0, le=3, description="Previews of a picture that is asked for alone; each adds to what it costs"
    )
