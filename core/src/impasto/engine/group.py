"""`Group`: steps of several nodes of one type that are done as one call, in one place on their lane.

Those that are in the cache take no part in the call. Each of the others comes to an end of its own. Made by the runner,
and performed where a step would be.
"""

import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from impasto.engine.invoker import Finished, NodeInvoker
from impasto.engine.log_fields import running_node
from impasto.engine.step import Step, StepEnd, result_of
from impasto_sdk.context import InvocationIdentity
from impasto_sdk.node import Lane

__all__ = ["Group"]


class Group:
    """Two or more steps with equal batch keys. It may run on any thread of its lane."""

    thread = None

    def __init__(self, steps: Sequence[Step], invoker: NodeInvoker) -> None:
        self.steps = tuple(steps)
        self._invoker = invoker

    @property
    def lane(self) -> Lane:
        """Where it takes up room."""
        return self.steps[0].lane

    def perform(self) -> tuple[StepEnd, ...]:
        """Do the work, on whichever thread; gives an end for each step, in order. Raises nothing.

        When the call fails, all that took part in it come to its error.
        """
        begin = time.perf_counter()
        found = [result_of(partial(self._invoker.find, step.execution, step.context)) for step in self.steps]
        called = self._call([step for step, known in zip(self.steps, found, strict=True) if known is None])
        made = iter(called)
        results = [known if known is not None else next(made) for known in found]
        seconds = time.perf_counter() - begin
        return tuple(step.end(result, seconds) for step, result in zip(self.steps, results, strict=True))

    def _call(self, steps: Sequence[Step]) -> list[Finished | BaseException]:
        executions = [step.execution for step in steps]
        token = running_node.set(_identity_of(steps))
        outputs = result_of(lambda: self._invoker.invoke_together(executions, [step.context for step in steps]))
        running_node.reset(token)
        if isinstance(outputs, BaseException):
            return [outputs] * len(steps)
        return [
            result_of(partial(self._invoker.finished, execution, output))
            for execution, output in zip(executions, outputs, strict=True)
        ]


def _identity_of(steps: Sequence[Step]) -> InvocationIdentity | None:
    """Which nodes are called, for whatever logs meanwhile."""
    identities = [step.context.identity for step in steps]
    return replace(identities[0], node_id=", ".join(one.node_id for one in identities)) if identities else None
