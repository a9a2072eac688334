"""The node of the Gemini API."""

from impasto_gemini.options import GeminiOptions
from impasto_gemini.provider import GeminiProvider
from impasto_sdk.providers import ExternalImageGeneration, external_invocation

__all__ = ["GeminiImageGeneration"]


@external_invocation(
    "gemini_image_generation", provider=GeminiProvider, title="Gemini Image Generation", tags=["google", "nano banana"]
)
class GeminiImageGeneration(GeminiOptions, ExternalImageGeneration):
    """Pictures by Google's Gemini models, from words and from other pictures. Each may cost money."""
