"""The session of a queue item as clients read it: its graph, and what its journal tells of the run.

It has the keys of InvokeAI's session. The scheduler's own state, which can go on from where it was, is another document
and stays with the worker. Pure; called when an item is read.
"""

from collections.abc import Mapping

from impasto_sdk.fields import JsonValue

__all__ = ["session_view"]


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
    source_of = {execution_id: _source(execution_id, nodes) for execution_id in journal}
    executions_of: dict[str, list[str]] = {}
    for execution_id, source_id in source_of.items():
        executions_of.setdefault(source_id, []).append(execution_id)
    executed = dict.fromkeys(journal)
    if completed:  # an iterated node has been executed when all of its executions have
        executed.update(dict.fromkeys(executions_of))
    return {
        "id": session_id,
        "graph": graph,
        "execution_graph": {
            "id": session_id,
            "nodes": {
                execution_id: {**nodes.get(source_id, {}), "id": execution_id}
                for execution_id, source_id in source_of.items()
            },
            "edges": [],
        },
        "executed": list(executed),
        "executed_history": list(dict.fromkeys(source_of.values())),
        "results": dict(journal),
        "errors": {} if error is None else {session_id: error},
        "prepared_source_mapping": source_of,
        "source_prepared_mapping": executions_of,
    }


def _source(execution_id: str, nodes: Mapping[str, JsonValue]) -> str:
    """The node that an execution is one of: its id without the iteration path."""
    if execution_id in nodes or not execution_id.endswith("]"):
        return execution_id
    return execution_id.rpartition("[")[0]
