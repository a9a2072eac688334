"""The session of a queue item as clients read it: its graph, and what its journal tells of the run.

It has the keys of InvokeAI's session. The scheduler's own state, which can go on from where it was, is another document
and stays with the worker. Pure; called when an item is read.
"""

from collections.abc import Mapping

from impasto_sdk.fields import JsonValue

__all__ = ["session_view"]

#: What the journal's key of a generator's item holds, and no execution id. Such lines are for a later attempt alone.
_ITEM = "\x1f"


def session_view(
    session_id: str,
    graph: Mapping[str, JsonValue],
    journal: Mapping[str, JsonValue],
    *,
    error: str | None,
    completed: bool,
) -> dict[str, JsonValue]:
    """`journal`: outputs by execution id, in the order in which they finished; `error`: why the session failed."""
    nodes = graph["nodes"]
    results = {key: output for key, output in journal.items() if _ITEM not in key}
    sources = {execution_id: _source(execution_id, nodes) for execution_id in results}
    source_of = {execution_id: source_id for execution_id, (source_id, _) in sources.items()}
    executions_of: dict[str, list[str]] = {}
    for execution_id, source_id in source_of.items():
        executions_of.setdefault(source_id, []).append(execution_id)
    executed = dict.fromkeys(results)
    if completed:  # an iterated node has been executed when all of its executions have
        executed.update(dict.fromkeys(executions_of))
    return {
        "id": session_id,
        "graph": graph,
        "execution_graph": {
            "id": session_id,
            "nodes": {
                execution_id: {**document, "id": execution_id} for execution_id, (_, document) in sources.items()
            },
            "edges": [],
        },
        "executed": list(executed),
        "executed_history": list(dict.fromkeys(source_of.values())),
        "results": results,
        "errors": {} if error is None else {session_id: error},
        "prepared_source_mapping": source_of,
        "source_prepared_mapping": executions_of,
    }


def _source(execution_id: str, nodes: Mapping[str, JsonValue]) -> tuple[str, Mapping[str, JsonValue]]:
    """The node that an execution is one of, by its id and as a document; empty when the graph has none such.

    Its id is the execution's without the iteration paths: ``call/denoise`` of ``call[3]/denoise[0]``, a node of the
    graph that ``call`` calls.
    """
    return _found(execution_id, nodes) or (_without_path(execution_id), {})


def _found(execution_id: str, nodes: Mapping[str, JsonValue]) -> tuple[str, Mapping[str, JsonValue]] | None:
    if own := _own(execution_id, nodes):
        return own
    # an id may hold a slash itself, so that any of them may be where the call's ends
    slash = execution_id.find("/")
    while slash >= 0:
        call = _own(execution_id[:slash], nodes)
        called = call[1].get("called") if call else None
        inner = _found(execution_id[slash + 1 :], called["graph"]["nodes"]) if called else None
        if call and inner:
            return f"{call[0]}/{inner[0]}", inner[1]
        slash = execution_id.find("/", slash + 1)
    return None


def _own(execution_id: str, nodes: Mapping[str, JsonValue]) -> tuple[str, Mapping[str, JsonValue]] | None:
    return next(((id, nodes[id]) for id in (execution_id, _without_path(execution_id)) if id in nodes), None)


def _without_path(execution_id: str) -> str:
    return execution_id.rpartition("[")[0] if execution_id.endswith("]") else execution_id
