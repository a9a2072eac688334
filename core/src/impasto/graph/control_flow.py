"""The fields of control-flow nodes: what `NodeKind.ITERATE`, `COLLECT` and `BRANCH` promise about their ports.

Read by the check of a graph and by the scheduler, which works out what these nodes give.
"""

__all__ = ["CHOSEN", "COLLECTION", "CONDITION", "INDEX", "ITEM", "SIDES", "TOTAL"]

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
