"""`error_of`: what is said of an error that ended a run: to people, and to whoever looks for its cause."""

import traceback
from collections.abc import Mapping

from impasto.engine.protocol import RunError
from impasto.scheduler import ExecutionNode
from impasto_sdk.errors import InvocationError
from impasto_sdk.fields import JsonValue

__all__ = ["error_of"]

#: What is said of errors that mostly come without a message.
_NAMELESS: dict[type[BaseException], str] = {
    MemoryError: "there is not enough memory for what it asked for; try something smaller",
}


def error_of(
    error: BaseException, node: ExecutionNode | None = None, document: Mapping[str, JsonValue] | None = None
) -> RunError:
    """The error of `node`, if it is one's. What is meant for people comes without a traceback."""
    meant_for_people = isinstance(error, InvocationError)
    return RunError(
        type=type(error).__name__,
        message=str(error) or _NAMELESS.get(type(error), type(error).__name__),
        traceback="" if meant_for_people else "".join(traceback.format_exception(error)),
        execution_id=node.id if node else None,
        source_id=node.source_id if node else None,
        invocation=dict(document) if document is not None else None,
    )
