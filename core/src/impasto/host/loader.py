"""Loading one plugin: import, check its hooks, call its `register_*` hooks and check what they return.

Nothing is kept of a plugin that goes wrong anywhere on the way, and nothing is kept here at all: `load_plugin` gives a
`LoadedPlugin`, which the host takes in as a whole or not. A plugin's hooks live in a pluggy manager of their own, so
that an answer or an exception always has a name to it, and no plugin's wrapper reaches into another's calls.
"""

import difflib
import inspect
import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pluggy
from packaging.specifiers import SpecifierSet

from impasto.errors import PluginError
from impasto.host.contributions import KINDS, ContributionKind
from impasto.host.discovery import SDK_DISTRIBUTION, InstalledPlugin
from impasto.host.plugin import PluginInfo, PluginState
from impasto.host.provider_secrets import provider_secrets
from impasto_sdk import __version__ as sdk_version
from impasto_sdk import hookspecs
from impasto_sdk.contributions import SecretDeclaration
from impasto_sdk.providers import ExternalProvider

__all__ = ["LoadedPlugin", "load_plugin", "set_aside"]


@dataclass(frozen=True, slots=True)
class LoadedPlugin:
    """A plugin that was loaded, or why it was not."""

    info: PluginInfo
    #: Its hooks; None when it is not active.
    manager: pluggy.PluginManager | None = None
    #: What it registered, by kind.
    values: Mapping[str, Sequence[object]] | None = None


def load_plugin(plugin: InstalledPlugin, *, disabled: bool) -> LoadedPlugin:
    """Load one plugin; whatever it does wrong ends up in the info. Raises nothing a plugin could cause."""
    if disabled:
        return LoadedPlugin(_info(plugin, PluginState.DISABLED, reason="disabled by the setting `disabled_plugins`"))
    try:
        sdk_range = plugin.sdk_range()
        if sdk_range is not None and not sdk_range.contains(sdk_version, prereleases=True):
            return LoadedPlugin(_incompatible(plugin, sdk_range))
        manager = _import(plugin)
        values = {kind.name: collected for kind in KINDS if (collected := _collect(plugin, manager, kind))}
        _add_provider_secrets(values)
    except _LoadError as error:
        return LoadedPlugin(_info(plugin, PluginState.FAILED, reason=error.problem, traceback=error.traceback))
    except ValueError as error:
        return LoadedPlugin(_info(plugin, PluginState.FAILED, reason=str(error)))
    reason = "" if sdk_range is not None else f"it names no {SDK_DISTRIBUTION} range in its dependencies"
    names = {kind.name: tuple(kind.name_of(v) for v in values[kind.name]) for kind in KINDS if kind.name in values}
    return LoadedPlugin(_info(plugin, PluginState.ACTIVE, reason=reason, contributions=names), manager, values)


def set_aside(plugin: LoadedPlugin, reason: str) -> LoadedPlugin:
    """The same plugin as *clashing*, with nothing of it left."""
    before = plugin.info
    return LoadedPlugin(
        PluginInfo(
            name=before.name,
            version=before.version,
            entry_point=before.entry_point,
            sdk_range=before.sdk_range,
            state=PluginState.CLASHING,
            reason=reason,
        )
    )


class _LoadError(PluginError):
    """Something a plugin did wrong, with where it did."""

    def __init__(self, plugin: str, problem: str, cause: BaseException | None = None) -> None:
        super().__init__(plugin, problem)
        self.traceback = "".join(traceback.format_exception(cause)) if cause else None


def _info(
    plugin: InstalledPlugin,
    state: PluginState,
    *,
    reason: str = "",
    traceback: str | None = None,
    contributions: Mapping[str, tuple[str, ...]] | None = None,
) -> PluginInfo:
    try:
        sdk_range = plugin.sdk_range()
    except ValueError:
        sdk_range = None
    return PluginInfo(
        name=plugin.name,
        version=plugin.version,
        entry_point=plugin.entry_point,
        state=state,
        reason=reason,
        traceback=traceback,
        sdk_range=None if sdk_range is None else str(sdk_range),
        contributions=contributions or {},
    )


def _incompatible(plugin: InstalledPlugin, sdk_range: SpecifierSet) -> PluginInfo:
    reason = (
        f"it is made for {SDK_DISTRIBUTION} {sdk_range}, and {sdk_version} is installed; "
        f"install a version of {plugin.name} made for {sdk_version}"
    )
    return _info(plugin, PluginState.INCOMPATIBLE, reason=reason)


