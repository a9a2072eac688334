"""`id_problems`: what is wrong with the ids of nodes, and with names of fields, whatever they stand for.

Ids are free text, but for what would be taken for something else: control characters, which separate things where runs
are kept, and what executions are called. Called by the check of a graph.
"""

import re
from collections.abc import Iterator, Mapping

from impasto.errors import Problem
from impasto.graph.node import GraphNode
from impasto.graph.suggestions import say

__all__ = ["control_character", "has_control_character", "id_problems"]

#: The control characters of Unicode (category Cc). None of them is printable, which is asked first: it is far faster.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
#: How the executions of a node in an iteration are called.
_EXECUTION_ID = re.compile(r"(?P<node_id>.*)\[\d+(,\d+)*\]", re.DOTALL)
_RENAME = "rename one of them"


def id_problems(key: str, node: GraphNode, nodes: Mapping[str, GraphNode], *, has_calls: bool) -> Iterator[Problem]:
    """What is wrong with the key of a node; `has_calls` says whether any of `nodes` calls a graph."""
    if key != node.id:
        yield _mismatch(key, node)
    if has_control_character(key):
        yield control_character(f"the node id {key!r}", key, node_id=key, field="id")
    if key.endswith("]"):
        source_id = _source_of(key)
        if source_id is not None and source_id in nodes:
            yield _ambiguous(key, f"an execution of the node {source_id!r}", source_id)
    if has_calls and "/" in key:
        call_id = _call_above(key, nodes)
        if call_id is not None:
            yield _ambiguous(key, f"a node of the graph that {call_id!r} calls", call_id)


def has_control_character(name: str) -> bool:
    """Whether there is a control character in it."""
    return not name.isprintable() and _CONTROL.search(name) is not None


def control_character(what: str, name: str, *, node_id: str, field: str) -> Problem:
    """The problem of a control character in `name`, which `what` says in words what it is."""
    suggestion = f"call it {_CONTROL.sub('', name)!r}"
    return Problem(
        "control_character",
        say(f"{what} holds a control character", suggestion),
        node_id=node_id,
        field=field,
        found=repr(name),
        expected="a text without control characters",
        suggestion=suggestion,
    )


def _source_of(execution_id: str) -> str | None:
    """``denoise`` of ``denoise[3]``; None for what no execution is called."""
    path = _EXECUTION_ID.fullmatch(execution_id)
    return path["node_id"] if path else None


def _call_above(key: str, nodes: Mapping[str, GraphNode]) -> str | None:
    """The call whose nodes run under such ids: ``call`` of ``call/denoise`` and of ``call[3]/denoise``."""
    for slash in re.finditer("/", key):
        above = key[: slash.start()]
        for call_id in (above, _source_of(above)):
            node = nodes.get(call_id) if call_id is not None else None
            if node is not None and node.called is not None:
                return call_id
    return None


def _ambiguous(key: str, other: str, other_id: str) -> Problem:
    return Problem(
        "ambiguous_id",
        say(f"node {key!r} is called like {other}", _RENAME),
        node_id=key,
        field="id",
        found=key,
        expected="an id that no execution of another node has",
        suggestion=_RENAME,
        nodes=(other_id,),
    )


def _mismatch(key: str, node: GraphNode) -> Problem:
    suggestion = f"make the id {key!r}, or leave it out"
    return Problem(
        "id_mismatch",
        say(f"the node under the key {key!r} has the id {node.id!r}; they must be equal", suggestion),
        node_id=key,
        field="id",
        found=node.id,
        expected=key,
        suggestion=suggestion,
    )
