"""Nodes that may run as one call: how they are declared, how the test kit runs them, and what it catches."""

from collections.abc import Callable, Generator, Hashable, Sequence
from typing import Any

import pytest

from impasto_sdk.context import InvocationContext
from impasto_sdk.errors import CanceledError, InvalidInputError, NodeDeclarationError
from impasto_sdk.fields import (
    FloatOutput,
    InputField,
    IntegerCollectionOutput,
    IntegerOutput,
    LatentsField,
    LatentsOutput,
)
from impasto_sdk.models import ModelRecord
from impasto_sdk.node import BaseInvocation, NodeKind, invocation
from impasto_sdk.testing import FakeContext, NodeConformance, run_group

RECORD = ModelRecord(key="m1", hash="h", path="/m1", name="One", base="sd-1", type="main", format="diffusers")


@invocation("t_scale", category="math", max_batch=4)
class Scale(BaseInvocation):
    """Multiply a number. Odd ones run alone."""

    number: int = InputField(1, description="The number")
    factor: int = InputField(2, description="By what")

    def batch_key(self) -> Hashable | None:
        return self.factor if self.number % 2 == 0 else None

    def invoke(self, context: InvocationContext) -> IntegerOutput:
        return IntegerOutput(value=self.number * self.factor)

    @classmethod
    def invoke_batch(cls, nodes: Sequence["Scale"], contexts: Sequence[InvocationContext]) -> Sequence[IntegerOutput]:
        return [node.invoke(context) for node, context in zip(nodes, contexts, strict=True)]


def scale_as(
    behaviour: Callable[[Sequence[Any], Sequence[Any]], Any], *, output: Any = IntegerOutput, **facts: Any
) -> Any:
    """`Scale` with another `invoke_batch`, which gives what `behaviour` gives."""
    members = {
        "invoke_batch": classmethod(lambda cls, nodes, contexts: behaviour(nodes, contexts)),
        "__doc__": Scale.__doc__,
        "__module__": __name__,
    }
    return invocation("t_made", category="math", **{"max_batch": 4, **facts})(type("Made", (Scale,), members))


def each(nodes: Sequence[Any], contexts: Sequence[Any]) -> list[Any]:
    return [node.invoke(context) for node, context in zip(nodes, contexts, strict=True)]


def two(node_class: Any) -> list[Any]:
    return [node_class(number=2), node_class(number=4)]


class TestDeclaration:
    @staticmethod
    def problem_of(*methods: str, body: dict[str, Any] | None = None, **facts: Any) -> str:
        offered = {name: vars(Scale)[name] for name in methods}
        members = {"invoke": Scale.invoke, **offered, **(body or {}), "__module__": __name__}
        with pytest.raises(NodeDeclarationError) as caught:
            invocation("t_made", **facts)(type("Made", (BaseInvocation,), members))
        assert caught.value.name == "t_made"
        return caught.value.problem

    def test_the_spec_says_how_many_nodes_one_call_takes(self):
        assert Scale.spec.max_batch == 4
        assert Scale.spec.to_document()["max_batch"] == 4

    def test_a_type_that_says_nothing_offers_no_groups(self):
        @invocation("t_alone")
        class Alone(BaseInvocation):
            def invoke(self, context: InvocationContext) -> IntegerOutput:
                return IntegerOutput(value=1)

        assert Alone.spec.max_batch == Alone.spec.to_document()["max_batch"] == 1
        assert Alone().batch_key() is None
        with pytest.raises(NotImplementedError, match="Alone does not override invoke_batch"):
            Alone.invoke_batch([Alone(), Alone()], [FakeContext(), FakeContext()])

    @pytest.mark.parametrize("overridden", ["batch_key", "invoke_batch"])
    @pytest.mark.parametrize("facts", [{}, {"max_batch": 8}])
    def test_one_of_the_two_methods_alone_is_refused(self, overridden, facts):
        problem = self.problem_of(overridden, **facts)
        assert problem == f"Made overrides {overridden} only; override batch_key and invoke_batch, or neither"

    @pytest.mark.parametrize("max_batch", [8, 0])
    def test_a_number_without_the_methods_is_refused(self, max_batch):
        problem = self.problem_of(max_batch=max_batch)
        assert problem.startswith(f"max_batch={max_batch} says how many nodes run as one call; override batch_key and")

    @pytest.mark.parametrize("facts", [{}, {"max_batch": 1}, {"max_batch": 0}, {"max_batch": -1}])
    def test_a_group_is_of_two_or_more(self, facts):
        problem = self.problem_of("batch_key", "invoke_batch", **facts)
        assert "say how many nodes one call takes at most, two or more, e.g. max_batch=8" in problem
        assert problem.startswith(f"max_batch={facts.get('max_batch', 1)},")

    @pytest.mark.parametrize("kind", [kind for kind in NodeKind if kind is not NodeKind.PLAIN])
    def test_only_a_plain_node_runs_in_groups(self, kind):
        problem = self.problem_of("batch_key", "invoke_batch", kind=kind, max_batch=8)
        assert (
            problem
            == f"a node of kind {kind.value!r} cannot run in groups; take batch_key and invoke_batch out of Made"
        )

    def test_a_node_that_yields_does_not_run_in_groups(self):
        def invoke(self, context):
            yield 1
            return IntegerCollectionOutput(collection=[1])

        invoke.__annotations__["return"] = Generator[int, None, IntegerCollectionOutput]
        problem = self.problem_of("batch_key", "invoke_batch", body={"invoke": invoke}, max_batch=8)
        assert problem.startswith("a node that yields cannot run in groups")

    def test_what_takes_a_group_is_a_method_of_the_class(self):
        problem = self.problem_of("batch_key", body={"invoke_batch": lambda nodes, contexts: []}, max_batch=8)
        assert problem == "invoke_batch is called on the class; write @classmethod above it"

    def test_a_node_that_inherits_both_says_how_many_for_itself(self):
        assert scale_as(each, max_batch=2).spec.max_batch == 2
        with pytest.raises(NodeDeclarationError, match="two or more"):
            scale_as(each, max_batch=1)

    @pytest.mark.parametrize("name", ["batch_key", "invoke_batch"])
    def test_no_input_has_the_name_of_a_method(self, name):
        with pytest.warns(UserWarning, match="shadows"):
            problem = self.problem_of(body={"__annotations__": {name: str}, name: InputField("", description="Taken")})
        assert f"input {name!r} has a name" in problem


