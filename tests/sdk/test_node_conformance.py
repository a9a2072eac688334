"""The checks that plugin authors inherit catch what they are meant to catch."""

import math
import subprocess
import sys
import textwrap
import time

import pytest

from impasto_sdk.context import InvocationContext
from impasto_sdk.errors import CanceledError, NodeDeclarationError
from impasto_sdk.fields import FloatOutput, InputField, IntegerOutput, LatentsOutput
from impasto_sdk.models import ModelRecord
from impasto_sdk.node import BaseInvocation, invocation
from impasto_sdk.testing import FakeContext, NodeConformance, import_problems, node_problems, run_node

RECORD = ModelRecord(key="m1", hash="h", path="/m1", name="One", base="sd-1", type="main", format="diffusers")


def make_node(behaviour, *, output=IntegerOutput, category="math", doc="Do something.", fields=None, **facts):
    """A node class whose `invoke` is `behaviour`."""

    def invoke(self, context):
        return behaviour(self, context)

    invoke.__annotations__["return"] = output
    fields = fields or {}
    members = {
        "invoke": invoke,
        "__doc__": doc,
        "__module__": __name__,
        "__annotations__": {name: annotation for name, (annotation, _) in fields.items()},
        **{name: field for name, (_, field) in fields.items()},
    }
    return invocation("t_made", category=category, **facts)(type("Made", (BaseInvocation,), members))


def conformance(node, **members):
    """A conformance class for `node`, as an instance whose checks can be called."""
    return type("Conformance", (NodeConformance,), {"node": node, **members})()


class TestRunNode:
    def test_a_sound_node_gives_its_output(self):
        assert run_node(make_node(lambda node, context: IntegerOutput(value=3))()).value == 3

    def test_another_output_than_declared_is_caught(self):
        with pytest.raises(AssertionError, match="it declares IntegerOutput"):
            run_node(make_node(lambda node, context: FloatOutput(value=1.0))())

    def test_an_output_that_is_no_json_is_caught(self):
        with pytest.raises(AssertionError, match="does not survive as a document"):
            run_node(make_node(lambda node, context: FloatOutput(value=math.nan), output=FloatOutput)())

    def test_an_output_that_was_not_checked_is_checked(self):
        broken = make_node(
            lambda node, context: LatentsOutput.model_construct(latents={}, width=1), output=LatentsOutput
        )
        with pytest.raises(AssertionError, match="does not survive"), pytest.warns(UserWarning, match="Pydantic"):
            run_node(broken())

    def test_a_model_that_stays_locked_is_caught(self):
        context = FakeContext()
        field = context.models.add(RECORD, object())

        held = []

        def forgetful(node, context):
            held.append(context.models.load(field, object))
            held[0].__enter__()
            return IntegerOutput(value=1)

        with pytest.raises(AssertionError, match="left models locked: m1"):
            run_node(make_node(forgetful)(), context)

    def test_what_the_node_raises_passes_through(self):
        def stop(node, context):
            raise CanceledError

        with pytest.raises(CanceledError):
            run_node(make_node(stop)())


class TestChecks:
    def test_a_node_that_changes_its_mind_is_caught(self):
        fickle = make_node(lambda node, context: IntegerOutput(value=time.perf_counter_ns()))
        with pytest.raises(AssertionError):
            conformance(fickle).test_it_gives_the_same_again()

    def test_a_node_that_saves_other_bytes_each_time_is_caught(self):
        def save(node, context):
            context.tensors.save(str(time.perf_counter_ns()).encode())
            return IntegerOutput(value=1)

        with pytest.raises(AssertionError):
            conformance(make_node(save)).test_it_gives_the_same_again()

    def test_a_node_that_may_differ_is_not_held_to_it(self):
        fickle = make_node(lambda node, context: IntegerOutput(value=time.perf_counter_ns()), use_cache=False)
        with pytest.raises(pytest.skip.Exception, match="use_cache=False"):
            conformance(fickle).test_it_gives_the_same_again()

    def test_a_long_node_that_does_not_stop_is_caught(self):
        deaf = make_node(lambda node, context: IntegerOutput(value=1))
        conformance(deaf).test_it_stops_when_cancelled()
        with pytest.raises(AssertionError, match="although its session was cancelled"):
            conformance(deaf, long_running=True).test_it_stops_when_cancelled()

    def test_a_node_whose_document_is_another_node_is_caught(self):
        lossy = make_node(
            lambda node, context: IntegerOutput(value=1), fields={"x": (object, InputField(None, description="Any"))}
        )
        with pytest.raises(AssertionError):
            conformance(lossy, inputs={"x": (1, 2)}).test_its_document_round_trips()

    def test_a_module_with_heavy_imports_is_caught(self, tmp_path, monkeypatch):
        (tmp_path / "heavy_nodes_t.py").write_text("import scipy_t\n", "utf-8")
        (tmp_path / "scipy_t.py").write_text("import sys; sys.modules['scipy'] = sys\n", "utf-8")
        monkeypatch.syspath_prepend(str(tmp_path))
        assert import_problems("heavy_nodes_t") == (
            "importing heavy_nodes_t imports scipy; import it inside invoke or inside the loader",
        )

    def test_a_module_that_cannot_be_imported_is_caught(self, tmp_path, monkeypatch):
        (tmp_path / "broken_nodes_t.py").write_text("raise RuntimeError('boom')\n", "utf-8")
        monkeypatch.syspath_prepend(str(tmp_path))
        (problem,) = import_problems("broken_nodes_t")
        assert "boom" in problem


