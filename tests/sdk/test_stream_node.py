"""The test kit runs nodes that yield, holds them to what they declare, and closes them early."""

from collections.abc import Callable, Generator
from typing import Any

import pytest
from pydantic import BaseModel

from impasto_sdk.context import InvocationContext
from impasto_sdk.errors import CanceledError
from impasto_sdk.fields import (
    BaseInvocationOutput,
    FloatCollectionOutput,
    IntegerCollectionOutput,
    OutputField,
    invocation_output,
)
from impasto_sdk.models import ModelRecord
from impasto_sdk.node import BaseInvocation, invocation
from impasto_sdk.testing import FakeContext, NodeConformance, run_node, stream_node

RECORD = ModelRecord(key="m1", hash="h", path="/m1", name="One", base="sd-1", type="main", format="diffusers")


class Tally(BaseModel):
    """An item that can be changed after it was yielded."""

    count: int


@invocation_output("t_tallies_output")
class TalliesOutput(BaseInvocationOutput):
    """A list of tallies."""

    collection: list[Tally] = OutputField(description="The tallies")


def make_node(
    behaviour: Callable[[InvocationContext], Generator[Any, None, Any]], item: Any = int, output: Any = None
) -> type[BaseInvocation]:
    """A node class that yields what `behaviour` yields and returns what it returns."""

    def invoke(self, context):
        return (yield from behaviour(context))

    invoke.__annotations__["return"] = Generator[item, None, output or IntegerCollectionOutput]
    members = {"invoke": invoke, "__doc__": "Do something.", "__module__": __name__}
    return invocation("t_made", category="math")(type("Made", (BaseInvocation,), members))


def count_to_three(context: InvocationContext) -> Generator[int, None, IntegerCollectionOutput]:
    for number in (1, 2, 3):
        context.progress(None, f"{number}")
        yield number
    return IntegerCollectionOutput(collection=[1, 2, 3])


def conformance(node: type[BaseInvocation], **members: Any) -> NodeConformance:
    """A conformance class for `node`, as an instance whose checks can be called."""
    return type("Conformance", (NodeConformance,), {"node": node, **members})()


class TestRunNode:
    def test_a_node_that_yields_is_run_to_its_end(self):
        assert run_node(make_node(count_to_three)()).collection == [1, 2, 3]

    def test_another_output_than_declared_is_caught(self):
        def undecided(context):
            yield 1

        with pytest.raises(AssertionError, match="t_made gave None; it declares IntegerCollectionOutput"):
            run_node(make_node(undecided)())

    @pytest.mark.parametrize("listed", [[], [1], [2, 1], [1, 2, 3]])
    def test_an_output_that_lists_other_items_than_were_yielded_is_caught(self, listed):
        def forgetful(context):
            yield 1
            yield 2
            return IntegerCollectionOutput(collection=listed)

        with pytest.raises(AssertionError, match=r"yielded \[1, 2\], and its output lists"):
            run_node(make_node(forgetful)())

    def test_an_item_that_was_changed_after_it_was_yielded_is_caught(self):
        def fickle(context):
            tally = Tally(count=1)
            yield tally
            tally.count = 2
            return TalliesOutput(collection=[tally])

        with pytest.raises(
            AssertionError, match=r"yielded \[\{'count': 1\}\], and its output lists \[\{'count': 2\}\]"
        ):
            run_node(make_node(fickle, Tally, TalliesOutput)())

    def test_an_item_that_is_no_json_is_caught(self):
        def opaque(context):
            yield object()

        with pytest.raises(AssertionError, match="which does not survive as a document"):
            run_node(make_node(opaque, float, FloatCollectionOutput)())

    def test_what_the_node_raises_between_two_items_passes_through(self):
        def stop(context):
            yield 1
            raise CanceledError

        with pytest.raises(CanceledError):
            run_node(make_node(stop)())


class TestStreamNode:
    def test_it_gives_each_item_and_returns_the_output(self):
        def all_of(stream):
            output = yield from stream
            assert output == IntegerCollectionOutput(collection=[1, 2, 3])

        assert list(all_of(stream_node(make_node(count_to_three)()))) == [1, 2, 3]

    def test_the_node_runs_to_its_next_item_and_no_further(self):
        context = FakeContext()
        stream = stream_node(make_node(count_to_three)(), context)
        assert context.progress.reports == []
        next(stream)
        next(stream)
        assert [report.message for report in context.progress.reports] == ["1", "2"]

    def test_closing_it_ends_the_node_where_it_is(self):
        ended = []

        def tidy(context):
            try:
                yield 1
            except GeneratorExit:
                ended.append("closed")
                raise
            return IntegerCollectionOutput(collection=[1])

        stream = stream_node(make_node(tidy)())
        next(stream)
        stream.close()
        assert ended == ["closed"]
        assert list(stream) == []

    def test_a_model_that_stays_locked_after_a_close_is_caught(self):
        context = FakeContext()
        field = context.models.add(RECORD, object())
        held = []

        def forgetful(context):
            held.append(context.models.load(field, object))
            held[0].__enter__()
            yield 1
            return IntegerCollectionOutput(collection=[1])

        stream = stream_node(make_node(forgetful)(), context)
        next(stream)
        with pytest.raises(AssertionError, match="left models locked: m1"):
            stream.close()

    def test_a_node_that_returns_its_output_is_no_stream(self):
        @invocation("t_plain", category="math")
        class Plain(BaseInvocation):
            """One."""

            def invoke(self, context: InvocationContext) -> IntegerCollectionOutput:
                return IntegerCollectionOutput(collection=[1])

        with pytest.raises(AssertionError, match="t_plain does not yield; run it with run_node"):
            stream_node(Plain())


class TestConformance:
    def test_a_sound_node_passes(self):
        checks = conformance(make_node(count_to_three))
        checks.test_it_runs_and_gives_its_declared_output()
        checks.test_it_gives_the_same_again()
        checks.test_it_stops_when_cancelled()

    def test_a_node_that_goes_on_after_it_was_closed_is_caught(self):
        def stubborn(context):
            try:
                yield 1
            finally:
                yield 2

        with pytest.raises(RuntimeError, match="ignored GeneratorExit"):
            conformance(make_node(stubborn)).test_it_stops_when_cancelled()

    def test_a_node_that_keeps_a_model_when_it_is_closed_is_caught(self):
        held = []

        def forgetful(context):
            held.append(context.models.load(RECORD.identifier(), object))
            held[-1].__enter__()
            yield 1
            held[-1].__exit__(None, None, None)
            return IntegerCollectionOutput(collection=[1])

        def make_context(self):
            context = FakeContext()
            context.models.add(RECORD, object())
            return context

        checks = conformance(make_node(forgetful), make_context=make_context)
        checks.test_it_runs_and_gives_its_declared_output()
        with pytest.raises(AssertionError, match="left models locked: m1"):
            checks.test_it_stops_when_cancelled()

    def test_a_node_with_nothing_to_yield_passes(self):
        def idle(context):
            yield from ()
            return IntegerCollectionOutput(collection=[])

        conformance(make_node(idle)).test_it_stops_when_cancelled()