def _import(plugin: InstalledPlugin) -> pluggy.PluginManager:
    """Import the plugin's entry points and check that every hook it implements exists and is called rightly."""
    manager = pluggy.PluginManager(hookspecs.PROJECT_NAME)
    manager.add_hookspecs(hookspecs)
    for point in plugin.entry_points:
        try:
            module = point.load()
        except (Exception, SystemExit) as error:
            raise _LoadError(plugin.name, f"importing {point.value} raised {_say(error)}", error) from error
        try:
            manager.register(module, name=f"{plugin.name}:{point.name}")
        except pluggy.PluginValidationError as error:
            raise _LoadError(plugin.name, _one_line(str(error))) from error
        except ValueError as error:
            raise _LoadError(plugin.name, f"{point.value} is named by two entry points") from error
        _check_hook_names(plugin, manager, module)
    return manager


def _check_hook_names(plugin: InstalledPlugin, manager: pluggy.PluginManager, module: object) -> None:
    known = [name for name, _ in inspect.getmembers_static(hookspecs) if _is_hookspec(manager, name)]
    try:
        manager.check_pending()
    except pluggy.PluginValidationError as error:
        callers = manager.get_hookcallers(module) or []
        unknown = min(caller.name for caller in callers if not caller.has_spec())
        meant = difflib.get_close_matches(unknown, known, n=1)
        hint = f"did you mean {meant[0]!r}?" if meant else f"there are {', '.join(sorted(known))}"
        raise _LoadError(plugin.name, f"it implements a hook {unknown!r}, which does not exist; {hint}") from error
    implemented = {caller.name for caller in manager.get_hookcallers(module) or []}
    for name in known:
        if name not in implemented and inspect.isroutine(getattr(module, name, None)):
            raise _LoadError(plugin.name, f"its function {name} is not marked with @hookimpl, so it is never called")


def _is_hookspec(manager: pluggy.PluginManager, name: str) -> bool:
    caller = getattr(manager.hook, name, None)
    return isinstance(caller, pluggy.HookCaller) and caller.has_spec()


def _collect(plugin: InstalledPlugin, manager: pluggy.PluginManager, kind: ContributionKind) -> list[object]:
    """What the plugin registers of one kind, checked, in order."""
    caller = getattr(manager.hook, kind.hook)
    implementations = caller.get_hookimpls()
    if not implementations:
        return []
    try:
        answers = caller()
        # pluggy leaves out answers that are None
        answers = answers if len(answers) == len(implementations) else [None]
        values = [value for answer in answers for value in _each(plugin, kind, answer)]
        _check_twice(plugin, kind, values)
    except _LoadError:
        raise
    except (Exception, SystemExit) as error:
        raise _LoadError(plugin.name, f"{kind.hook} raised {_say(error)}", error) from error
    return values


def _add_provider_secrets(values: dict[str, list[object]]) -> None:
    """Declare what each provider brings; what the plugin says of such a secret itself stays."""
    declared = values.get("secrets", [])
    names = {secret.name for secret in declared if isinstance(secret, SecretDeclaration)}
    brought = [
        secret
        for provider in values.get("external_providers", ())
        if isinstance(provider, type) and issubclass(provider, ExternalProvider)
        for secret in provider_secrets(provider)
        if secret.name not in names
    ]
    if brought:
        values["secrets"] = [*declared, *brought]


def _each(plugin: InstalledPlugin, kind: ContributionKind, answer: object) -> Iterator[object]:
    if not isinstance(answer, Sequence) or isinstance(answer, str | bytes):
        raise _LoadError(plugin.name, f"{kind.hook} returned {_show(answer)}; it must return a list of {kind.wanted}")
    for place, value in enumerate(answer):
        if not kind.accepts(value):
            raise _LoadError(
                plugin.name,
                f"{kind.hook} returned {_show(value)} at place {place} of its list; "
                f"it must return a list of {kind.wanted}",
            )
        yield value


def _check_twice(plugin: InstalledPlugin, kind: ContributionKind, values: Sequence[object]) -> None:
    seen: set[str] = set()
    for value in values:
        name = kind.name_of(value)
        if name in seen:
            raise _LoadError(plugin.name, f"{kind.hook} returned {kind.noun} {name!r} twice")
        seen.add(name)


def _say(error: BaseException) -> str:
    return _one_line(f"{type(error).__name__}: {error}" if str(error) else type(error).__name__)


def _show(value: object) -> str:
    return "None" if value is None else f"{_one_line(repr(value))[:120]} ({type(value).__name__})"


def _one_line(text: str) -> str:
    return " ".join(text.split())
