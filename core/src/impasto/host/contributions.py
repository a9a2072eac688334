"""`Contributions`: everything that active plugins registered, each value with the plugin it came from.

One table, `KINDS`, says for each `register_*` hook what its values must be and which name of theirs is unique among all
plugins. The loader walks the table; nothing else knows the hooks by heart.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from impasto.host.plugin import PluginInfo
from impasto_sdk.contributions import (
    Command,
    NodeUpgrade,
    SecretDeclaration,
    SettingsDeclaration,
    WebApp,
    WorkflowImporter,
    WorkflowTemplate,
)
from impasto_sdk.extensions import DenoiseExtensionFactory
from impasto_sdk.models import ModelFormat, ModelLoader, StarterModel
from impasto_sdk.node import BaseInvocation
from impasto_sdk.panels import Panel, PanelSection
from impasto_sdk.providers import ExternalProvider

__all__ = ["KINDS", "ContributionKind", "Contributions", "Registered"]

ValueT = TypeVar("ValueT")


@dataclass(frozen=True, slots=True)
class Registered(Generic[ValueT]):
    """A contribution and the plugin it came from."""

    value: ValueT
    plugin: PluginInfo


@dataclass(slots=True, kw_only=True)
class Contributions:
    """What active plugins registered, by kind; within a kind in order of plugin name, then as registered."""

    invocations: list[Registered[type[BaseInvocation]]] = field(default_factory=list)
    model_formats: list[Registered[ModelFormat]] = field(default_factory=list)
    model_loaders: list[Registered[ModelLoader]] = field(default_factory=list)
    starter_models: list[Registered[StarterModel]] = field(default_factory=list)
    denoise_extensions: list[Registered[DenoiseExtensionFactory]] = field(default_factory=list)
    external_providers: list[Registered[type[ExternalProvider]]] = field(default_factory=list)
    panels: list[Registered[Panel]] = field(default_factory=list)
    panel_sections: list[Registered[PanelSection]] = field(default_factory=list)
    settings: list[Registered[SettingsDeclaration]] = field(default_factory=list)
    secrets: list[Registered[SecretDeclaration]] = field(default_factory=list)
    node_upgrades: list[Registered[NodeUpgrade]] = field(default_factory=list)
    workflow_importers: list[Registered[WorkflowImporter]] = field(default_factory=list)
    workflow_templates: list[Registered[WorkflowTemplate]] = field(default_factory=list)
    web_apps: list[Registered[WebApp]] = field(default_factory=list)
    commands: list[Registered[Command]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ContributionKind:
    """How one `register_*` hook is read."""

    #: Its list in `Contributions`; the hook is called ``register_`` and this.
    name: str
    #: What one value is, in words, with its name put in: ``node type 'add'``.
    noun: str
    #: What one value must be, in words.
    wanted: str
    #: Whether a value is that.
    accepts: Callable[[object], bool]
    #: The value's name.
    name_of: Callable[[Any], str]
    #: Whether no two plugins may register the same name.
    unique: bool = True

    @property
    def hook(self) -> str:
        """The hook's name."""
        return f"register_{self.name}"


def _is_declared_invocation(value: object) -> bool:
    # a subclass that was not declared itself would bring its parent's spec
    return isinstance(value, type) and issubclass(value, BaseInvocation) and "spec" in vars(value)


def _is_provider(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, ExternalProvider) and bool(getattr(value, "provider_id", ""))


def _kind(name: str, noun: str, cls: type, name_of: Callable[[Any], str], *, unique: bool = True) -> ContributionKind:
    return ContributionKind(
        name=name,
        noun=noun,
        wanted=f"{cls.__name__} objects",
        accepts=lambda value: not isinstance(value, type) and isinstance(value, cls),
        name_of=name_of,
        unique=unique,
    )


#: Every `register_*` hook.
KINDS: tuple[ContributionKind, ...] = (
    ContributionKind(
        name="invocations",
        noun="node type",
        wanted="subclasses of BaseInvocation, each declared with @invocation",
        accepts=_is_declared_invocation,
        name_of=lambda value: str(value.spec.type),
    ),
    # a format is a way of lying on disk, which plugins share: two may name it
    _kind("model_formats", "model format", ModelFormat, lambda value: str(value.name), unique=False),
    _kind("model_loaders", "model loader", ModelLoader, lambda value: str(value.name)),
    _kind("starter_models", "starter model", StarterModel, lambda value: str(value.id)),
    _kind(
        "denoise_extensions",
        "denoise extension for",
        DenoiseExtensionFactory,
        lambda value: f"{value.field_type.__module__}.{value.field_type.__qualname__}",
    ),
    ContributionKind(
        name="external_providers",
        noun="external provider",
        wanted="subclasses of ExternalProvider with a provider_id",
        accepts=_is_provider,
        name_of=lambda value: str(value.provider_id),
    ),
    _kind("panels", "panel", Panel, lambda value: str(value.id)),
    _kind("panel_sections", "panel section", PanelSection, lambda value: str(value.id)),
    _kind("settings", "settings section", SettingsDeclaration, lambda value: str(value.section)),
    _kind("secrets", "secret", SecretDeclaration, lambda value: str(value.name)),
    _kind(
        "node_upgrades",
        "node upgrade for",
        NodeUpgrade,
        lambda value: f"{value.node_type}{value.applies_to}",
    ),
    _kind("workflow_importers", "workflow importer", WorkflowImporter, lambda value: str(value.format)),
    _kind("workflow_templates", "workflow template", WorkflowTemplate, lambda value: str(value.id)),
    _kind("web_apps", "web app at", WebApp, lambda value: "/" + value.path.strip("/")),
    _kind("commands", "command", Command, lambda value: str(value.name)),
)
