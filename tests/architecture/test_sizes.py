"""Nothing grows beyond what a reader can hold: files, functions, classes, constructors."""

import ast
from collections.abc import Iterator

from support.sources import Source, definitions, sources

FILE_LINES = 500
FUNCTION_LINES = 60
CLASS_LINES = 300
COLLABORATORS = 5

#: Choices and plain data, not collaborators. A callable is one question, which is why a constructor asks for it.
NOT_COLLABORATORS = {"Settings", "JsonValue"}


def lines_of(node: ast.AST) -> int:
    return node.end_lineno - node.lineno + 1


def test_no_file_is_longer_than_its_cap() -> None:
    counts = {str(source): source.text.count("\n") for source in sources()}
    assert {name: count for name, count in counts.items() if count > FILE_LINES} == {}


def test_no_function_and_no_class_is_longer_than_its_cap() -> None:
    long = [
        f"{source}: {name} has {lines_of(node)} lines"
        for source in sources()
        for name, node in definitions(source.tree)
        if lines_of(node) > (CLASS_LINES if isinstance(node, ast.ClassDef) else FUNCTION_LINES)
    ]
    assert long == []


def test_no_constructor_takes_more_than_five_collaborators() -> None:
    crowded = [
        f"{source}: {name} takes {', '.join(found)}"
        for source in sources()
        for name, found in constructors(source)
        if len(found) > COLLABORATORS
    ]
    assert crowded == []


def test_a_constructor_with_six_collaborators_would_be_found() -> None:
    parameters = ", ".join(f"p{i}: Part" for i in range(6))
    others = "settings: Settings, ask: Callable[[Part], Part], name: str"
    text = f"class Part: ...\nclass Whole:\n    def __init__(self, {parameters}, {others}): ...\n"
    ((name, found),) = constructors(Source(sources()[0].path, text, ast.parse(text)))
    assert (name, found) == ("Whole.__init__", [f"p{i}" for i in range(6)])


def constructors(source: Source) -> Iterator[tuple[str, list[str]]]:
    """Every `__init__` with its collaborators: the parameters whose type is a class of this project."""
    ours = {
        alias.asname or alias.name
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("impasto")
        for alias in node.names
    } | {node.name for node in ast.walk(source.tree) if isinstance(node, ast.ClassDef)}
    for name, node in definitions(source.tree):
        if not isinstance(node, ast.ClassDef) and node.name == "__init__":
            parameters = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            yield (
                name,
                [p.arg for p in parameters if p.annotation and names_in(p.annotation) & (ours - NOT_COLLABORATORS)],
            )


def names_in(annotation: ast.expr) -> set[str]:
    """The type names in an annotation, those inside `Callable[…]` left out."""
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        return names_in(ast.parse(annotation.value, mode="eval").body)
    if (
        isinstance(annotation, ast.Subscript)
        and isinstance(annotation.value, ast.Name)
        and annotation.value.id == "Callable"
    ):
        return set()
    if isinstance(annotation, ast.Name):
        return {annotation.id}
    return {
        name for child in ast.iter_child_nodes(annotation) if isinstance(child, ast.expr) for name in names_in(child)
    }
