"""`render_docs`: the routes of the API as a page, made from its OpenAPI document."""

from collections.abc import Mapping
from typing import Any

from impasto.api.pages.markup import Markup, element, joined, page

__all__ = ["render_docs"]


def render_docs(document: Mapping[str, Any]) -> str:
    """The page. `document`: OpenAPI 3.1 as FastAPI makes it."""
    head = element(
        "header",
        element("h1", document["info"]["title"], " API"),
        element("span", "version ", document["info"]["version"], class_="faint"),
        element("nav", element("a", "Server", href="/"), element("a", "OpenAPI", href="/openapi.json")),
    )
    sections = [
        joined(
            [
                element("h2", tag["name"], id=tag["name"]),
                element("p", tag["description"], class_="faint"),
                *(
                    _route(method, path, operation)
                    for path, operations in document["paths"].items()
                    for method, operation in operations.items()
                    if tag["name"] in operation.get("tags", ())
                ),
            ]
        )
        for tag in document["tags"]
    ]
    schemas = [_schema(name, schema) for name, schema in sorted(document["components"]["schemas"].items())]
    intro = element("p", document["info"]["description"])
    return page("Impasto API", joined([head, intro, *sections, element("h2", "Shapes", id="shapes"), *schemas]))


def _route(method: str, path: str, operation: Mapping[str, Any]) -> Markup:
    said = operation.get("description", "")
    rows = [
        _row(p["name"], p["in"] + (", required" if p.get("required") else ""), _type(p["schema"]), p.get("description"))
        for p in operation.get("parameters", ())
    ]
    for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
        rows.append(_row("body", media_type, _type(content["schema"]), None))
    for status, response in operation["responses"].items():
        shapes = [_type(c["schema"]) for c in response.get("content", {}).values() if c.get("schema")]
        rows.append(_row(status, "answer", shapes[0] if shapes else "", response["description"]))
    summary = element(
        "summary",
        element("span", method.upper(), class_="method"),
        element("span", path, class_="path"),
        element("span", operation["operationId"], class_="faint"),
    )
    return element("details", summary, element("div", element("p", said), element("table", joined(rows))))


def _schema(name: str, schema: Mapping[str, Any]) -> Markup:
    required = schema.get("required", ())
    rows = [
        _row(key, "required" if key in required else "", _type(value), value.get("description"))
        for key, value in schema.get("properties", {}).items()
    ]
    summary = element("summary", element("span", name, class_="path"))
    said = element("p", schema.get("description", ""))
    return element("details", summary, element("div", said, element("table", joined(rows))), id=name)


def _row(name: object, where: object, type_: object, said: object) -> Markup:
    cells = (element("td", element("code", name)), element("td", where, class_="faint"), element("td", type_))
    return element("tr", *cells, element("td", said or ""))


def _type(schema: Mapping[str, Any]) -> Markup:
    """A type in words; a shape of its own as a link to where it is described."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return element("a", name, href=f"#{name}")
    for union in ("anyOf", "oneOf"):
        if union in schema:
            return _between(" or ", [_type(one) for one in schema[union]])
    if "enum" in schema:
        return _between(" or ", [element("code", value) for value in schema["enum"]])
    if schema.get("type") == "array":
        return joined(["list of ", _type(schema.get("items", {}))])
    return joined([schema.get("type", "anything")])


def _between(separator: str, parts: list[Markup]) -> Markup:
    return Markup(separator.join(parts))
