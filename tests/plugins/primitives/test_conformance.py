"""Every node of the plugin passes the checks of the test kit."""

from impasto_primitives.nodes import NODES
from impasto_primitives.nodes.collections import (
    BooleanCollection,
    ConditioningCollection,
    FloatCollection,
    FloatRange,
    IntegerCollection,
    LatentsCollection,
    RandomRange,
    Range,
    RangeOfSize,
    StringCollection,
)
from impasto_primitives.nodes.floats import FloatMath, FloatToInteger, RandomFloat, RoundFloat
from impasto_primitives.nodes.flow import Collect, If, Iterate
from impasto_primitives.nodes.integers import Add, Divide, IntegerMath, Multiply, RandomInteger, Subtract
from impasto_primitives.nodes.strings import StringJoin, StringJoinThree, StringReplace, StringSplit
from impasto_primitives.nodes.values import Boolean, Color, Conditioning, Float, Integer, ModelIdentifier, String
from impasto_primitives.nodes.workflows import (
    CallSavedWorkflow,
    WorkflowReturn,
    WorkflowReturnGet,
    WorkflowReturnValue,
)
from impasto_sdk.fields import ColorField, ConditioningField, LatentsField, WorkflowReturnValueField
from impasto_sdk.models import ModelRecord
from impasto_sdk.testing import FakeContext, NodeConformance

RECORD = ModelRecord(key="m1", hash="h1", path="/models/m1", name="A model", base="any", type="main", format="folder")


class TestInteger(NodeConformance):
    node = Integer
    inputs = {"value": -3}


class TestFloat(NodeConformance):
    node = Float
    inputs = {"value": 0.1}


class TestString(NodeConformance):
    node = String
    inputs = {"value": "a red star"}


class TestBoolean(NodeConformance):
    node = Boolean
    inputs = {"value": True}


class TestColor(NodeConformance):
    node = Color
    inputs = {"color": ColorField(r=1, g=2, b=3, a=4)}


class TestConditioning(NodeConformance):
    node = Conditioning
    inputs = {"conditioning": ConditioningField(conditioning_name="c1")}


class TestModelIdentifier(NodeConformance):
    node = ModelIdentifier
    inputs = {"model": RECORD.identifier("unet")}

    def make_context(self):
        context = FakeContext()
        context.models.add(RECORD)
        return context


class TestAdd(NodeConformance):
    node = Add
    inputs = {"a": 2, "b": 3}


class TestSubtract(NodeConformance):
    node = Subtract
    inputs = {"a": 2, "b": 3}


class TestMultiply(NodeConformance):
    node = Multiply
    inputs = {"a": 2, "b": 3}


class TestDivide(NodeConformance):
    node = Divide
    inputs = {"a": 7, "b": 2}


class TestIntegerMath(NodeConformance):
    node = IntegerMath
    inputs = {"operation": "MOD", "a": 7, "b": 4}


class TestRandomInteger(NodeConformance):
    node = RandomInteger


class TestFloatMath(NodeConformance):
    node = FloatMath
    inputs = {"operation": "SQRT", "a": 2.0}


class TestFloatToInteger(NodeConformance):
    node = FloatToInteger
    inputs = {"value": 511.9, "multiple": 8}


class TestRoundFloat(NodeConformance):
    node = RoundFloat
    inputs = {"value": 3.14159, "decimals": 2}


class TestRandomFloat(NodeConformance):
    node = RandomFloat


class TestIntegerCollection(NodeConformance):
    node = IntegerCollection
    inputs = {"collection": [1, 2]}


class TestFloatCollection(NodeConformance):
    node = FloatCollection
    inputs = {"collection": [0.5, 2]}


class TestStringCollection(NodeConformance):
    node = StringCollection
    inputs = {"collection": ["a", "b"]}


class TestBooleanCollection(NodeConformance):
    node = BooleanCollection
    inputs = {"collection": [True, False]}


class TestConditioningCollection(NodeConformance):
    node = ConditioningCollection
    inputs = {"collection": [ConditioningField(conditioning_name="c1")]}


class TestLatentsCollection(NodeConformance):
    node = LatentsCollection
    inputs = {"collection": [LatentsField(latents_name="l1")]}


class TestRange(NodeConformance):
    node = Range


class TestRangeOfSize(NodeConformance):
    node = RangeOfSize
    inputs = {"size": 3}


class TestRandomRange(NodeConformance):
    node = RandomRange
    inputs = {"size": 3}


class TestFloatRange(NodeConformance):
    node = FloatRange
    inputs = {"steps": 3}


class TestStringJoin(NodeConformance):
    node = StringJoin
    inputs = {"string_left": "a", "string_right": "b"}


class TestStringJoinThree(NodeConformance):
    node = StringJoinThree
    inputs = {"string_left": "a", "string_middle": "b", "string_right": "c"}


class TestStringReplace(NodeConformance):
    node = StringReplace
    inputs = {"string": "a red star", "search_string": "red", "replace_string": "blue"}


class TestStringSplit(NodeConformance):
    node = StringSplit
    inputs = {"string": "a,b", "delimiter": ","}


class TestIterate(NodeConformance):
    node = Iterate
    inputs = {"collection": ["a", "b"], "index": 1}


class TestCollect(NodeConformance):
    node = Collect
    inputs = {"item": 3, "collection": [1, 2]}


class TestIf(NodeConformance):
    node = If
    inputs = {"condition": True, "true_input": "yes", "false_input": "no"}


class TestCallSavedWorkflow(NodeConformance):
    node = CallSavedWorkflow
    inputs = {"workflow_id": "w1", "workflow_inputs": {"saved_workflow_input::add::a": 3}}
    exceptions = {
        "test_it_runs_and_gives_its_declared_output": "the scheduler runs the workflow; a node alone has none",
        "test_it_stops_when_cancelled": "it never begins",
    }


class TestWorkflowReturn(NodeConformance):
    node = WorkflowReturn
    inputs = {"values": [WorkflowReturnValueField(key="seed", value=3)]}


class TestWorkflowReturnValue(NodeConformance):
    node = WorkflowReturnValue
    inputs = {"key": "seed", "value": 3}


class TestWorkflowReturnGet(NodeConformance):
    node = WorkflowReturnGet
    inputs = {"values": {"seed": 3}, "key": "seed"}


def test_no_node_of_the_plugin_goes_unchecked():
    checked = {case.node for case in NodeConformance.__subclasses__() if case.__module__ == __name__}
    assert checked == set(NODES)
