"""The identifiers of the platform, as distinct types.

They are plain strings and integers at run time; the type checker keeps a session id out of the place of
an image name. `new_id` makes the random ones.
"""

import os
from typing import NewType

#: Id of a node in a graph: free text chosen by the author of the graph, unique in its graph.
NodeId = NewType("NodeId", str)
#: Id of a node of an execution graph: the node id plus its iteration path, e.g. ``denoise[3,0]``.
ExecutionId = NewType("ExecutionId", str)
#: Name of a node type, e.g. ``img_resize``; unique in a catalogue.
NodeType = NewType("NodeType", str)
#: Id of one run of one graph.
SessionId = NewType("SessionId", str)
#: Id of one enqueued batch.
BatchId = NewType("BatchId", str)
#: Name of a queue; queues are independent of one another.
QueueId = NewType("QueueId", str)
#: Number of a queue item, rising in the order of enqueueing.
ItemId = NewType("ItemId", int)
#: File name of a stored image, e.g. ``3f0c….png``: random, never taken from a user.
ImageName = NewType("ImageName", str)
#: Key of a model record.
ModelKey = NewType("ModelKey", str)

__all__ = [
    "BatchId",
    "ExecutionId",
    "ImageName",
    "ItemId",
    "ModelKey",
    "NodeId",
    "NodeType",
    "QueueId",
    "SessionId",
    "new_id",
]


def new_id() -> str:
    """A fresh random identifier: 32 lower-case hexadecimal digits (128 bits from the operating system)."""
    return os.urandom(16).hex()
