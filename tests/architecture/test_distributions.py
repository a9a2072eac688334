"""Each distribution stands alone: what it needs is declared, pinned and no more than it may be."""

import ast
import re
import sys
from importlib import metadata

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version
from support.sources import WORKSPACE, Distribution, distributions, sources

PLUGINS = [distribution for distribution in distributions() if distribution.is_plugin]


def requirements(distribution: Distribution) -> dict[str, Requirement]:
    found = [Requirement(text) for text in distribution.manifest["project"]["dependencies"]]
    return {canonicalize_name(requirement.name): requirement for requirement in found}


def sdk_range() -> SpecifierSet:
    """What a plugin made for the present sdk declares: this minor version and its fixes."""
    (sdk,) = (d for d in distributions() if d.name == "impasto-sdk")
    version = Version(sdk.version)
    return SpecifierSet(f">={version.major}.{version.minor},<{version.major}.{version.minor + 1}")


def test_the_sdk_stands_on_pydantic_and_pluggy_alone() -> None:
    (sdk,) = (d for d in distributions() if d.name == "impasto-sdk")
    assert set(requirements(sdk)) == {"pydantic", "pluggy"}


@pytest.mark.parametrize("distribution", [d for d in distributions() if d.name != "impasto-sdk"], ids=lambda d: d.name)
def test_a_distribution_asks_for_this_minor_version_of_the_sdk(distribution: Distribution) -> None:
    assert requirements(distribution)["impasto-sdk"].specifier == sdk_range()


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda d: d.name)
def test_a_plugin_needs_neither_the_core_nor_another_plugin(plugin: Distribution) -> None:
    ours = {canonicalize_name(d.name) for d in distributions()} - {"impasto-sdk"}
    assert set(requirements(plugin)) & ours == set()


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda d: d.name)
def test_a_plugin_is_found_by_one_entry_point(plugin: Distribution) -> None:
    (target,) = plugin.manifest["project"]["entry-points"]["impasto.plugins"].values()
    assert target == f"{plugin.package.name}.plugin"


@pytest.mark.parametrize("distribution", distributions(), ids=lambda d: d.name)
def test_a_distribution_is_whole(distribution: Distribution) -> None:
    project = distribution.manifest["project"]
    assert distribution.manifest["build-system"]["build-backend"] == "hatchling.build"
    assert project["requires-python"] == ">=3.11"
    assert project["license"] == "Apache-2.0"
    assert (distribution.package / "py.typed").exists()
    assert len((distribution.folder / "README.md").read_text("utf-8").splitlines()) > 5, "its README says nothing"
    newest = re.search(r"^## (\S+)", (distribution.folder / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert newest is not None
    assert newest[1] == distribution.version


@pytest.mark.parametrize("distribution", distributions(), ids=lambda d: d.name)
def test_what_a_distribution_needs_is_pinned_to_a_version_that_it_allows(distribution: Distribution) -> None:
    lines = (
        line for line in (WORKSPACE / "constraints.txt").read_text("utf-8").splitlines() if not line.startswith("#")
    )
    pinned = {canonicalize_name(name): Version(version) for name, version in (line.split("==") for line in lines)}
    for name, requirement in requirements(distribution).items():
        if not name.startswith("impasto"):
            assert name in pinned, f"constraints.txt does not pin {name}"
            assert pinned[name] in requirement.specifier


#: Needed without being imported by name: one of these libraries loads them.
LOADED_BY_ANOTHER = {"python-multipart": {"fastapi", "starlette"}, "accelerate": {"diffusers"}, "scipy": {"diffusers"}}
#: Parts of another library, which fixes their versions, unless a distribution asks for the part alone.
PARTS = {"pydantic-core": "pydantic", "starlette": "fastapi"}


def imported(distribution: Distribution) -> set[str]:
    """The distributions that its modules import from, wherever in a module that is."""
    names = set()
    for source in sources():
        if source.path.is_relative_to(distribution.package):
            for node in ast.walk(source.tree):
                if isinstance(node, ast.Import):
                    names |= {alias.name.partition(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and node.module:
                    names.add(node.module.partition(".")[0])
    owners = {**metadata.packages_distributions(), **{d.package.name: [d.name] for d in distributions()}}
    names -= {*sys.stdlib_module_names, distribution.package.name}
    found = {canonicalize_name(owners[name][0]) for name in names}
    declared = requirements(distribution)
    return {name if name in declared else PARTS.get(name, name) for name in found}


@pytest.mark.parametrize("distribution", distributions(), ids=lambda d: d.name)
def test_a_distribution_declares_what_it_imports_and_nothing_else(distribution: Distribution) -> None:
    extras = distribution.manifest["project"].get("optional-dependencies", {})
    optional = {canonicalize_name(Requirement(text).name) for texts in extras.values() for text in texts}
    declared = set(requirements(distribution))
    used = imported(distribution) | {name for name, loaders in LOADED_BY_ANOTHER.items() if loaders & declared}
    assert used - declared - optional == set(), "imported and not declared"
    assert declared - used == set(), "declared and not used"
