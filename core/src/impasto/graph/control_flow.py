"""The fields of control-flow nodes: what every `NodeKind` but `PLAIN` promises about its ports.

Read by the check of a graph and by the scheduler, which works out what these nodes give.
"""

from impasto.graph.edge import EdgeConnection

__all__ = [
    "CALL_INPUT_PREFIX",
    "CALL_OUTPUT_PREFIX",
    "CHOSEN",
    "COLLECTION",
    "CONDITION",
    "INDEX",
    "ITEM",
    "RETURN_KEY",
    "RETURN_VALUE",
    "SIDES",
    "TOTAL",
    "VALUES",
    "WORKFLOW_ID",
    "WORKFLOW_INPUTS",
    "call_input",
    "call_input_name",
    "call_output",
    "call_output_key",
]

#: What an iterator takes and a collector gives; a collector may also take one, to begin its list with.
COLLECTION = "collection"
#: What an iterator gives and a collector takes, any number of times.
ITEM = "item"
#: An iterator's other outputs: the item's place from 0, and how many there are.
INDEX, TOTAL = "index", "total"
#: What a branch decides by, and what it gives.
CONDITION, CHOSEN = "condition", "value"
#: A branch's two sides, by the condition's value.
SIDES = {True: "true_input", False: "false_input"}
#: What a call takes: which workflow, and values for its inputs, by the names that `call_input_name` gives.
WORKFLOW_ID, WORKFLOW_INPUTS = "workflow_id", "workflow_inputs"
#: What a return takes and gives, and a call gives: values by key.
VALUES = "values"
#: The inputs of a node that leads into a return's `VALUES`: one value and its key.
RETURN_KEY, RETURN_VALUE = "key", "value"

#: A call has an input for each input of the graph it calls that may be set, and an output for each key it returns.
CALL_INPUT_PREFIX, CALL_OUTPUT_PREFIX = "saved_workflow_input::", "saved_workflow_output::"


def call_input_name(input: EdgeConnection) -> str:
    """The name of the call's input for an input of the graph that it calls."""
    return f"{CALL_INPUT_PREFIX}{input.node_id}::{input.field}"


def call_input(name: str) -> EdgeConnection | None:
    """The input of the called graph that a call's input of this name is for; None for a declared input's name.

    Ids are free text and may hold a double colon, names of fields do not.
    """
    if not name.startswith(CALL_INPUT_PREFIX):
        return None
    node_id, separator, field = name.removeprefix(CALL_INPUT_PREFIX).rpartition("::")
    return EdgeConnection(node_id, field) if separator and node_id and field else None


def call_output(key: str) -> str:
    """The name of the call's output for a key that the called graph returns."""
    return f"{CALL_OUTPUT_PREFIX}{key}"


def call_output_key(name: str) -> str | None:
    """The key that a call's output of this name gives the value of; None for a declared output's name."""
    return name.removeprefix(CALL_OUTPUT_PREFIX) if name.startswith(CALL_OUTPUT_PREFIX) else None
