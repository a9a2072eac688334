"""`Step`: as much of a node as is run in one go (all of it, or a generator's next item), and the end it comes to.

Made by the runner, on its own thread; performed on that or another one.
"""

import os
import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Self, TypeVar

from impasto.engine.context import NodeContext
from impasto.engine.generator import Item, OpenGenerator
from impasto.engine.invoker import Execution, Finished
from impasto.engine.log_fields import running_node
from impasto.errors import WireError
from impasto.scheduler import ExecutionNode
from impasto_sdk.node import Lane

__all__ = ["Step", "StepEnd", "result_of"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Step:
    """Work that is ready to be done."""

    node: ExecutionNode
    execution: Execution
    context: NodeContext
    work: Callable[[], Finished | Item]
    #: Of a node that yields.
    generator: OpenGenerator | None = None

    @classmethod
    def next_of(cls, node: ExecutionNode, generator: OpenGenerator) -> Self:
        """The next item of a node that yields, or its output."""
        return cls(node, generator.execution, generator.context, generator.take, generator)

    @property
    def steps(self) -> "tuple[Step, ...]":
        """What is done in one place on the lane: itself. A `Group` has several."""
        return (self,)

    @property
    def lane(self) -> Lane:
        """Where it takes up room."""
        return self.node.spec.lane

    @property
    def thread(self) -> Executor | None:
        """The thread that it must run on, if not on just any."""
        return None if self.generator is None else self.generator.thread

    def perform(self) -> "tuple[StepEnd, ...]":
        """Do the work, on whichever thread; gives its end. Raises nothing."""
        token = running_node.set(self.context.identity)  # whatever logs while the node runs is of the node
        begin = time.perf_counter()
        result = result_of(self.work)
        seconds = time.perf_counter() - begin
        running_node.reset(token)
        return (self.end(result, seconds),)

    def end(self, result: Finished | Item | BaseException, seconds: float) -> "StepEnd":
        """The end that it comes to with this result; on the thread of the work."""
        if self.context.is_forked:  # the child came back from its node, and so does the parent, which goes on
            os._exit(0)
        try:
            self.context.flush_progress()
        except WireError as error:
            result = error
        return StepEnd(self, result, seconds)


@dataclass(frozen=True, slots=True)
class StepEnd:
    """What came of a step; an error is still to be raised."""

    step: Step
    result: Finished | Item | BaseException
    #: How long it took, by the clock; in a group, how long that took.
    seconds: float


def result_of(work: Callable[[], T]) -> T | BaseException:
    """What `work` gives, or raises."""
    try:
        return work()
    except BaseException as error:  # noqa: BLE001 - a node belongs to a plugin, and its thread must bring an end
        return error
