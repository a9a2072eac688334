"""The `distributions` fixture: a folder of plugins made with `make_plugin`, from which this process imports."""

import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from impasto.host import PluginHost
from support.plugins import make_plugin

__all__ = ["Distributions", "distributions"]


class Distributions:
    """A folder of installed distributions. Each plugin is one module."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.modules: list[str] = []

    def install(self, name: str, code: str, **declared: Any) -> str:
        """Install a distribution whose plugin is a module with `code`; gives the module's name.

        The code may use `hookimpl` without importing it; `declared` is what `make_plugin` takes beside it.
        """
        source = "from impasto_sdk.hookspecs import hookimpl\n" + textwrap.dedent(code)
        module = make_plugin(self.folder, name, source, **declared).stem
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
