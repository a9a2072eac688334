"""`RunJournal`: what earlier attempts at a run have written down, as values of this attempt's node types.

Each line is asked for once and then forgotten. What no longer fits its plugin is worked out again. Filled by the worker
as the lines come, read by the runner.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError

from impasto.engine.protocol import item_of
from impasto.scheduler import ExecutionNode
from impasto_sdk.fields import BaseInvocationOutput, JsonValue

__all__ = ["RunJournal"]

logger = logging.getLogger(__name__)


class RunJournal:
    """Outputs of executions that finished, and items of generators that did not."""

    def __init__(self) -> None:
        self._outputs: dict[str, dict[str, JsonValue]] = {}
        self._items: dict[str, dict[int, JsonValue]] = {}

    def add(self, lines: Mapping[str, dict[str, JsonValue]]) -> None:
        """Take in lines: output documents by execution id, and ``{item, images}`` by `item_key`."""
        for key, line in lines.items():
            if (item := item_of(key)) is None:
                self._outputs[key] = line
            else:
                execution_id, index = item
                self._items.setdefault(execution_id, {})[index] = line["item"]

    def output(
        self, node: ExecutionNode, is_whole: Callable[[JsonValue], bool] | None = None
    ) -> BaseInvocationOutput | None:
        """The output of a node that has finished; None when it has to run.

        `is_whole` says of an output whether what it refers to is there: images may have been deleted since, and a loss
        of power takes tensors. None: it is not used again.
        """
        document = self._outputs.pop(node.id, None)
        if document is None:
            return None
        if is_whole is not None and not is_whole(document):
            logger.warning("what %s gave is not all there any more, so it runs again", node.id, extra=_fields(node))
            return None
        try:
            output = node.spec.output.model_validate(document)
        except ValidationError:
            fields = _fields(node)
            logger.warning(
                "the journal of %s does not fit its plugin any more, so it runs again", node.id, extra=fields
            )
            return None
        self._items.pop(node.id, None)
        return output

    def items(self, node: ExecutionNode, adapter: TypeAdapter[Any]) -> list[object]:
        """The first items of a node that yields and has not finished, in order."""
        documents = self._items.pop(node.id, {})
        items: list[object] = []
        while len(items) in documents:
            try:
                items.append(adapter.validate_python(documents[len(items)]))
            except ValidationError:
                logger.warning(
                    "the journal of %s does not fit its plugin any more from item %d on, which are made again",
                    node.id,
                    len(items),
                    extra=_fields(node),
                )
                break
        return items


def _fields(node: ExecutionNode) -> dict[str, object]:
    return {"node_id": node.id, "node_type": node.spec.type}
