"""Nodes that hold one value, so that a graph can state it once and lead it to many inputs.

Beside numbers, texts and colours that are references to stored things which a graph passes on: an encoded prompt, a
model. None of them does any work.
"""

from impasto_sdk.context import InvocationContext
from impasto_sdk.fields import (
    BooleanOutput,
    ColorField,
    ColorOutput,
    ConditioningField,
    ConditioningOutput,
    FloatOutput,
    Input,
    InputField,
    IntegerOutput,
    ModelIdentifierField,
    ModelIdentifierOutput,
    StringOutput,
    UIComponent,
)
from impasto_sdk.node import BaseInvocation, invocation

__all__ = ["Boolean", "Color", "Conditioning", "Float", "Integer", "ModelIdentifier", "String"]


@invocation(
    "integer",
    title="Integer Primitive",
    category="primitives",
    tags=["primitives", "integer"],
    version="1.0.1",
)
class Integer(BaseInvocation):
    """A whole number."""

    value: int = InputField(0, description="The integer")

    def invoke(self, context: InvocationContext) -> IntegerOutput:
        """The number, as it is."""
        return IntegerOutput(value=self.value)


@invocation(
    "float",
    title="Float Primitive",
    category="primitives",
    tags=["primitives", "float"],
    version="1.0.1",
)
class Float(BaseInvocation):
    """A number."""

    value: float = InputField(0.0, description="The number")

    def invoke(self, context: InvocationContext) -> FloatOutput:
        """The number, as it is."""
        return FloatOutput(value=self.value)


@invocation(
    "string",
    title="String Primitive",
    category="primitives",
    tags=["primitives", "string"],
    version="1.0.1",
)
class String(BaseInvocation):
    """A text."""

    value: str = InputField("", description="The text", ui_component=UIComponent.TEXTAREA)

    def invoke(self, context: InvocationContext) -> StringOutput:
        """The text, as it is."""
        return StringOutput(value=self.value)


@invocation(
    "boolean",
    title="Boolean Primitive",
    category="primitives",
    tags=["primitives", "boolean"],
    version="1.0.1",
)
class Boolean(BaseInvocation):
    """A truth value."""

    value: bool = InputField(False, description="The boolean")

    def invoke(self, context: InvocationContext) -> BooleanOutput:
        """The truth value, as it is."""
        return BooleanOutput(value=self.value)


@invocation(
    "color",
    title="Color Primitive",
    category="primitives",
    tags=["primitives", "color"],
    version="1.0.1",
)
class Color(BaseInvocation):
    """A colour with its opacity."""

    color: ColorField = InputField(ColorField(r=0, g=0, b=0, a=255), description="The colour")

    def invoke(self, context: InvocationContext) -> ColorOutput:
        """The colour, as it is."""
        return ColorOutput(color=self.color)


@invocation(
    "conditioning",
    title="Conditioning Primitive",
    category="primitives",
    tags=["primitives", "conditioning"],
    version="1.0.1",
)
class Conditioning(BaseInvocation):
    """An encoded prompt, passed on."""

    conditioning: ConditioningField = InputField(input=Input.CONNECTION, description="The encoded prompt")

    def invoke(self, context: InvocationContext) -> ConditioningOutput:
        """The reference, as it is; nothing is loaded."""
        return ConditioningOutput(conditioning=self.conditioning)


@invocation(
    "model_identifier",
    title="Any Model",
    category="model",
    tags=["model"],
    version="1.0.1",
)
class ModelIdentifier(BaseInvocation):
    """A model of any kind, chosen once for several nodes."""

    model: ModelIdentifierField = InputField(description="The model")

    def invoke(self, context: InvocationContext) -> ModelIdentifierOutput:
        """The model, once it is known to exist. Raises `ModelNotFoundError`."""
        context.models.record(self.model)
        return ModelIdentifierOutput(model=self.model)
