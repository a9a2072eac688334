"""The hooks of impasto-gemini. Importing this module, and all it registers, imports no HTTP client."""

from collections.abc import Sequence

from impasto_gemini.node import GeminiImageGeneration
from impasto_gemini.panel import GEMINI_PANEL
from impasto_gemini.provider import GeminiProvider
from impasto_sdk.hookspecs import hookimpl
from impasto_sdk.node import BaseInvocation
from impasto_sdk.panels import Panel
from impasto_sdk.providers import ExternalProvider

__all__ = ["register_external_providers", "register_invocations", "register_panels"]


@hookimpl
def register_external_providers() -> Sequence[type[ExternalProvider]]:
    """The Gemini API."""
    return [GeminiProvider]


@hookimpl
def register_invocations() -> Sequence[type[BaseInvocation]]:
    """The node that asks it for pictures."""
    return [GeminiImageGeneration]


@hookimpl
def register_panels() -> Sequence[Panel]:
    """Its panel, which is shown while a key is set."""
    return [GEMINI_PANEL]
