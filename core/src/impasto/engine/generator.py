"""`OpenGenerator`: a node that yields, from its first item to its output, one step for each time it is asked.

It lives on a thread of its own, so that what it holds open between two items (torch's inference mode, a context
variable, a lock) holds for itself alone. Items that an earlier attempt has written down are given again as they were:
the generator, which has to begin anew, is led past them. Made and asked by the runner.
"""

import json
from collections.abc import Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

from pydantic import ValidationError

from impasto.engine.context import NodeContext
from impasto.engine.invoker import Execution, Finished, NodeInvoker
from impasto.engine.references import find_references
from impasto_sdk.fields import BaseInvocationOutput, JsonValue

__all__ = ["Item", "OpenGenerator", "YieldedItemsError"]


class YieldedItemsError(ValueError):
    """A node yields what it may not, or returns other items than it yielded.

    `node_id` is its execution id, `index` the first item that is wrong, from 0.
    """

    def __init__(self, node_id: str, node_type: str, index: int, problem: str) -> None:
        super().__init__(f"node {node_id!r} ({node_type}) {problem}")
        self.node_id = node_id
        self.index = index


@dataclass(frozen=True, slots=True)
class Item:
    """One item that a generator gave."""

    #: From 0.
    index: int
    value: object
    document: JsonValue


class OpenGenerator:
    """One execution of a node that yields. Only `take` and the end that `close` brings run the node's code."""

    def __init__(
        self,
        execution: Execution,
        context: NodeContext,
        invoker: NodeInvoker,
        known: Sequence[object],
    ) -> None:
        """`known`: its first items, as an earlier attempt has written them down."""
        self.execution = execution
        self.context = context
        self.thread = ThreadPoolExecutor(1, thread_name_prefix=f"impasto-{execution.node.id}")
        self._invoker = invoker
        self._known = list(known)
        context.earlier_items = tuple(known)
        #: How many of the known items the run has been given; some of them perhaps before this was made.
        self._given = min(execution.node.emitted, len(self._known))
        #: How many items the run has or will have without the generator.
        self._left_out = max(execution.node.emitted, len(self._known))
        self._adapter = invoker.item_adapter(execution.node.spec)
        self._generator: Generator[object, None, object] | None = None
        self._yielded: list[JsonValue] = []
        #: Images that were saved with items that were left out.
        self._doubled: list[str] = []
        self._seconds = 0.0

    @property
    def recalls(self) -> bool:
        """Whether its next item is known, so that `recall` gives it."""
        return self._given < len(self._known)

    def recall(self) -> object:
        """The next item that is known."""
        value = self._known[self._given]
        self._given += 1
        return value

    def worked(self, seconds: float) -> float:
        """Note how long one of its steps took; gives the time of all of them until now."""
        self._seconds += seconds
        return self._seconds

    def take(self) -> Item | Finished:
        """The next item, or its output when there is none; on the generator's own thread.

        Raises what the node raises, `YieldedItemsError` and `OutputTypeError`.
        """
        if self._generator is None:
            # another run's output has other images than the items that are known already
            found = None if self._left_out else self._invoker.find(self.execution, self.context)
            if found is not None:
                return found
            self._generator = self._invoker.begin(self.execution, self.context)
        while True:
            try:
                value = next(self._generator)
            except StopIteration as end:
                return self._finish(end.value)
            item = self._item(value)
            if item.index >= self._left_out:
                return item
            self._doubled += self.context.take_images()
            self.context.raise_if_cancelled()

    def close(self) -> Future[None] | None:
        """Have the generator end where it stands, and its thread after it. None: it has not begun, or has ended."""
        ending = None
        if self._generator is not None:
            ending = self.thread.submit(self._generator.close)
        self.thread.shutdown(wait=False)
        return ending

    def _item(self, value: object) -> Item:
        index = len(self._yielded)
        try:
            checked = self._adapter.validate_python(value)
        except ValidationError as error:
            problem = error.errors(include_url=False)[0]["msg"]
            raise self._error(index, f"yielded {_brief(value)} as item {index}: {problem}") from error
        document = self._adapter.dump_python(checked, mode="json")
        self._yielded.append(document)
        return Item(index, checked, document)

    def _finish(self, output: object) -> Finished:
        finished = self._invoker.finished(self.execution, output)
        self._check(finished.document["collection"])
        if not self._left_out:
            return finished
        # what was yielded again for items that are known gives way to them; where another field of the output refers
        # to an image of it, that stays
        known = self._known[: self._left_out]
        returned: BaseInvocationOutput = finished.output
        rest = getattr(returned, "collection")[len(known) :]  # noqa: B009 - only the declaration knows of it
        whole = returned.model_copy(update={"collection": [*known, *rest]})
        document = whole.to_document()
        kept = set(find_references(document).images)
        self.context.keep_images(name for name in self._doubled if name in kept)
        return replace(finished, output=whole, document=document)

    def _check(self, returned: Sequence[JsonValue]) -> None:
        # as text, a number that is none equals itself
        if returned == self._yielded or json.dumps(returned) == json.dumps(self._yielded):
            return
        pairs = enumerate(zip(self._yielded, returned, strict=False))
        index = next((place for place, (ours, theirs) in pairs if ours != theirs), None)
        problem = f"yielded {len(self._yielded)} items and returned {len(returned)} as `collection`"
        if index is not None:
            ours, theirs = _brief(self._yielded[index]), _brief(returned[index])
            problem = f"{problem}; item {index} differs: yielded {ours}, returned {theirs}"
        raise self._error(
            min(len(self._yielded), len(returned)) if index is None else index,
            f"{problem}; return exactly what was yielded",
        )

    def _error(self, index: int, problem: str) -> YieldedItemsError:
        node = self.execution.node
        return YieldedItemsError(node.id, node.spec.type, index, problem)


def _brief(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 100 else f"{text[:100]}…"
