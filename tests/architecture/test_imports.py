"""Who may import whom: the contracts of the workspace, and what the heavy libraries cost nobody."""

import subprocess
import sys
import tomllib

import pytest
from support.sources import WORKSPACE, distributions

HEAVY = ("torch", "diffusers", "transformers")


def imported_after(code: str, modules: tuple[str, ...]) -> list[str]:
    """Which of `modules` a fresh interpreter has imported after running `code`."""
    check = f"{code}\nimport sys\nprint(*[m for m in {modules!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_every_import_contract_is_kept() -> None:
    # in a process of its own: the linter sets logging up anew, which silences every logger that is there
    code = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
    done = subprocess.run([sys.executable, "-c", code], cwd=WORKSPACE, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_contracts_cover_every_distribution() -> None:
    config = tomllib.loads((WORKSPACE / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]
    assert set(config["root_packages"]) == {distribution.package.name for distribution in distributions()}
    ground = next(contract for contract in config["contracts"] if contract["id"] == "ground")
    assert set(ground["layers"][0].split(" | ")) == {d.package.name for d in distributions() if d.name != "impasto-sdk"}


def test_no_contract_has_exceptions() -> None:
    config = tomllib.loads((WORKSPACE / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]
    assert [contract["id"] for contract in config["contracts"] if contract.get("ignore_imports")] == []


def test_every_module_of_the_core_can_be_imported_without_the_ml_stack() -> None:
    code = (
        "import importlib, pkgutil, impasto\n"
        "names = [m.name for m in pkgutil.walk_packages(impasto.__path__, 'impasto.')]\n"
        # what alembic runs is no module to import; __main__ would run the program
        "names = [n for n in names if '.migrations' not in n and not n.endswith('__main__')]\n"
        "assert len(names) > 50, names\n"
        "for name in names: importlib.import_module(name)\n"
    )
    assert imported_after(code, (*HEAVY, "numpy", "safetensors")) == []


def test_loading_every_plugin_imports_no_torch() -> None:
    code = (
        "from impasto.host import PluginHost\n"
        "host = PluginHost.load()\n"
        "assert host.catalogue and all(p.active for p in host.plugins), host.plugins\n"
        "for name in host.catalogue: host.catalogue[name].to_document()\n"
    )
    assert imported_after(code, HEAVY) == []


@pytest.mark.parametrize("plugin", [d.package.name for d in distributions() if d.is_plugin])
def test_a_plugin_can_be_imported_without_torch_and_without_the_core(plugin: str) -> None:
    code = (
        f"import importlib, pkgutil, {plugin}.plugin\n"
        f"for m in pkgutil.walk_packages({plugin}.__path__, '{plugin}.'):\n"
        "    if '.nodes' in m.name or '.panels' in m.name: importlib.import_module(m.name)\n"
    )
    assert imported_after(code, (*HEAVY, "impasto")) == []
