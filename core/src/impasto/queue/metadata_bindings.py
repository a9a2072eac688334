"""Metadata that differs from session to session: values of the graph, put where JSON Pointers say.

A panel writes its values once for the whole batch; a binding makes an image that was run with another seed say so. Pure
functions, called when a batch is enqueued (to check) and when an item is claimed (to resolve).
"""

from collections.abc import Mapping

from impasto.errors import BatchError
from impasto.queue.records import Batch, MetadataBinding
from impasto_sdk.fields import JsonValue

__all__ = ["check_bindings", "resolve_bindings"]


def check_bindings(batch: Batch) -> None:
    """Raise `BatchError` for a binding that leads nowhere, in the metadata or in the graph."""
    if batch.metadata_bindings and batch.metadata is None:
        raise BatchError("metadata_bindings need metadata to write into", field="metadata_bindings")
    given = {(datum.node_path, datum.field_name) for group in batch.data or () for datum in group}
    for binding in batch.metadata_bindings:
        node = batch.graph["nodes"].get(binding.node_path)
        if node is None or not (binding.field_name in node or (binding.node_path, binding.field_name) in given):
            raise _error(binding, f"{binding.node_path}.{binding.field_name} has no value in the graph or the data")
        _bound(batch.metadata, _tokens(binding), None, binding)


def resolve_bindings(
    metadata: Mapping[str, JsonValue] | None, bindings: list[MetadataBinding], graph: Mapping[str, JsonValue]
) -> dict[str, JsonValue] | None:
    """The metadata with each binding's place holding what its input holds in `graph`; `metadata` is not changed."""
    if metadata is None:
        return None
    resolved: JsonValue = dict(metadata)
    for binding in bindings:
        value = graph["nodes"][binding.node_path][binding.field_name]
        resolved = _bound(resolved, _tokens(binding), value, binding)
    return dict(resolved)


def _bound(document: JsonValue, tokens: list[str], value: JsonValue, binding: MetadataBinding) -> JsonValue:
    """A copy of `document` with `value` at the end of the path; only what lies on the path is copied."""
    if not tokens:
        return value
    token, rest = tokens[0], tokens[1:]
    if isinstance(document, list):
        if not token.isdecimal() or int(token) >= len(document):
            raise _error(binding, f"the list has {len(document)} entries, none is numbered {token!r}")
        copied = list(document)
        copied[int(token)] = _bound(document[int(token)], rest, value, binding)
        return copied
    if not isinstance(document, dict) or (rest and token not in document):
        raise _error(binding, f"there is no {token!r} to go into")
    return {**document, token: _bound(document.get(token), rest, value, binding)}


def _tokens(binding: MetadataBinding) -> list[str]:
    if not binding.pointer.startswith("/"):
        raise _error(binding, "a pointer begins with '/', e.g. '/values/seed'")
    return [token.replace("~1", "/").replace("~0", "~") for token in binding.pointer[1:].split("/")]


def _error(binding: MetadataBinding, problem: str) -> BatchError:
    return BatchError(
        f"metadata binding {binding.pointer!r}: {problem}", node_id=binding.node_path, field=binding.field_name
    )
