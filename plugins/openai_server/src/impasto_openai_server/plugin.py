"""The hooks of impasto-openai-server. Importing it imports no web framework: that waits for the first request."""

from collections.abc import Sequence

from impasto_openai_server.app import OpenAIApp
from impasto_openai_server.settings import OpenAIServerSettings
from impasto_sdk.contributions import SettingsDeclaration, WebApp
from impasto_sdk.hookspecs import hookimpl

__all__ = ["register_settings", "register_web_apps"]


@hookimpl
def register_web_apps() -> Sequence[WebApp]:
    """The API under ``/v1``, which is where its clients look for it."""
    return [WebApp(path="/v1", title="OpenAI's image API", app=OpenAIApp())]


@hookimpl
def register_settings() -> Sequence[SettingsDeclaration]:
    """Which model and which panels serve requests that do not say."""
    return [SettingsDeclaration(section="openai_server", model=OpenAIServerSettings)]
