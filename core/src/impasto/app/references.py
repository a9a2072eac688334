"""Do the images and models that a graph names exist? Asked before a graph is queued, so that no run fails late.

Pure but for the two questions it is given. Only inputs whose declared type can hold a reference are looked at, so a
large graph of arithmetic costs nothing here.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, get_args

from impasto.errors import Problem
from impasto.graph import Graph
from impasto_sdk.fields import ImageField, ModelIdentifierField
from impasto_sdk.node import NodeSpec

__all__ = ["missing_references"]


def missing_references(
    graph: Graph,
    catalogue: Mapping[str, NodeSpec],
    *,
    images_that_exist: Callable[[Collection[str]], Collection[str]],
    model_exists: Callable[[str], bool],
) -> list[Problem]:
    """A problem for each image or model that an input names and that does not exist.

    `graph` must be valid. `images_that_exist` answers for all names at once.
    """
    named_images: list[tuple[str, str, str]] = []
    problems = []
    referring = {node_type: _referring_inputs(catalogue[node_type]) for node_type in _types(graph)}
    for node in graph.nodes.values():
        for name in referring[node.type]:
            for value in _flat(node.inputs.get(name)):
                if "image_name" in value:
                    named_images.append((node.id, name, str(value["image_name"])))
                elif "key" in value and not model_exists(str(value["key"])):
                    problems.append(
                        Problem(
                            code="model_not_found",
                            message=f"node {node.id!r}, {name}: no model has the key {value['key']!r}",
                            node_id=node.id,
                            field=name,
                            found=value["key"],
                            suggestion="list the models with GET /api/v2/models/ or `impasto models`",
                        )
                    )
    known = set(images_that_exist({image for _, _, image in named_images})) if named_images else set()
    problems += [
        Problem(
            code="image_not_found",
            message=f"node {node_id!r}, {name}: no image is called {image!r}",
            node_id=node_id,
            field=name,
            found=image,
            suggestion="upload it first with POST /api/v1/images/upload",
        )
        for node_id, name, image in named_images
        if image not in known
    ]
    return problems


def _flat(value: object) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, Mapping):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _flat(item)


def _types(graph: Graph) -> set[str]:
    return {node.type for node in graph.nodes.values()}


def _referring_inputs(spec: NodeSpec) -> tuple[str, ...]:
    return tuple(name for name, port in spec.inputs.items() if _mentions_reference(port.annotation))


def _mentions_reference(annotation: object) -> bool:
    if annotation in (ImageField, ModelIdentifierField):
        return True
    return any(_mentions_reference(part) for part in get_args(annotation))