class TestRunGroup:
    def test_each_node_has_its_output_in_order(self):
        outputs = run_group([Scale(number=4), Scale(number=2), Scale(number=6)])
        assert [output.value for output in outputs] == [8, 4, 12]

    def test_each_node_has_its_own_context(self):
        def save(nodes, contexts):
            for context in contexts:
                context.tensors.save(context.identity.node_id.encode())
            return each(nodes, contexts)

        contexts = [FakeContext(), FakeContext()]
        saver = scale_as(save)
        run_group([saver(id="a", number=2), saver(id="b", number=4)], contexts)
        assert [list(context.tensors.saved.values()) for context in contexts] == [[b"a"], [b"b"]]

    def test_nodes_that_run_alone_are_no_group(self):
        with pytest.raises(AssertionError, match=r"runs alone where its batch_key is None; the keys are \[2, None\]"):
            run_group([Scale(number=2), Scale(number=3)])

    def test_nodes_of_other_keys_are_no_group(self):
        with pytest.raises(AssertionError, match=r"where the keys are equal; they are \[2, 3\]"):
            run_group([Scale(number=2), Scale(number=2, factor=3)])

    @pytest.mark.parametrize("count", [1, 5])
    def test_too_few_and_too_many_are_no_group(self, count):
        with pytest.raises(AssertionError, match=f"t_scale takes 2 to 4 nodes at once, not {count}"):
            run_group([Scale(number=2)] * count)

    def test_nodes_of_two_types_are_no_group(self):
        with pytest.raises(AssertionError, match="a group is of one type; these are t_made, t_scale"):
            run_group([Scale(number=2), scale_as(each)(number=2)])
        with pytest.raises(AssertionError, match="these are none"):
            run_group([])

    def test_a_type_that_offers_no_groups_is_run_otherwise(self):
        @invocation("t_alone")
        class Alone(BaseInvocation):
            def invoke(self, context: InvocationContext) -> IntegerOutput:
                return IntegerOutput(value=1)

        with pytest.raises(AssertionError, match="t_alone offers no groups; run its nodes with run_node"):
            run_group([Alone(), Alone()])

    def test_a_wrong_number_of_outputs_is_caught(self):
        short = scale_as(lambda nodes, contexts: each(nodes, contexts)[:1])
        with pytest.raises(AssertionError, match="t_made gave 1 outputs for a group of 2"):
            run_group(two(short))

    def test_what_is_no_list_is_caught(self):
        lazy = scale_as(lambda nodes, contexts: iter(each(nodes, contexts)))
        with pytest.raises(AssertionError, match="it must give a list of outputs"):
            run_group(two(lazy))

    def test_another_output_than_declared_is_caught(self):
        odd = scale_as(lambda nodes, contexts: [IntegerOutput(value=1), FloatOutput(value=1.0)])
        with pytest.raises(AssertionError, match="it declares IntegerOutput"):
            run_group(two(odd))

    def test_a_model_that_one_of_them_leaves_locked_is_caught(self):
        held = []

        def forgetful(nodes, contexts):
            held.append(contexts[1].models.load(RECORD.identifier(), object))
            held[-1].__enter__()
            return each(nodes, contexts)

        contexts = [FakeContext(), FakeContext()]
        contexts[1].models.add(RECORD, object())
        with pytest.raises(AssertionError, match="left models locked: m1"):
            run_group(two(scale_as(forgetful)), contexts)

    def test_what_the_call_raises_passes_through(self):
        def refuse(nodes, contexts):
            raise InvalidInputError("number", nodes[1].number, "is too large")

        with pytest.raises(InvalidInputError, match="too large"):
            run_group(two(scale_as(refuse)))


