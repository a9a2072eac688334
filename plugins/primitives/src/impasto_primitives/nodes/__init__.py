"""The node classes, one module for each kind of thing they work on."""

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
from impasto_sdk.node import BaseInvocation

__all__ = ["NODES"]

#: Every node class of this plugin, in the order in which its README lists them.
NODES: tuple[type[BaseInvocation], ...] = (
    Integer,
    Float,
    String,
    Boolean,
    Color,
    Conditioning,
    ModelIdentifier,
    Add,
    Subtract,
    Multiply,
    Divide,
    IntegerMath,
    RandomInteger,
    FloatMath,
    FloatToInteger,
    RoundFloat,
    RandomFloat,
    IntegerCollection,
    FloatCollection,
    StringCollection,
    BooleanCollection,
    ConditioningCollection,
    LatentsCollection,
    Range,
    RangeOfSize,
    RandomRange,
    FloatRange,
    StringJoin,
    StringJoinThree,
    StringReplace,
    StringSplit,
    Iterate,
    Collect,
    If,
    CallSavedWorkflow,
    WorkflowReturn,
    WorkflowReturnValue,
    WorkflowReturnGet,
)
