"""Which plugins are installed, read from the metadata of distributions. Imports none of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import importlib_metadata
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

__all__ = ["ENTRY_POINT_GROUP", "SDK_DISTRIBUTION", "InstalledPlugin", "installed_plugins"]

#: The group of entry points that plugins declare.
ENTRY_POINT_GROUP = "impasto.plugins"
#: The distribution whose range says which platform a plugin is made for.
SDK_DISTRIBUTION = "impasto-sdk"


@dataclass(frozen=True, slots=True)
class InstalledPlugin:
    """A distribution with entry points of our group."""

    name: str
    version: str
    entry_points: tuple[importlib_metadata.EntryPoint, ...]
    #: Its `Requires-Dist` lines.
    requires: tuple[str, ...]

    @property
    def entry_point(self) -> str:
        """The entry points as `pyproject.toml` writes them."""
        return "; ".join(f"{point.name} = {point.value}" for point in self.entry_points)

    def sdk_range(self) -> SpecifierSet | None:
        """The versions of the sdk it asks for; None when it names none. Raises `ValueError` for a malformed line."""
        ranges = []
        for line in self.requires:
            try:
                requirement = Requirement(line)
            except InvalidRequirement as error:
                raise ValueError(f"its requirement {line!r} cannot be read: {error}") from error
            wanted = canonicalize_name(requirement.name) == SDK_DISTRIBUTION
            if wanted and (requirement.marker is None or requirement.marker.evaluate({"extra": ""})):
                ranges.append(requirement.specifier)
        if not ranges:
            return None
        together = SpecifierSet()
        for specifier in ranges:
            together &= specifier
        return together


def installed_plugins(search: Sequence[str] | None = None) -> list[InstalledPlugin]:
    """The installed plugins, ordered by name.

    `search`: the folders to look in; None: wherever Python imports from. Of two copies of a distribution the one that
    Python would import is taken.
    """
    found: dict[str, InstalledPlugin] = {}
    for plugin in _with_entry_points(search):
        found.setdefault(plugin.name, plugin)
    return [found[name] for name in sorted(found)]


def _with_entry_points(search: Sequence[str] | None) -> Iterator[InstalledPlugin]:
    where = {} if search is None else {"path": list(search)}
    for distribution in importlib_metadata.distributions(**where):
        # the entry points first: reading every distribution's long metadata would cost a start noticeable time
        points = tuple(distribution.entry_points.select(group=ENTRY_POINT_GROUP))
        if points:
            yield InstalledPlugin(
                name=canonicalize_name(distribution.name),
                version=distribution.version,
                entry_points=points,
                requires=tuple(distribution.requires or ()),
            )
