"""The panel of the Gemini API, made of what its models can do."""

from impasto_gemini.node import GeminiImageGeneration
from impasto_sdk.providers import image_panel

__all__ = ["GEMINI_PANEL"]

GEMINI_PANEL = image_panel(GeminiImageGeneration)
