"""The hooks of impasto-openai."""

from collections.abc import Sequence

from impasto_openai.node import OpenAIImageGeneration
from impasto_openai.provider import OpenAIProvider
from impasto_sdk.hookspecs import hookimpl
from impasto_sdk.node import BaseInvocation
from impasto_sdk.panels import Panel
from impasto_sdk.providers import ExternalProvider, image_panel

__all__ = ["register_external_providers", "register_invocations", "register_panels"]


@hookimpl
def register_external_providers() -> Sequence[type[ExternalProvider]]:
    """OpenAI."""
    return [OpenAIProvider]


@hookimpl
def register_invocations() -> Sequence[type[BaseInvocation]]:
    """The node that asks OpenAI for pictures."""
    return [OpenAIImageGeneration]


@hookimpl
def register_panels() -> Sequence[Panel]:
    """The panel of the node."""
    return [image_panel(OpenAIImageGeneration)]