def conformance(node: Any, **members: Any) -> NodeConformance:
    """A conformance class for `node`, as an instance whose checks can be called."""
    members = {"inputs": {"number": 2}, "together_with": ({"number": 4}, {"number": 8}), **members}
    return type("Conformance", (NodeConformance,), {"node": node, **members})()


class TestScale(NodeConformance):
    node = Scale
    inputs = {"number": 2}
    together_with = ({"number": 4}, {"number": 8})


class TestConformance:
    def test_a_node_that_gives_something_else_in_a_group_is_caught(self):
        swapped = scale_as(lambda nodes, contexts: each(nodes, contexts)[::-1])
        with pytest.raises(AssertionError, match="node 0 of the group"):
            conformance(swapped).test_it_gives_the_same_in_a_group()
        last = scale_as(lambda nodes, contexts: [*each(nodes, contexts)[:2], IntegerOutput(value=0)])
        with pytest.raises(AssertionError, match="node 2 of the group"):
            conformance(last).test_it_gives_the_same_in_a_group()

    def test_a_node_that_saves_other_bytes_in_a_group_is_caught(self):
        @invocation("t_store", category="latents", max_batch=4)
        class Store(BaseInvocation):
            """Store a number."""

            number: int = InputField(1, description="The number")

            def batch_key(self) -> Hashable | None:
                return ()

            def invoke(self, context: InvocationContext) -> LatentsOutput:
                name = context.tensors.save(str(self.number).encode())
                return LatentsOutput(latents=LatentsField(latents_name=name), width=8, height=8)

            @classmethod
            def invoke_batch(
                cls, nodes: Sequence["Store"], contexts: Sequence[InvocationContext]
            ) -> Sequence[LatentsOutput]:
                return each(nodes, contexts[::-1])

        with pytest.raises(AssertionError, match="node 0 of the group saves other bytes than alone"):
            conformance(Store).test_it_gives_the_same_in_a_group()

    def test_a_node_that_may_differ_is_run_in_a_group_and_not_compared(self):
        counted = []

        def different(nodes, contexts):
            counted.append(len(nodes))
            return [IntegerOutput(value=0) for _ in nodes]

        fickle = scale_as(different, use_cache=False)
        conformance(fickle).test_it_gives_the_same_in_a_group()
        assert counted == [3]

    def test_a_node_that_offers_groups_names_others_to_run_with_it(self):
        with pytest.raises(AssertionError, match="t_scale offers groups; name others"):
            conformance(Scale, together_with=()).test_it_gives_the_same_in_a_group()

    def test_others_that_would_not_run_with_it_are_caught(self):
        with pytest.raises(AssertionError, match="where the keys are equal"):
            conformance(Scale, together_with=({"factor": 7},)).test_it_gives_the_same_in_a_group()

    def test_a_group_that_does_not_stop_is_caught(self):
        @invocation("t_slow", category="math", max_batch=4)
        class Slow(Scale):
            """Stops alone, and not in a group."""

            def invoke(self, context: InvocationContext) -> IntegerOutput:
                context.raise_if_cancelled()
                return super().invoke(context)

            @classmethod
            def invoke_batch(
                cls, nodes: Sequence[Scale], contexts: Sequence[InvocationContext]
            ) -> Sequence[IntegerOutput]:
                return [IntegerOutput(value=node.number * node.factor) for node in nodes]

        conformance(Slow).test_it_gives_the_same_in_a_group()
        conformance(Slow).test_it_stops_when_cancelled()
        with pytest.raises(AssertionError, match="although its session was cancelled"):
            conformance(Slow, long_running=True).test_it_stops_when_cancelled()

    def test_a_group_that_stops_passes(self):
        def stop(nodes, contexts):
            contexts[-1].raise_if_cancelled()
            return each(nodes, contexts)

        def invoke(self, context):
            raise CanceledError

        stopping = scale_as(stop)
        stopping.invoke = invoke
        conformance(stopping, long_running=True).test_it_stops_when_cancelled()
