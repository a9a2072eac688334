"""`call_problems`: what is wrong with a call itself: that its graph is there, returns, and may be called.

What is wrong inside the graph that it calls is found by checking that graph like any other. Called by the check of a
graph.
"""

from collections.abc import Iterator, Sequence

from impasto.errors import Problem
from impasto.graph.call_ports import return_nodes, returned_values
from impasto.graph.called import MAX_CALL_DEPTH, CalledGraph, too_deep
from impasto.graph.control_flow import RETURN_KEY, WORKFLOW_ID, call_input_name
from impasto.graph.edge import EdgeConnection
from impasto.graph.iterations import stands_in_iteration
from impasto.graph.node import GraphNode
from impasto.graph.ports import PortTable
from impasto.graph.suggestions import Suggester, say
from impasto_sdk.node import NodeKind

__all__ = ["call_problems"]


def call_problems(
    node: GraphNode, chain: Sequence[CalledGraph], table: PortTable, suggester: Suggester
) -> Iterator[Problem]:
    """What is wrong with a call; `chain` are the graphs that it stands in, the outermost first.

    A node that is no call, and carries a graph nevertheless, has that problem.
    """
    ports, called = table.of(node.type), node.called
    if ports is None:
        return
    if ports.kind is not NodeKind.CALL:
        if called is not None:
            yield _no_call(node, called)
        return
    if called is None:
        yield _not_resolved(node)
        return
    written = node.inputs.get(WORKFLOW_ID)
    if isinstance(written, str) and written and written != called.workflow_id:
        yield _resolved_as_another(node, called)
    if called.workflow_id and any(each.workflow_id == called.workflow_id for each in chain):
        yield _calls_itself(node, [*chain, called])
    if len(chain) >= MAX_CALL_DEPTH:
        yield too_deep(node.id)
        return
    yield from _return_problems(node.id, called, table)
    for input in called.inputs:
        yield from _offered_problems(node.id, called, input, table, suggester)


def _return_problems(call_id: str, called: CalledGraph, table: PortTable) -> Iterator[Problem]:
    returns = return_nodes(called.graph, table)
    types = [spec.type for spec in table.node_types.values() if spec.kind is NodeKind.RETURN]
    expected = f"one node of type {' or '.join(types)}" if types else "one node that returns values"
    if len(returns) != 1:
        suggestion = "keep one of them" if returns else f"add {expected} to the workflow"
        found = ", ".join(map(repr, returns)) or "none"
        yield Problem(
            "several_returns" if returns else "no_return",
            say(f"{call_id} calls {_title(called)}, which must hold {expected}; it holds {found}", suggestion),
            node_id=call_id,
            field="called",
            found=found,
            expected=expected,
            suggestion=suggestion,
            nodes=tuple(f"{call_id}/{each}" for each in returns),
        )
    for each in returns:
        yield from _repeated_keys(call_id, called, each, table)
        if stands_in_iteration(each, called.graph, table):
            suggestion = "gather what the iteration gives with a collect node, and return that"
            yield Problem(
                "return_in_iteration",
                say(f"{call_id} calls {_title(called)}, whose {each!r} stands in an iteration", suggestion),
                node_id=f"{call_id}/{each}",
                found=each,
                expected="a return outside all iterations",
                suggestion=suggestion,
            )


def _repeated_keys(call_id: str, called: CalledGraph, return_id: str, table: PortTable) -> Iterator[Problem]:
    """Keys that two values have for certain; those of which a branch chooses one may be equal."""
    holders: dict[str, str] = {}
    for key, node, is_chosen in returned_values(called.graph, return_id, table):
        if is_chosen:
            continue
        if key in holders:
            suggestion = "give each a key of its own"
            yield Problem(
                "duplicate_return_key",
                say(
                    f"{call_id} calls {_title(called)}, which returns two values as {key!r}: "
                    f"{holders[key]!r} and {node.id!r}",
                    suggestion,
                ),
                node_id=f"{call_id}/{node.id}",
                field=RETURN_KEY,
                found=key,
                expected="a key that no other value has",
                suggestion=suggestion,
                nodes=(f"{call_id}/{holders[key]}", f"{call_id}/{node.id}"),
            )
        holders.setdefault(key, node.id)


def _offered_problems(
    call_id: str, called: CalledGraph, input: EdgeConnection, table: PortTable, suggester: Suggester
) -> Iterator[Problem]:
    node = called.graph.nodes.get(input.node_id)
    ports = table.of_node(node) if node else None
    if node is None:
        problem, near = f"has no node {input.node_id!r}", suggester.did_you_mean(input.node_id, called.graph.nodes)
    elif ports is not None and ports.input(input.field) is None:
        problem = f"has no input {input.field!r} on {input.node_id!r}"
        near = suggester.did_you_mean(input.field, ports.inputs)
    else:
        return
    suggestion = near or "save the workflow anew"
    yield Problem(
        "unknown_called_input",
        say(f"{call_id} calls {_title(called)}, which offers the input {input}, and {problem}", suggestion),
        node_id=call_id,
        field=call_input_name(input),
        found=str(input),
        expected="an input of a node of the called graph",
        suggestion=suggestion,
    )


def _no_call(node: GraphNode, called: CalledGraph) -> Problem:
    suggestion = "leave 'called' out"
    return Problem(
        "not_a_call",
        say(f"{node.id}: a node of type {node.type!r} calls nothing, and {_title(called)} came with it", suggestion),
        node_id=node.id,
        field="called",
        found=_title(called),
        expected="no called graph",
        suggestion=suggestion,
    )


def _not_resolved(node: GraphNode) -> Problem:
    workflow_id = node.inputs.get(WORKFLOW_ID)
    suggestion = "choose a saved workflow" if not workflow_id else "save the workflow, or choose another"
    problem = f"the workflow {workflow_id!r} was not found" if workflow_id else "it says no workflow to call"
    return Problem(
        "not_resolved",
        say(f"{node.id}: {problem}", suggestion),
        node_id=node.id,
        field=WORKFLOW_ID,
        found=workflow_id,
        expected="the id of a saved workflow",
        suggestion=suggestion,
    )


def _resolved_as_another(node: GraphNode, called: CalledGraph) -> Problem:
    workflow_id = node.inputs[WORKFLOW_ID]
    suggestion = "leave 'called' out, so that the workflow is looked up"
    return Problem(
        "not_resolved",
        say(
            f"{node.id}: the workflow {workflow_id!r} was not resolved; with the call came {_title(called)}", suggestion
        ),
        node_id=node.id,
        field=WORKFLOW_ID,
        found=workflow_id,
        expected=called.workflow_id,
        suggestion=suggestion,
    )


def _calls_itself(node: GraphNode, chain: Sequence[CalledGraph]) -> Problem:
    names = " → ".join(each.name or each.workflow_id for each in chain)
    suggestion = "take out one of these calls"
    return Problem(
        "recursive_call",
        say(f"{node.id}: a workflow calls itself: {names}", suggestion),
        node_id=node.id,
        field=WORKFLOW_ID,
        found=names,
        expected="workflows that do not call themselves",
        suggestion=suggestion,
    )


def _title(called: CalledGraph) -> str:
    """The workflow as its author calls it."""
    return f"the workflow {called.name or called.workflow_id!r}"
