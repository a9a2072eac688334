"""`PluginHost`: all installed plugins, what the active ones contribute, and the hooks that are asked and told.

The core starts whatever plugins do: a plugin that cannot be used is set aside with its reason, and what an active one
raises later is logged under its name.
"""

import logging
from collections.abc import Iterable, Sequence
from pathlib import Path

import pluggy
from packaging.utils import canonicalize_name

from impasto.host.catalogue import Catalogue
from impasto.host.contributions import KINDS, Contributions, Registered
from impasto.host.discovery import installed_plugins
from impasto.host.loader import LoadedPlugin, load_plugin, set_aside
from impasto.host.plugin import PluginInfo
from impasto_sdk.contributions import EnqueueProposal
from impasto_sdk.errors import DeviceError, EnqueueRefusedError
from impasto_sdk.events import Event
from impasto_sdk.models import DeviceInfo, ModelIdentification

__all__ = ["PluginHost"]

logger = logging.getLogger(__name__)


class PluginHost:
    """The plugins of one process. Build it with `PluginHost.load`."""

    def __init__(self, plugins: Sequence[LoadedPlugin]) -> None:
        """`plugins`: in order of name; active ones clash with none before them."""
        #: Every installed plugin in order of name, whatever became of it.
        self.plugins: list[PluginInfo] = [plugin.info for plugin in plugins]
        #: What the active plugins registered.
        self.contributions = _contributions(plugins)
        #: The node types in force.
        self.catalogue = Catalogue(self.contributions.invocations)
        self._managers = [(p.info.name, p.manager) for p in plugins if p.manager is not None]
        self._implementers: dict[str, list[tuple[str, pluggy.HookCaller]]] = {}
        for name, manager in self._managers:
            for module in manager.get_plugins():
                for caller in manager.get_hookcallers(module) or []:
                    self._note_implementer(name, caller)

    @classmethod
    def load(cls, *, disabled: Iterable[str] = (), search: Sequence[str] | None = None) -> "PluginHost":
        """Find and load the installed plugins, each in its own guard, in order of name.

        `disabled`: names of distributions that are not to be imported. `search`: folders in which to look for
        distributions instead of everywhere Python imports from. Never fails because of a plugin.
        """
        unwanted = {canonicalize_name(name) for name in disabled}
        taken: dict[tuple[str, str], str] = {}
        loaded = []
        for installed in installed_plugins(search):
            plugin = load_plugin(installed, disabled=installed.name in unwanted)
            if (clash := _first_clash(plugin, taken)) is not None:
                plugin = set_aside(plugin, clash)
            elif plugin.values is not None:
                taken.update(dict.fromkeys(_unique_names(plugin), plugin.info.name))
            _log(plugin.info)
            loaded.append(plugin)
        for name in sorted(unwanted - {plugin.info.name for plugin in loaded}):
            logger.warning("disabled_plugins names %r, which is not installed", name)
        return cls(loaded)

    def identify_model(self, path: Path) -> ModelIdentification | None:
        """What the weights at `path` are: the surest answer of all plugins, of equal ones the first by plugin name.

        None when no plugin knows them. What a plugin raises is logged and counts as no answer.
        """
        best: ModelIdentification | None = None
        for name, caller in self._implementers.get("identify_model", ()):
            try:
                answers = caller(path=path)
            except Exception:  # one plugin's mistake must not hide another's answer
                logger.warning("plugin %r: identify_model failed for %s", name, path, exc_info=True)
                continue
            for answer in answers:
                if not isinstance(answer, ModelIdentification) or not 0 <= answer.confidence <= 1:
                    logger.warning(
                        "plugin %r: identify_model answered %r for %s; "
                        "a ModelIdentification with a confidence of 0 to 1 is wanted",
                        name,
                        answer,
                        path,
                    )
                elif best is None or answer.confidence > best.confidence:
                    best = answer
        return best

    def find_device(self, requested: str, precision: str) -> DeviceInfo | None:
        """The device for a worker: the first answer of a plugin, in order of names; None when none knows devices.

        Called in workers only. Raises `DeviceError` when a plugin says that what was asked for is not there; anything
        else a plugin raises is logged and counts as no answer.
        """
        for name, caller in self._implementers.get("find_device", ()):
            try:
                answers = caller(requested=requested, precision=precision)
            except DeviceError:
                raise
            except Exception:  # another plugin may know the device
                logger.warning("plugin %r: find_device failed for %r", name, requested, exc_info=True)
                continue
            for answer in answers:
                if isinstance(answer, DeviceInfo):
                    return answer
                logger.warning("plugin %r: find_device answered %r; a DeviceInfo is wanted", name, answer)
        return None

    def before_enqueue(self, proposal: EnqueueProposal) -> None:
        """Ask every plugin whether a batch may be stored.

        Raises `EnqueueRefusedError` when one refuses it. Anything else a plugin raises is logged and refuses nothing.
        """
        for name, caller in self._implementers.get("before_enqueue", ()):
            try:
                caller(proposal=proposal)
            except EnqueueRefusedError as refusal:
                logger.info("plugin %r refused a batch for queue %r: %s", name, proposal.queue_id, refusal.reason)
                raise
            except Exception:  # a broken guard must not close the queue
                logger.warning("plugin %r: before_enqueue failed", name, exc_info=True)

    @property
    def listens(self) -> bool:
        """Whether any plugin wants to be told of events."""
        return any(hook.startswith("on_") for hook in self._implementers)

    def dispatch(self, event: Event) -> None:
        """Tell plugins of an event: `on_event`, and the hook named after it. What one raises is logged."""
        if not self._implementers:
            return
        for hook in ("on_event", f"on_{event.name}"):
            for name, caller in self._implementers.get(hook, ()):
                try:
                    caller(event=event)
                except Exception:  # an event has happened: no listener can undo it for the others
                    logger.warning("plugin %r: %s failed for %s", name, hook, event.name, exc_info=True)

    def _note_implementer(self, name: str, caller: pluggy.HookCaller) -> None:
        noted = self._implementers.setdefault(caller.name, [])
        if all(other is not caller for _, other in noted):
            noted.append((name, caller))


def _contributions(plugins: Iterable[LoadedPlugin]) -> Contributions:
    together = Contributions()
    for plugin in plugins:
        for kind, values in (plugin.values or {}).items():
            getattr(together, kind).extend(Registered(value, plugin.info) for value in values)
    return together


def _unique_names(plugin: LoadedPlugin) -> list[tuple[str, str]]:
    """What the plugin claims for itself, as (noun, name)."""
    contributed = plugin.info.contributions
    return [(kind.noun, name) for kind in KINDS if kind.unique for name in contributed.get(kind.name, ())]


def _first_clash(plugin: LoadedPlugin, taken: dict[tuple[str, str], str]) -> str | None:
    clashes = [(noun, name, taken[noun, name]) for noun, name in _unique_names(plugin) if (noun, name) in taken]
    if not clashes:
        return None
    noun, name, owner = clashes[0]
    more = f" (and {len(clashes) - 1} more)" if len(clashes) > 1 else ""
    return (
        f"{noun} {name!r}{more} of {plugin.info.name!r} is already registered by {owner!r}; "
        f"disable one of the two with the setting `disabled_plugins`"
    )


def _log(info: PluginInfo) -> None:
    if info.active and not info.reason:
        logger.debug("plugin %s %s is active", info.name, info.version)
    elif info.state == "disabled":
        logger.info("plugin %s %s is disabled", info.name, info.version)
    else:
        logger.warning("plugin %s %s is %s: %s", info.name, info.version, info.state.value, info.reason)
