"""What others may use is listed in `__all__`, in one order. That it is documented is ruff's business (D1)."""

import ast

import pytest
from support.sources import Source, sources

#: Modules that are run or read, never imported for a name.
WITHOUT_NAMES = ("__main__.py", "__about__.py")

PUBLIC = [source for source in sources() if source.is_public and source.path.name not in WITHOUT_NAMES]


def all_of(source: Source) -> list[str] | None:
    """The module's `__all__`; None when it has none."""
    for node in source.tree.body:
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        if any(isinstance(target, ast.Name) and target.id == "__all__" for target in targets):
            assert isinstance(node.value, ast.List), f"{source}: __all__ is not a plain list"
            return [element.value for element in node.value.elts if isinstance(element, ast.Constant)]
    return None


def defines_something(source: Source) -> bool:
    """Whether there is a public class or function at the top of the module."""
    return any(
        isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not node.name.startswith("_")
        for node in source.tree.body
    )


def bound_names(source: Source) -> set[str]:
    """What the module binds."""
    names: set[str] = set()
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ImportFrom | ast.Import):
            names |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
    return names


def reading_order(name: str) -> tuple[int, str]:
    """Constants, then classes, then functions; each by the alphabet."""
    return (0 if name.isupper() else 1 if name[0].isupper() else 2, name)


def test_every_module_with_public_names_lists_them() -> None:
    assert [str(source) for source in PUBLIC if defines_something(source) and all_of(source) is None] == []


@pytest.mark.parametrize("source", [source for source in PUBLIC if all_of(source)], ids=str)
def test_listed_names_exist_and_are_in_order(source: Source) -> None:
    names = all_of(source)
    assert names == sorted(set(names), key=reading_order)
    assert set(names) <= bound_names(source)
