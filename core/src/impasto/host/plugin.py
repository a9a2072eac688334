"""`PluginInfo`: what became of one installed plugin, for operators and for every error that names a plugin."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from impasto_sdk.fields import JsonValue

__all__ = ["PluginInfo", "PluginState"]


class PluginState(StrEnum):
    """What became of a plugin. Only an active one has contributed anything."""

    #: Loaded; everything it registered is in force.
    ACTIVE = "active"
    #: Named in the operator's `disabled_plugins`; not imported.
    DISABLED = "disabled"
    #: Made for another version of the sdk; not imported.
    INCOMPATIBLE = "incompatible"
    #: It registers a name that another plugin has taken; nothing of it is in force.
    CLASHING = "clashing"
    #: Importing it or one of its hooks went wrong; nothing of it is in force.
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginInfo:
    """One installed distribution that offers a plugin, and what became of it."""

    #: Name of the distribution, normalised (lower case, dashes), e.g. ``impasto-sd``.
    name: str
    version: str
    #: Its entry point, e.g. ``sd = impasto_sd.plugin``; several are separated by ``; ``.
    entry_point: str
    state: PluginState
    #: In one sentence, why it is not active, or what an active one should mend; empty when all is well.
    reason: str = ""
    #: Where a failed plugin went wrong.
    traceback: str | None = None
    #: The versions of impasto-sdk it asks for, e.g. ``<0.2,>=0.1``; None when it names none.
    sdk_range: str | None = None
    #: Names of what it contributes, by kind, e.g. ``{"invocations": ("add", "sub")}``; kinds without any are left out.
    contributions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def active(self) -> bool:
        """Whether what it registered is in force."""
        return self.state is PluginState.ACTIVE

    def to_document(self) -> dict[str, JsonValue]:
        """All of it as JSON values."""
        return {
            "name": self.name,
            "version": self.version,
            "entry_point": self.entry_point,
            "state": self.state.value,
            "reason": self.reason,
            "traceback": self.traceback,
            "sdk_range": self.sdk_range,
            "contributions": {kind: list(names) for kind, names in self.contributions.items()},
        }
