"""The OpenAPI document: what FastAPI derives from the routes, with our errors in place of its own.

It is a promise: `tests/integration/test_api_contract.py` calls every operation and holds the answers against it.
"""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI

from impasto.api.guards import SAFE_METHODS
from impasto.api.idempotency import IDEMPOTENCY_KEY, IDEMPOTENCY_REPLAYED
from impasto.api.problems import ProblemDocument, problem_responses

__all__ = ["complete_openapi"]

#: What a tag's routes are for, in the order in which they are listed.
TAGS = {
    "app": "What runs here",
    "queue": "Enqueue graphs and follow their items",
    "workflows": "The library of saved workflows",
    "images": "The image library",
    "models": "Model records",
    "nodes": "The node types that graphs are made of",
    "panels": "Forms that build graphs",
    "plugins": "What is installed, and what became of it",
    "events": "What happens, as it happens. A WebSocket at `/api/v1/events/ws` takes the same parameters, with "
    "`previews=1` for pictures as binary frames",
    "health": "For supervisors and load balancers",
}
#: Schemas by which FastAPI describes its own errors, which no route answers with.
_REPLACED = ("HTTPValidationError", "ValidationError")
#: Bodies whose fields travel as text.
_FORMS = {"multipart/form-data", "application/x-www-form-urlencoded"}


def complete_openapi(api: FastAPI) -> None:
    """Make `api` describe itself truly. The document is made when it is first asked for."""
    api.openapi_tags = [{"name": name, "description": text} for name, text in TAGS.items()]
    derive = api.openapi

    def openapi() -> dict[str, Any]:
        if api.openapi_schema is None:
            _complete(derive())
        return derive()

    api.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend its document


def _complete(document: dict[str, Any]) -> None:
    """Say what FastAPI does not know: how errors look, which headers answers have, and what cannot be null."""
    schemas = document["components"]["schemas"]
    for name in _REPLACED:
        schemas.pop(name, None)
    schemas.update(_problem_schemas())
    for operations in document["paths"].values():
        for method, operation in operations.items():
            _put_problems_in(method, operation)
            for parameter in operation.get("parameters", ()):
                _forbid_null(parameter["schema"])
            if any(parameter["name"] == IDEMPOTENCY_KEY for parameter in operation.get("parameters", ())):
                _tell_of_repeats(operation["responses"])
            for form in _FORMS & operation.get("requestBody", {}).get("content", {}).keys():
                reference = operation["requestBody"]["content"][form]["schema"]["$ref"]
                for field in schemas[reference.rpartition("/")[2]]["properties"].values():
                    _forbid_null(field)


def _put_problems_in(method: str, operation: dict[str, Any]) -> None:
    """Replace FastAPI's 422 by a problem document, and add what any route of a kind may answer with."""
    common = {str(status): answer for status, answer in problem_responses(*_common_statuses(method, operation)).items()}
    own = {status: answer for status, answer in operation["responses"].items() if status != "422"}
    responses = {**common, **own}
    operation["responses"] = dict(sorted(responses.items()))


def _common_statuses(method: str, operation: Mapping[str, Any]) -> set[int]:
    """The errors that come from what stands before the routes: guards, and the reading of requests."""
    statuses = {500, 503}
    if method.upper() not in SAFE_METHODS:
        statuses.add(403)
    if "parameters" in operation or "422" in operation["responses"]:
        statuses.add(422)
    if "requestBody" in operation:
        statuses |= {400, 413, 415, 422}
    if any(parameter["in"] == "path" for parameter in operation.get("parameters", ())):
        statuses.add(404)  # what stands there may make another path of it, as a slash does
    return statuses


def _forbid_null(schema: dict[str, Any]) -> None:
    """What travels as text is left out and never null, which would be the word ``null``."""
    others = [one for one in schema.get("anyOf", ()) if one != {"type": "null"}]
    if len(others) == 1:
        del schema["anyOf"]
        schema.update(others[0] | schema)
    elif others:
        schema["anyOf"] = others


def _tell_of_repeats(responses: dict[str, Any]) -> None:
    """Describe the header of answers to repeated requests."""
    header = {
        "description": f"The request was sent before with this `{IDEMPOTENCY_KEY}`: nothing new was created",
        "schema": {"type": "string", "enum": ["true"]},
    }
    for status, answer in responses.items():
        if status.startswith("2"):
            answer.setdefault("headers", {})[IDEMPOTENCY_REPLAYED] = header


def _problem_schemas() -> dict[str, Any]:
    schema = ProblemDocument.model_json_schema(ref_template="#/components/schemas/{model}", mode="serialization")
    return {**schema.pop("$defs"), "ProblemDocument": schema}
