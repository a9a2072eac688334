"""What is not there, or cannot be used, of what plugins bring: models, panels, workflows, external providers."""

from collections.abc import Sequence

from impasto.errors.root import CoreError
from impasto_sdk.errors import NotFoundError

__all__ = [
    "ExternalModelError",
    "ExternalProviderNotFoundError",
    "ModelRegistryError",
    "NewAddressError",
    "PanelNotFoundError",
    "PluginError",
    "ProviderConfigError",
    "WorkflowNotFoundError",
]


class PluginError(CoreError):
    """A plugin cannot be used. `plugin` is its distribution."""

    def __init__(self, plugin: str, problem: str) -> None:
        super().__init__(f"plugin {plugin!r}: {problem}")
        self.plugin = plugin
        self.problem = problem


class ModelRegistryError(CoreError):
    """A model cannot be registered. `source` is the path or address."""

    def __init__(self, source: str, problem: str) -> None:
        super().__init__(f"{source}: {problem}")
        self.source = source
        self.problem = problem


class ExternalModelError(ModelRegistryError):
    """What was asked for makes no sense for a model of an external service. `source` is ``external://provider/model``."""


class PanelNotFoundError(CoreError, NotFoundError):
    """No plugin in force offers that panel. `name` is what was asked for, `known` the panels there are."""

    kind = "panel"

    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__(name, f"there are {', '.join(known)}" if known else "no plugin in force offers any")
        self.known = tuple(known)


class ExternalProviderNotFoundError(CoreError, NotFoundError):
    """No plugin in force offers that external provider. `name` is what was asked for, `known` the ids there are."""

    kind = "external provider"

    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__(name, f"there are {', '.join(known)}" if known else "no plugin in force offers any")
        self.known = tuple(known)


class ProviderConfigError(CoreError, ValueError):
    """A key or an address of an external provider cannot be taken. `field` is ``api_key`` or ``base_url``.

    Neither message nor attributes repeat what was given: it may be the key, also in the wrong place.
    """

    def __init__(self, provider_id: str, field: str, problem: str) -> None:
        super().__init__(f"{provider_id}: {problem}")
        self.provider_id = provider_id
        self.field = field
        self.problem = problem


class NewAddressError(ProviderConfigError):
    """The key that is stored would go to another place than it was given for; nothing was changed."""


class WorkflowNotFoundError(CoreError, NotFoundError):
    """The library has no such workflow. `name` is the id that was asked for, `hint` what was probably meant."""

    kind = "workflow"
