"""`GeminiOptions`: what may be set for Gemini's models beside what all services have. Node and panel have it, too."""

from typing import Literal

from pydantic import BaseModel

from impasto_sdk.fields import InputField

__all__ = ["GeminiOptions"]


class GeminiOptions(BaseModel):
    """Gemini's own options. None: the service decides, and nothing is sent."""

    temperature: float | None = InputField(
        None, ge=0.0, le=2.0, description="How freely the model chooses; higher surprises more. The service's own is 1"
    )
    thinking_level: Literal["minimal", "high"] | None = InputField(
        None, description="How long the model thinks before it paints; the service's own is minimal"
    )
