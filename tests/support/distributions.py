"""Installed distributions for tests: real metadata and real modules in a folder that Python imports from."""

import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from impasto.host import PluginHost

__all__ = ["Distributions", "distributions"]


class Distributions:
    """A folder of installed distributions. Each plugin is one module."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.modules: list[str] = []

    def install(
        self,
        name: str,
        code: str,
        *,
        version: str = "1.0.0",
        requires: tuple[str, ...] = ("impasto-sdk>=0.1,<0.2",),
        entry_point: str | None = None,
    ) -> str:
        """Install a distribution whose plugin is a module with `code`; gives the module's name.

        The code may use `hookimpl` without importing it. `entry_point`: what it names, if not the module.
        """
        module = name.lower().replace("-", "_").replace(".", "_")
        (self.folder / f"{module}.py").write_text(
            "from impasto_sdk.hookspecs import hookimpl\n" + textwrap.dedent(code), "utf-8"
        )
        info = self.folder / f"{module}-{version}.dist-info"
        info.mkdir()
        lines = ["Metadata-Version: 2.4", f"Name: {name}", f"Version: {version}"]
        lines += [f"Requires-Dist: {line}" for line in requires]
        (info / "METADATA").write_text("\n".join(lines) + "\n", "utf-8")
        (info / "entry_points.txt").write_text(f"[impasto.plugins]\n{module} = {entry_point or module}\n", "utf-8")
        self.modules.append(module)
        return module

    def load(self, *, disabled: tuple[str, ...] = ()) -> PluginHost:
        """A host of these distributions and no others."""
        return PluginHost.load(disabled=disabled, search=[str(self.folder)])


@pytest.fixture
def distributions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Distributions]:
    """An empty folder of distributions on `sys.path`; what was imported from it is forgotten afterwards."""
    folder = tmp_path / "site-packages"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    installed = Distributions(folder)
    yield installed
    for module in installed.modules:
        sys.modules.pop(module, None)
