"""`exposed_places`: which inputs a workflow offers to whoever runs it, by its form and by its list of exposed fields.

The form is a tree of elements in one flat object; what cannot be reached from its root is not shown, and so not
offered. Called by `impasto.graph.workflow`.
"""

from typing import Any

from impasto.errors import Problem
from impasto.graph.edge import EdgeConnection
from impasto.graph.malformed import malformed

__all__ = ["exposed_places"]

_NODE_FIELD, _CONTAINER = "node-field", "container"


def exposed_places(workflow: dict[str, Any], problems: list[Problem]) -> list[EdgeConnection]:
    """The exposed inputs, each once: those of the form in its order, then those that are only listed.

    What is malformed is added to `problems`. Whether the nodes exist is not asked.
    """
    form, listed = workflow.get("form"), workflow.get("exposedFields")
    places: dict[EdgeConnection, None] = {}
    if isinstance(form, dict):
        places.update(dict.fromkeys(_places_of_form(form, problems)))
    elif form is not None:
        problems.append(malformed("form", form, "an object with 'elements' and 'rootElementId'", field="form"))
    if isinstance(listed, list):
        for index, field in enumerate(listed):
            place = _place(f"exposedFields[{index}]", field, problems)
            if place is not None:
                places[place] = None
    elif listed is not None:
        problems.append(malformed("exposedFields", listed, "a list of fields", field="exposedFields"))
    return list(places)


def _places_of_form(form: dict[str, Any], problems: list[Problem]) -> list[EdgeConnection]:
    elements, root = form.get("elements"), form.get("rootElementId")
    if not isinstance(elements, dict):
        problems.append(malformed("form.elements", elements, "an object of elements by id", field="form"))
        return []
    if not isinstance(root, str) or root not in elements:
        problems.append(malformed("form.rootElementId", root, "the id of an element", field="form"))
        return []
    places: list[EdgeConnection] = []
    seen = {root}
    waiting = [root]  # the next element to look at is the last one
    while waiting:
        element_id = waiting.pop()
        where, element = f"form.elements.{element_id}", elements[element_id]
        if not isinstance(element, dict) or not isinstance(element.get("data", {}), dict):
            problems.append(malformed(where, element, "an object with 'type' and 'data'", field="form"))
            continue
        data = element.get("data", {})
        if element.get("type") == _NODE_FIELD:
            place = _place(f"{where}.data.fieldIdentifier", data.get("fieldIdentifier"), problems)
            if place is not None:
                places.append(place)
        elif element.get("type") == _CONTAINER:
            children = _children(f"{where}.data.children", data.get("children"), elements, problems)
            waiting.extend(reversed([child for child in children if child not in seen]))
            seen.update(children)
    return places


def _children(where: str, found: object, elements: dict[str, Any], problems: list[Problem]) -> list[str]:
    if not isinstance(found, list):
        problems.append(malformed(where, found, "a list of the ids of elements", field="form"))
        return []
    children: dict[str, None] = {}
    for index, child in enumerate(found):
        if isinstance(child, str) and child in elements:
            children[child] = None
        else:
            problems.append(malformed(f"{where}[{index}]", child, "the id of an element", field="form"))
    return list(children)


def _place(where: str, found: object, problems: list[Problem]) -> EdgeConnection | None:
    if isinstance(found, dict):
        node_id, field = found.get("nodeId"), found.get("fieldName")
        if isinstance(node_id, str) and isinstance(field, str):
            return EdgeConnection(node_id, field)
    problems.append(malformed(where, found, "an object with the texts 'nodeId' and 'fieldName'"))
    return None
