"""The installed plugins and what became of them: `/api/v1/plugins`."""

from typing import Literal

from pydantic import BaseModel, Field

from impasto.api.parameters import App, NameParameter
from impasto.api.problems import ProblemError, problem, problem_responses
from impasto.api.router import Router
from impasto_sdk import __version__ as sdk_version

__all__ = ["router"]

router = Router("/api/v1/plugins", "plugins")


class Plugin(BaseModel):
    """An installed distribution that offers a plugin."""

    name: str
    version: str
    entry_point: str
    state: Literal["active", "disabled", "incompatible", "clashing", "failed"]
    reason: str = Field(description="Why it is not active, or what it should mend; empty when all is well")
    traceback: str | None = Field(description="Where a failed plugin went wrong")
    sdk_range: str | None = Field(description="The versions of the sdk it is made for")
    contributions: dict[str, list[str]] = Field(description="Names of what it contributes, by kind")


class PluginList(BaseModel):
    """The installed plugins."""

    sdk_version: str = Field(description="The version of the sdk that plugins must be made for")
    plugins: list[Plugin]


@router.get("/")
def list_plugins(app: App) -> PluginList:
    """Every installed plugin, by name, whatever became of it."""
    return PluginList(
        sdk_version=sdk_version, plugins=[Plugin.model_validate(p.to_document()) for p in app.host.plugins]
    )


@router.get("/{name}", responses=problem_responses(404))
def get_plugin(app: App, name: NameParameter) -> Plugin:
    """One plugin."""
    for plugin in app.host.plugins:
        if plugin.name == name:
            return Plugin.model_validate(plugin.to_document())
    installed = ", ".join(plugin.name for plugin in app.host.plugins)
    raise ProblemError(problem(404, "not-found", f"no plugin {name!r} is installed; there are {installed or 'none'}"))
