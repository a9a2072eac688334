"""`openai_image_generation`: the node that asks OpenAI for pictures."""

from impasto_openai.options import OpenAIOptions
from impasto_openai.provider import OpenAIProvider
from impasto_sdk.providers import ExternalImageGeneration, external_invocation

__all__ = ["OpenAIImageGeneration"]


@external_invocation("openai_image_generation", provider=OpenAIProvider, title="OpenAI Image Generation")
class OpenAIImageGeneration(OpenAIOptions, ExternalImageGeneration):
    """Pictures by OpenAI's image models, from words, from images, or inside a mask. Each may cost money."""
