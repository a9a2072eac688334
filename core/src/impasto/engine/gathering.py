"""`Gathering`: which of the steps that may start now run as one call.

Others of a type can only be had by taking them: what was taken and has another key is set apart here until there is
room for it on its lane. It starts nothing. One is kept by the runner for each run.
"""

from collections.abc import Collection, Iterator
from itertools import chain, islice

from impasto.engine.step import Step
from impasto_sdk.node import Lane

__all__ = ["Gathering"]


class Gathering:
    """The steps of a run that were taken to run with others, and do not."""

    def __init__(self) -> None:
        #: By node type, in order; of each fewer than one call takes.
        self._apart: dict[str, list[Step]] = {}

    def next(self, lanes: Collection[Lane]) -> Step | None:
        """The first that was set apart of a type that runs on one of `lanes`; None when there is none."""
        for node_type, steps in self._apart.items():
            if steps[0].lane in lanes:
                first = steps.pop(0)
                if not steps:
                    del self._apart[node_type]
                return first
        return None

    def gather(self, first: Step, alike: Iterator[Step]) -> list[Step]:
        """`first`, which has a batch key, and those that run as one call with it, in order.

        `alike` gives others of its type that may start now. It is asked for no more than fill one call, those counted
        that are apart.
        """
        key, spec = first.execution.batch_key, first.node.spec
        together = [first]
        apart: list[Step] = []
        known = self._apart.pop(spec.type, [])
        for step in chain(known, islice(alike, spec.max_batch - 1 - len(known))):
            (together if step.execution.batch_key == key else apart).append(step)
        if apart:
            self._apart[spec.type] = apart
        return together
