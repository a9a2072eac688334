"""What ``impasto version`` prints: the versions that a bug report needs."""

import platform
from importlib import metadata

from impasto import __version__
from impasto_sdk import __version__ as sdk_version

__all__ = ["versions"]


def versions() -> dict[str, str]:
    """Versions by name: the core, the sdk, every installed plugin, Python and torch. Imports none of them."""
    plugins = {
        entry_point.dist.name: entry_point.dist.version
        for entry_point in metadata.entry_points(group="impasto.plugins")
        if entry_point.dist is not None
    }
    found = {"impasto": __version__, "impasto-sdk": sdk_version, **dict(sorted(plugins.items()))}
    found["python"] = platform.python_version()
    for library in ("torch", "diffusers"):
        try:
            found[library] = metadata.version(library)
        except metadata.PackageNotFoundError:
            found[library] = "not installed"
    return found