class TestNodeProblems:
    def test_a_sound_node_has_none(self):
        assert node_problems(make_node(lambda node, context: IntegerOutput(value=1)).spec) == []

    @pytest.mark.parametrize(
        ("declared", "problem"),
        [
            ({"doc": None}, "docstring"),
            ({"category": "other"}, "category"),
            ({"fields": {"x": (int, InputField(1))}}, "x needs a description"),
            ({"fields": {"x": (int, InputField(0, ge=1, description="One"))}}, "the default of x breaks its own rules"),
            (
                {"fields": {"x": (str, InputField("", description="One", ui_choice_labels={"a": "A"}))}},
                "x labels choices that it does not have: a",
            ),
            ({"fields": {"x": (float, InputField(math.inf, description="One"))}}, "its schema is not JSON"),
        ],
    )
    def test_each_lack_is_named(self, declared, problem):
        (found,) = node_problems(make_node(lambda node, context: IntegerOutput(value=1), **declared).spec)
        assert problem in found
        assert found.startswith("t_made: ")

    def test_all_lacks_are_named_at_once(self):
        lacking = make_node(lambda node, context: IntegerOutput(value=1), doc=None, category="other")
        assert len(node_problems(lacking.spec)) == 2


class TestDefinition:
    NODE = make_node(lambda node, context: IntegerOutput(value=1))

    def test_a_test_class_without_a_node_is_refused(self):
        with pytest.raises(NodeDeclarationError, match="name the node under test"):
            type("TestNothing", (NodeConformance,), {})

    def test_a_check_that_does_not_exist_cannot_be_left_out(self):
        with pytest.raises(NodeDeclarationError, match="'test_it_flies'; the checks are"):
            conformance(self.NODE, exceptions={"test_it_flies": "it has no wings"})

    def test_a_check_is_not_left_out_without_a_reason(self):
        with pytest.raises(NodeDeclarationError, match="gives no reason"):
            conformance(self.NODE, exceptions={"test_it_gives_the_same_again": " "})

    def test_a_check_is_not_overridden_without_a_reason(self):
        with pytest.raises(NodeDeclarationError, match="overrides 'test_it_says_what_it_is'"):
            conformance(self.NODE, test_it_says_what_it_is=lambda self: None)

    def test_a_check_may_be_overridden_with_a_reason(self):
        case = conformance(
            self.NODE,
            test_it_says_what_it_is=lambda self: "overridden",
            exceptions={"test_it_says_what_it_is": "it says it elsewhere"},
        )
        assert case.test_it_says_what_it_is() == "overridden"


def test_pytest_shows_the_reason_for_a_check_that_is_left_out(tmp_path):
    (tmp_path / "clock_t.py").write_text(
        textwrap.dedent(
            '''
            """A clock."""
            import time
            from impasto_sdk import BaseInvocation, FloatOutput, InvocationContext, invocation

            @invocation("clock_t", category="time")
            class Clock(BaseInvocation):
                """Tell the time."""

                def invoke(self, context: InvocationContext) -> FloatOutput:
                    return FloatOutput(value=time.perf_counter())
            '''
        ),
        "utf-8",
    )
    (tmp_path / "test_clock.py").write_text(
        textwrap.dedent(
            """
            from clock_t import Clock
            from impasto_sdk.testing import NodeConformance

            class TestClock(NodeConformance):
                node = Clock
                exceptions = {"test_it_gives_the_same_again": "the time goes on"}
            """
        ),
        "utf-8",
    )
    answer = subprocess.run(
        [sys.executable, "-m", "pytest", "-rs", "-p", "no:cacheprovider", "-W", "error", "test_clock.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "6 passed, 1 skipped" in answer.stdout
    assert "the time goes on" in answer.stdout


def test_a_node_run_alone_needs_no_context():
    @invocation("t_alone", category="math")
    class Alone(BaseInvocation):
        """One."""

        def invoke(self, context: InvocationContext) -> IntegerOutput:
            return IntegerOutput(value=1)

    assert run_node(Alone()).value == 1
