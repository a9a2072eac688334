"""Declaring a node that yields: what is refused, with what to write instead, and what the platform then knows."""

import collections.abc
import inspect
import typing
from collections.abc import Generator
from typing import Any

import pytest

from impasto_sdk.context import InvocationContext
from impasto_sdk.errors import NodeDeclarationError
from impasto_sdk.fields import (
    BaseInvocationOutput,
    ImageCollectionOutput,
    InputField,
    IntegerCollectionOutput,
    IntegerOutput,
    OutputField,
    invocation_output,
)
from impasto_sdk.node import BaseInvocation, NodeKind, invocation
from impasto_sdk.testing import FakeContext


@invocation("t_count", category="math")
class Count(BaseInvocation):
    """Count up from 0."""

    size: int = InputField(3, description="How many")

    def invoke(self, context: InvocationContext) -> Generator[int, None, IntegerCollectionOutput]:
        yield from range(self.size)
        return IntegerCollectionOutput(collection=list(range(self.size)))


@invocation_output("t_wrapped_output")
class WrappedOutput(BaseInvocationOutput):
    """A list, or none at all."""

    collection: list[int] | None = OutputField(None, description="The integers")


@invocation_output("t_bare_output")
class BareOutput(BaseInvocationOutput):
    """A list of whatever."""

    collection: list = OutputField(description="The items")  # type: ignore[type-arg] # what is refused


@invocation_output("t_any_output")
class AnyOutput(BaseInvocationOutput):
    """A list of anything."""

    collection: list[Any] = OutputField(description="The items")


def declare(annotation: Any, *, yields: bool = True, **facts: Any) -> type[BaseInvocation]:
    """Declare a node with `annotation` as the result of its `invoke`, which has a yield in it or has not."""

    def yielding(self, context):
        yield 1
        return IntegerCollectionOutput(collection=[1])

    def returning(self, context):
        return IntegerCollectionOutput(collection=[1])

    invoke = yielding if yields else returning
    invoke.__annotations__["return"] = annotation
    members = {"invoke": invoke, "__module__": __name__}
    return invocation("t_made", **facts)(type("Made", (BaseInvocation,), members))


def problem_of(annotation: Any, **declared: Any) -> str:
    with pytest.raises(NodeDeclarationError) as caught:
        declare(annotation, **declared)
    assert caught.value.name == "t_made"
    return caught.value.problem


class TestDeclaration:
    @pytest.mark.parametrize("generator", [collections.abc.Generator, typing.Generator])
    @pytest.mark.parametrize("sent", [None, Any])
    def test_a_generator_says_what_is_yielded_and_what_is_returned(self, generator, sent):
        spec = declare(generator[int, sent, IntegerCollectionOutput]).spec
        assert (spec.yields, spec.output) == (True, IntegerCollectionOutput)

    def test_items_may_be_anything_where_the_list_holds_anything(self):
        assert declare(Generator[Any, None, AnyOutput]).spec.yields

    @pytest.mark.parametrize("stream", [collections.abc.Iterator, typing.Iterable, collections.abc.Iterable[int]])
    def test_an_iterator_is_refused_for_it_says_nothing_of_the_output(self, stream):
        problem = problem_of(stream)
        assert "Generator[T, None, Output]" in problem
        assert "returns the output at the end" in problem

    @pytest.mark.parametrize("generator", [Generator, typing.Generator, Generator[int, str, IntegerCollectionOutput]])
    def test_a_generator_is_given_in_full_and_nothing_is_sent_to_it(self, generator):
        assert "write Generator[T, None, Output]" in problem_of(generator)

    @pytest.mark.parametrize("output", [None, int, list[int]])
    def test_what_is_returned_is_an_output_class(self, output):
        assert "annotated with its output class" in problem_of(Generator[int, None, output])

    @pytest.mark.parametrize("output", [IntegerOutput, WrappedOutput, BareOutput])
    def test_the_output_has_a_list_called_collection(self, output):
        problem = problem_of(Generator[int, None, output])
        assert f"declare 'collection: list[...]' in {output.__name__}" in problem

    @pytest.mark.parametrize(
        ("item", "output", "remedy"),
        [
            (str, IntegerCollectionOutput, "Generator[int, None, IntegerCollectionOutput]"),
            (list[int], IntegerCollectionOutput, "Generator[int, None, IntegerCollectionOutput]"),
            (int, ImageCollectionOutput, "Generator[ImageField, None, ImageCollectionOutput]"),
            (int, AnyOutput, "Generator[Any, None, AnyOutput]"),
        ],
    )
    def test_what_is_yielded_is_what_the_list_holds(self, item, output, remedy):
        assert problem_of(Generator[item, None, output]).endswith(remedy)

    def test_a_generator_yields(self):
        problem = problem_of(Generator[int, None, IntegerCollectionOutput], yields=False)
        assert "no yield of its own" in problem

    def test_a_node_that_yields_says_so(self):
        problem = problem_of(IntegerCollectionOutput, yields=True)
        assert "annotate it with Generator[T, None, Output]" in problem

    @pytest.mark.parametrize("kind", [kind for kind in NodeKind if kind is not NodeKind.PLAIN])
    def test_only_a_plain_node_yields(self, kind):
        problem = problem_of(Generator[int, None, IntegerCollectionOutput], kind=kind)
        assert f"kind {kind.value!r} cannot yield" in problem


class TestSpec:
    def test_the_output_is_the_one_that_is_returned(self):
        assert Count.spec.yields
        assert Count.spec.output is IntegerCollectionOutput
        assert list(Count.spec.outputs) == ["collection"]

    def test_the_document_for_clients_says_whether_it_yields(self):
        assert Count.spec.to_document()["yields"] is True
        assert declare(IntegerCollectionOutput, yields=False).spec.to_document()["yields"] is False

    def test_nothing_has_run_before_the_first_item_is_asked_for(self):
        stream = Count(size=2).invoke(FakeContext())
        assert inspect.getgeneratorstate(stream) == inspect.GEN_CREATED
        assert [next(stream), next(stream)] == [0, 1]
        with pytest.raises(StopIteration) as end:
            next(stream)
        assert end.value.value == IntegerCollectionOutput(collection=[0, 1])
