"""Every hook of the platform. A plugin is a module (or object) with functions of these names, marked `@hookimpl`.

Three kinds, told apart by name:

* ``register_*`` is called once, when the plugin is loaded; return values, do no work, import nothing heavy. One that
  raises, or returns something else, sets the whole plugin aside as *failed*; a name that another plugin has taken sets
  it aside as *clashing*. Server and workers start all the same.
* ``identify_*``, ``find_*`` and ``before_*`` answer a question, each time it is asked; in the server, but for
  `find_device`.
* ``on_*`` is told of an event, returns nothing and cannot fail a run: what it raises is logged.

An implementation may take fewer arguments than the specification; arguments are passed by name. New arguments may be
added here in a minor version, which breaks no plugin.
"""

from collections.abc import Sequence
from pathlib import Path

import pluggy

from impasto_sdk.contributions import (
    Command,
    EnqueueProposal,
    NodeUpgrade,
    SecretDeclaration,
    SettingsDeclaration,
    WebApp,
    WorkflowImporter,
    WorkflowTemplate,
)
from impasto_sdk.events import (
    Event,
    InvocationCompleteEvent,
    InvocationErrorEvent,
    InvocationStartedEvent,
    QueueItemStatusChangedEvent,
)
from impasto_sdk.extensions import DenoiseExtensionFactory
from impasto_sdk.models import DeviceInfo, ModelFormat, ModelIdentification, ModelLoader, StarterModel
from impasto_sdk.node import BaseInvocation
from impasto_sdk.panels import Panel, PanelSection
from impasto_sdk.providers import ExternalProvider

__all__ = ["PROJECT_NAME", "hookimpl", "hookspec"]

#: The name under which pluggy keeps these hooks apart from any other library's.
PROJECT_NAME = "impasto"

hookspec = pluggy.HookspecMarker(PROJECT_NAME)
hookimpl = pluggy.HookimplMarker(PROJECT_NAME)


# A specification has no body but names what it returns: pluggy reads its signature and never calls it.
# Hence the ignores of mypy's empty-body.
@hookspec
def register_invocations() -> Sequence[type[BaseInvocation]]:  # type: ignore[empty-body]
    """The plugin's node classes, each declared with `@invocation`. Their types are unique among all plugins."""


@hookspec
def register_model_formats() -> Sequence[ModelFormat]:  # type: ignore[empty-body]
    """The ways of lying on disk that the plugin's loaders understand, by name; two plugins may name the same one.

    They are listed with the plugin; which loader takes a model is asked of the loaders themselves.
    """


@hookspec
def register_model_loaders() -> Sequence[ModelLoader]:  # type: ignore[empty-body]
    """The plugin's loaders. Their `load` runs in workers; constructing them must import nothing heavy."""


@hookspec
def register_starter_models() -> Sequence[StarterModel]:  # type: ignore[empty-body]
    """Models that a new installation is offered.

    A local one with `install_at_first_start` is registered where it lies by the first start that sees it, with the
    starter's id as its key. Addresses are listed only: nothing is fetched in this version.
    """


@hookspec
def register_denoise_extensions() -> Sequence[DenoiseExtensionFactory]:  # type: ignore[empty-body]
    """How data of the plugin's own classes becomes an extension of a denoise loop.

    A loop asks in the worker, for each value it is fed: the factory for exactly its class answers.
    """


@hookspec
def register_external_providers() -> Sequence[type[ExternalProvider]]:  # type: ignore[empty-body]
    """External image services, as classes with unique ids.

    Each brings two secrets of its plugin (``<id>_api_key``, ``<id>_base_url``), and its models, which are there while
    a key is set. Its node and its panel are registered like any others.
    """


@hookspec
def register_panels() -> Sequence[Panel]:  # type: ignore[empty-body]
    """Forms that build graphs."""


@hookspec
def register_panel_sections() -> Sequence[PanelSection]:  # type: ignore[empty-body]
    """Sections for every panel that has the anchors they need, whichever plugin owns it."""


@hookspec
def register_settings() -> Sequence[SettingsDeclaration]:  # type: ignore[empty-body]
    """Settings of the plugin, set by the operator and read with ``context.settings(MySettings)``."""


@hookspec
def register_secrets() -> Sequence[SecretDeclaration]:  # type: ignore[empty-body]
    """Secrets that the plugin's nodes need; no other plugin's nodes are given them."""


@hookspec
def register_node_upgrades() -> Sequence[NodeUpgrade]:  # type: ignore[empty-body]
    """How nodes saved by older versions of the plugin's types become present ones.

    They are listed; nothing in this version reads saved nodes of other versions.
    """


@hookspec
def register_workflow_importers() -> Sequence[WorkflowImporter]:  # type: ignore[empty-body]
    """Readers of other programs' workflow files. They are listed; nothing in this version imports workflows."""


@hookspec
def register_workflow_templates() -> Sequence[WorkflowTemplate]:  # type: ignore[empty-body]
    """Workflows that the plugin ships for people to start from. They are listed; nothing in this version shows them."""


@hookspec
def register_web_apps() -> Sequence[WebApp]:  # type: ignore[empty-body]
    """ASGI applications that the server mounts. They work through the HTTP API, which each is handed: see `WebApp`."""


@hookspec
def register_commands() -> Sequence[Command]:  # type: ignore[empty-body]
    """Commands for the command line: ``impasto <name> …``. The platform's own commands win over one of their name."""


@hookspec
def identify_model(path: Path) -> ModelIdentification | None:
    """What the weights at `path` (a file or a folder) are, or None when this plugin does not know them.

    Called in the server: read configuration files and headers, never the weights, and import no torch. Every plugin is
    asked and the answer with the highest `confidence` wins; of equal ones, the plugin whose name sorts first.
    What it raises is logged and counts as None.
    """


@hookspec
def find_device(requested: str, precision: str) -> DeviceInfo | None:
    """The device that a worker is to run models on, or None when this plugin knows none.

    Called once in each worker that is to have one, before it runs anything; never in the server, so it may import
    torch. `requested` and `precision` are the operator's settings: ``auto`` or a device's name, ``auto`` or a
    `Precision`. Plugins are asked in order of their names and the first answer that is not None counts. Say in
    `DeviceInfo.notes` what it fell back to; raise `DeviceError` when what was asked for by name is not there: the
    worker then does not start, and says why. Any other exception is logged and counts as None.
    """


@hookspec
def before_enqueue(proposal: EnqueueProposal) -> None:
    """A valid batch is about to be stored. Raise `EnqueueRefusedError(reason)` to refuse it; nothing is stored then.

    Called in the server before the answer is sent, so be quick. Any other exception is logged and refuses nothing.
    """


@hookspec
def on_event(event: Event) -> None:
    """Any event, after it is on disk. Called in the server on a thread of its own, in order."""


@hookspec
def on_queue_item_status_changed(event: QueueItemStatusChangedEvent) -> None:
    """A queue item went from one status to the next. Called like `on_event`."""


@hookspec
def on_invocation_started(event: InvocationStartedEvent) -> None:
    """A node begins to run. Called like `on_event`."""


@hookspec
def on_invocation_complete(event: InvocationCompleteEvent) -> None:
    """A node has finished. Called like `on_event`."""


@hookspec
def on_invocation_error(event: InvocationErrorEvent) -> None:
    """A node failed. Called like `on_event`."""
