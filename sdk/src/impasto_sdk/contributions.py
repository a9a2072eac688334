"""The small records that plugins hand over through hooks, besides nodes, models, panels and providers."""

from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from impasto_sdk.fields import JsonValue

__all__ = [
    "AsgiApp",
    "Command",
    "EnqueueProposal",
    "NodeUpgrade",
    "SecretDeclaration",
    "SettingsDeclaration",
    "WebApp",
    "WorkflowImporter",
    "WorkflowTemplate",
]

#: An ASGI application (https://asgi.readthedocs.io/en/latest/specs/main.html).
AsgiApp = Callable[
    [
        MutableMapping[str, Any],
        Callable[[], Awaitable[MutableMapping[str, Any]]],
        Callable[[MutableMapping[str, Any]], Awaitable[None]],
    ],
    Awaitable[None],
]


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsDeclaration:
    """Settings of a plugin: a pydantic model whose values the operator sets under `plugins.<section>`.

    Every field needs a default and a description; the description is what `impasto settings` shows.
    """

    #: Name in ``impasto.yaml`` (``plugins: {section: {field: value}}``) and in ``IMPASTO_PLUGINS__SECTION__FIELD``.
    section: str
    model: type[BaseModel]


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretDeclaration:
    """A secret that the plugin's nodes may read. Only they are ever given it."""

    #: Unique among all plugins, e.g. ``openai_api_key``; set in ``IMPASTO_SECRET_OPENAI_API_KEY`` or ``api_keys.yaml``.
    name: str
    title: str
    help: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command added to the command line: ``impasto <name> …``."""

    name: str
    #: One line for the list of commands.
    help: str
    #: Called with the arguments after the name; its answer is the exit status.
    run: Callable[[Sequence[str]], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class WebApp:
    """An ASGI application served by the core.

    `path` is where it is mounted: ``/`` for a web client (one only), else a path that no API route has. The application
    is called with requests and sockets, never with a lifespan; what it imports is imported at its first call if it
    imports there. Pages and programs on the network need nothing more.

    One that does work of its own finds in the scope of every call, under ``impasto.api``, the whole HTTP API of the
    server as another ASGI application, and under ``impasto.settings`` the settings of plugins: see `impasto_sdk.asgi`,
    which has a client for the one and a function for the other. Calls by that way go over no network and meet no check
    of origin. They have the rights of the server, not those of whoever sent the request.
    """

    path: str
    title: str
    app: AsgiApp


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeUpgrade:
    """How a node that was saved by an older version of its type becomes a present one."""

    node_type: str
    #: Versions it applies to, e.g. ``<2``, as a PEP 440 specifier.
    applies_to: str
    #: Takes the node's document (a copy) and gives the upgraded one.
    upgrade: Callable[[dict[str, JsonValue]], dict[str, JsonValue]]


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowImporter:
    """Reads another program's workflow files."""

    #: e.g. ``comfyui``.
    format: str
    title: str
    #: How sure this importer is, 0 to 1, that a document is its own.
    recognise: Callable[[Mapping[str, JsonValue]], float]
    #: The workflow in Impasto's format.
    convert: Callable[[Mapping[str, JsonValue]], dict[str, JsonValue]]


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowTemplate:
    """A workflow that a plugin ships for people to start from."""

    #: Unique among all plugins.
    id: str
    title: str
    description: str
    #: The workflow in Impasto's format.
    workflow: Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True, kw_only=True)
class EnqueueProposal:
    """What `before_enqueue` is asked about: a batch that is valid and about to be stored."""

    queue_id: str
    user_id: str
    #: The graph as a document; do not change it.
    graph: Mapping[str, JsonValue]
    #: How many queue items it makes.
    item_count: int
    origin: str | None = None
    destination: str | None = None
    #: Metadata that the images of the batch will carry, e.g. panel values.
    metadata: Mapping[str, JsonValue] = field(default_factory=dict)
