"""Reads what a run made out of the queue item that it was."""

from collections.abc import Iterator, Mapping

from impasto.cli.client import JsonObject

__all__ = ["image_names", "outputs"]


def outputs(item: JsonObject) -> dict[str, JsonObject]:
    """The outputs of a queue item's executions, by execution id, in the order in which they finished."""
    session = item["session"]
    results: dict[str, JsonObject] = session["results"]
    return results


def image_names(item: JsonObject) -> list[str]:
    """Names of the images that a queue item's executions gave, each once."""
    return list(dict.fromkeys(name for output in outputs(item).values() for name in _names_in(output)))


def _names_in(value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        if isinstance(value.get("image_name"), str):
            yield value["image_name"]
        for part in value.values():
            yield from _names_in(part)
    elif isinstance(value, list):
        for part in value:
            yield from _names_in(part)
