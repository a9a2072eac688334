"""What the documentation has its reader type does what it says."""

import json
import os
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest
from support.documentation import code_blocks, named_files

import impasto_sdk
from impasto_image.plugin import register_invocations as image_nodes
from impasto_primitives.plugin import register_invocations as primitive_nodes

ROOT = Path(__file__).parents[2]
README = ROOT / "sdk" / "README.md"
FIRST_PLUGIN = ROOT / "docs" / "authors" / "first-plugin.md"
TESTING = ROOT / "docs" / "authors" / "testing.md"
NODES = ROOT / "docs" / "authors" / "nodes.md"
EVENTS = ROOT / "docs" / "authors" / "events.md"


def write(files: dict[str, str], folder: Path) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, "utf-8")


def run_python(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(folder / "src"), str(folder)])
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_first_node_of_the_readme_runs_as_it_stands(tmp_path):
    node, trial = code_blocks(README, "python")
    assert 15 <= len(node.splitlines()) <= 25, "the first node is meant to be about twenty lines"
    write({"first.py": node + "\n\n" + trial}, tmp_path)
    answer = run_python(tmp_path, "-W", "error", "first.py")
    assert (answer.returncode, answer.stderr) == (0, "")


def test_the_readme_names_every_module():
    modules = {found.name for found in pkgutil.iter_modules(impasto_sdk.__path__)} - {"__about__"}
    named = set(re.findall(r"^\| `impasto_sdk\.(\w+)` \|", README.read_text("utf-8"), re.MULTILINE))
    assert named == modules


@pytest.fixture(scope="module")
def plugin_folder(tmp_path_factory):
    """The plugin of the four pages, as its reader would have it."""
    folder = tmp_path_factory.mktemp("impasto-turn")
    for page in (FIRST_PLUGIN, TESTING, NODES, EVENTS):
        write(named_files(page), folder)
    return folder


def test_the_page_gives_every_file_that_its_tree_shows(plugin_folder):
    assert {path.relative_to(plugin_folder).as_posix() for path in plugin_folder.rglob("*") if path.is_file()} >= {
        "pyproject.toml",
        "src/impasto_turn/__init__.py",
        "src/impasto_turn/nodes.py",
        "src/impasto_turn/plugin.py",
        "tests/test_turn.py",
    }


def test_the_first_plugin_passes_its_own_tests(plugin_folder):
    answer = run_python(plugin_folder, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error", "tests")
    assert answer.returncode == 0, answer.stdout
    assert "skipped" not in answer.stdout


def test_the_first_plugin_satisfies_a_strict_type_checker(plugin_folder, tmp_path):
    answer = run_python(plugin_folder, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path), "src/impasto_turn")
    assert answer.returncode == 0, answer.stdout


def test_the_first_plugin_declares_an_entry_point_and_a_range_that_holds_this_sdk(plugin_folder):
    import tomllib

    from packaging.requirements import Requirement

    project = tomllib.loads((plugin_folder / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["entry-points"]["impasto.plugins"] == {"turn": "impasto_turn.plugin"}
    sdk = next(r for r in map(Requirement, project["dependencies"]) if r.name == "impasto-sdk")
    assert impasto_sdk.__version__ in sdk.specifier


def test_the_graph_of_the_first_plugin_is_sound(plugin_folder, monkeypatch):
    from impasto.graph import Graph

    monkeypatch.syspath_prepend(str(plugin_folder / "src"))
    from impasto_turn.plugin import register_invocations as turn_nodes

    catalogue = {node.spec.type: node.spec for node in [*image_nodes(), *turn_nodes()]}
    graph = Graph.from_document(json.loads((plugin_folder / "graph.json").read_text("utf-8")))
    assert graph.problems(catalogue) == []


def test_the_graph_of_the_node_that_yields_is_sound(plugin_folder, monkeypatch):
    from impasto.graph import Graph

    monkeypatch.syspath_prepend(str(plugin_folder / "src"))
    from impasto_turn.around import TurnAround

    catalogue = {node.spec.type: node.spec for node in [*image_nodes(), *primitive_nodes(), TurnAround]}
    graph = Graph.from_document(json.loads((plugin_folder / "around.json").read_text("utf-8")))
    assert TurnAround.spec.yields
    assert graph.problems(catalogue) == []
