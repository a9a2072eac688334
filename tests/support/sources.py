"""The source files of all distributions, parsed, for tests that look at the code itself."""

import ast
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

#: The checkout.
WORKSPACE = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Distribution:
    """A folder with a `pyproject.toml` of its own."""

    folder: Path
    manifest: dict[str, Any]

    @property
    def name(self) -> str:
        return str(self.manifest["project"]["name"])

    @property
    def package(self) -> Path:
        """The folder of its one import package."""
        (package,) = (path for path in (self.folder / "src").iterdir() if (path / "__init__.py").exists())
        return package

    @property
    def is_plugin(self) -> bool:
        return "plugins" in self.folder.relative_to(WORKSPACE).parts

    @property
    def version(self) -> str:
        namespace: dict[str, str] = {}
        exec((self.package / "__about__.py").read_text("utf-8"), namespace)
        return namespace["__version__"]


@dataclass(frozen=True)
class Source:
    """A module of a distribution."""

    path: Path
    text: str
    tree: ast.Module

    def __str__(self) -> str:
        return str(self.path.relative_to(WORKSPACE))

    @property
    def is_public(self) -> bool:
        """Whether others may import it: no part of its name begins with an underscore."""
        return not any(
            part.startswith("_") and part != "__init__.py" for part in self.path.relative_to(WORKSPACE).parts
        )


@cache
def distributions() -> tuple[Distribution, ...]:
    """All of them: the sdk, the core and the plugins."""
    folders = [
        WORKSPACE / "sdk",
        WORKSPACE / "core",
        *sorted(p.parent for p in WORKSPACE.glob("plugins/**/pyproject.toml")),
    ]
    return tuple(Distribution(f, tomllib.loads((f / "pyproject.toml").read_text("utf-8"))) for f in folders)


@cache
def sources() -> tuple[Source, ...]:
    """Every module of every distribution. Migrations count as data: they are written once, in another tool's form."""
    paths = [path for distribution in distributions() for path in sorted(distribution.package.rglob("*.py"))]
    return tuple(_parsed(path) for path in paths if "versions" not in path.parts)


def _parsed(path: Path) -> Source:
    text = path.read_text("utf-8")
    return Source(path, text, ast.parse(text, str(path)))


def definitions(tree: ast.AST) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]]:
    """Every class and function in a module, methods and inner ones too, with its dotted name."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name, node
            for name, inner in definitions(node):
                yield f"{node.name}.{name}", inner
        else:
            yield from definitions(node)
