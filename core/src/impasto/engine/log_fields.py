"""What a log line is about: the ids that are known where it is written, and how a handler comes by them.

Where an item or a worker is at hand, the ids are given as ``extra``. Where it is not (torch logs inside a node,
SQLAlchemy inside a request), they are in a context variable, which the runner and the API set around what they do.
Handlers ask `fields_of`; formatters of the command line write what it gives.
"""

import logging
from contextvars import ContextVar
from typing import Protocol

from impasto_sdk.context import InvocationIdentity

__all__ = ["LOG_FIELDS", "ItemIds", "fields_of", "item_fields", "request_id", "running_node"]

#: The ids that a line may have, by the names that they have as ``extra``, on the wire and in the log.
LOG_FIELDS = (
    "request_id",
    "worker_id",
    "queue_id",
    "batch_id",
    "item_id",
    "session_id",
    "node_id",
    "node_type",
)
_NODE_FIELDS = ("queue_id", "batch_id", "item_id", "session_id", "node_id", "node_type")
_ITEM_FIELDS = ("queue_id", "batch_id", "item_id", "session_id")

#: The node that runs in this context; in a call of several nodes, its ``node_id`` names all of them.
running_node: ContextVar[InvocationIdentity | None] = ContextVar("impasto_running_node", default=None)
#: The request that is answered in this context.
request_id: ContextVar[str | None] = ContextVar("impasto_request_id", default=None)


class ItemIds(Protocol):
    """Anything that knows which queue item it is or belongs to: a claim, a run's order, an event."""

    @property
    def queue_id(self) -> str:
        """The queue it is in."""
        ...

    @property
    def batch_id(self) -> str:
        """The batch it is of."""
        ...

    @property
    def item_id(self) -> int:
        """Its number."""
        ...

    @property
    def session_id(self) -> str:
        """The session that it runs."""
        ...


def item_fields(item: ItemIds, **more: str | None) -> dict[str, object]:
    """The ids of an item as ``extra`` for a log call, with those of `more` that are known."""
    fields: dict[str, object] = {name: getattr(item, name) for name in _ITEM_FIELDS}
    return {**fields, **{name: value for name, value in more.items() if value is not None}}


def fields_of(record: logging.LogRecord) -> dict[str, object]:
    """The ids that are known of a line, on the thread that writes it: its own, then those of its context."""
    fields: dict[str, object] = {}
    node = running_node.get()
    if node is not None:
        fields = {name: getattr(node, name) for name in _NODE_FIELDS}
    request = request_id.get()
    if request is not None:
        fields["request_id"] = request
    fields.update((name, value) for name, value in record.__dict__.items() if name in LOG_FIELDS)
    return fields
