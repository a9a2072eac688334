"""What a node gives back: `BaseInvocationOutput`, and the outputs that plugins share.

Two plugins can only be joined by an edge if they mean the same thing by its value, so the outputs of the field
(a picture, latents, an encoded prompt …) are declared here, once, with InvokeAI's names.
"""

from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict

from impasto_sdk.errors import NodeDeclarationError
from impasto_sdk.fields.ports import OutputField
from impasto_sdk.fields.values import (
    BoundingBoxField,
    CLIPField,
    ColorField,
    ConditioningField,
    ImageField,
    JsonValue,
    LatentsField,
    MetadataField,
    ModelIdentifierField,
    TensorField,
    UNetField,
    VAEField,
    WorkflowReturnValueField,
)

__all__ = [
    "BaseInvocationOutput",
    "BooleanCollectionOutput",
    "BooleanOutput",
    "BoundingBoxOutput",
    "CLIPOutput",
    "ColorOutput",
    "ConditioningOutput",
    "FloatCollectionOutput",
    "FloatOutput",
    "ImageCollectionOutput",
    "ImageOutput",
    "IntegerCollectionOutput",
    "IntegerOutput",
    "LatentsOutput",
    "MaskOutput",
    "MetadataOutput",
    "ModelIdentifierOutput",
    "StringCollectionOutput",
    "StringOutput",
    "UNetOutput",
    "VAEOutput",
    "WorkflowReturnOutput",
    "WorkflowReturnValueOutput",
    "invocation_output",
]


class BaseInvocationOutput(BaseModel):
    """Base of all outputs. Declare a subclass with `@invocation_output("name")` and `OutputField`s."""

    model_config = ConfigDict(extra="ignore", defer_build=True)

    #: Name of the output type in documents, e.g. ``image_output``; set by `@invocation_output`.
    output_type: ClassVar[str] = ""

    def to_document(self) -> dict[str, JsonValue]:
        """The output as JSON values, with its ``type``, as journals, events and clients carry it."""
        return {"type": self.output_type, **self.model_dump(mode="json")}


OutputT = TypeVar("OutputT", bound=BaseInvocationOutput)

#: Names that documents use for themselves, so no output field may have them.
RESERVED_OUTPUT_NAMES = frozenset({"type", "output_meta"})


def invocation_output(output_type: str) -> Callable[[type[OutputT]], type[OutputT]]:
    """Declare an output class: ``@invocation_output("image_output")``.

    Raises `NodeDeclarationError` for an empty name, or an output called ``type`` or ``output_meta``.
    """

    def declare(cls: type[OutputT]) -> type[OutputT]:
        if not output_type:
            raise NodeDeclarationError(cls.__name__, "an output type needs a name: @invocation_output('my_output')")
        taken = RESERVED_OUTPUT_NAMES & cls.model_fields.keys()
        if taken:
            raise NodeDeclarationError(
                cls.__name__, f"output {min(taken)!r} has a name that documents use; call it something else"
            )
        cls.output_type = output_type
        return cls

    return declare


@invocation_output("boolean_output")
class BooleanOutput(BaseInvocationOutput):
    """One truth value."""

    value: bool = OutputField(description="The boolean")


@invocation_output("boolean_collection_output")
class BooleanCollectionOutput(BaseInvocationOutput):
    """A list of truth values."""

    collection: list[bool] = OutputField(description="The booleans")


@invocation_output("integer_output")
class IntegerOutput(BaseInvocationOutput):
    """One whole number."""

    value: int = OutputField(description="The integer")


@invocation_output("integer_collection_output")
class IntegerCollectionOutput(BaseInvocationOutput):
    """A list of whole numbers."""

    collection: list[int] = OutputField(description="The integers")


@invocation_output("float_output")
class FloatOutput(BaseInvocationOutput):
    """One number."""

    value: float = OutputField(description="The number")


@invocation_output("float_collection_output")
class FloatCollectionOutput(BaseInvocationOutput):
    """A list of numbers."""

    collection: list[float] = OutputField(description="The numbers")


@invocation_output("string_output")
class StringOutput(BaseInvocationOutput):
    """One text."""

    value: str = OutputField(description="The text")


@invocation_output("string_collection_output")
class StringCollectionOutput(BaseInvocationOutput):
    """A list of texts."""

    collection: list[str] = OutputField(description="The texts")


@invocation_output("color_output")
class ColorOutput(BaseInvocationOutput):
    """A colour."""

    color: ColorField = OutputField(description="The colour")


@invocation_output("image_output")
class ImageOutput(BaseInvocationOutput):
    """A stored image and its size."""

    image: ImageField = OutputField(description="The image")
    width: int = OutputField(description="Width in pixels")
    height: int = OutputField(description="Height in pixels")


@invocation_output("image_collection_output")
class ImageCollectionOutput(BaseInvocationOutput):
    """A list of stored images."""

    collection: list[ImageField] = OutputField(description="The images")


@invocation_output("mask_output")
class MaskOutput(BaseInvocationOutput):
    """A mask tensor of shape (1, height, width) and the picture's size."""

    mask: TensorField = OutputField(description="The mask")
    width: int = OutputField(description="Width in pixels")
    height: int = OutputField(description="Height in pixels")


@invocation_output("latents_output")
class LatentsOutput(BaseInvocationOutput):
    """Stored latents, and the size of the picture that they decode to."""

    latents: LatentsField = OutputField(description="The latents")
    width: int = OutputField(description="Width of the picture in pixels")
    height: int = OutputField(description="Height of the picture in pixels")


@invocation_output("conditioning_output")
class ConditioningOutput(BaseInvocationOutput):
    """An encoded prompt."""

    conditioning: ConditioningField = OutputField(description="The conditioning")


@invocation_output("bounding_box_output")
class BoundingBoxOutput(BaseInvocationOutput):
    """A box in pixels."""

    bounding_box: BoundingBoxField = OutputField(description="The box")


@invocation_output("metadata_output")
class MetadataOutput(BaseInvocationOutput):
    """Facts for an image."""

    metadata: MetadataField = OutputField(description="The facts")


@invocation_output("model_identifier_output")
class ModelIdentifierOutput(BaseInvocationOutput):
    """A model record."""

    model: ModelIdentifierField = OutputField(description="The model")


@invocation_output("unet_output")
class UNetOutput(BaseInvocationOutput):
    """A UNet."""

    unet: UNetField = OutputField(description="The UNet")


@invocation_output("clip_output")
class CLIPOutput(BaseInvocationOutput):
    """A tokenizer and text encoder."""

    clip: CLIPField = OutputField(description="Tokenizer and text encoder")


@invocation_output("vae_output")
class VAEOutput(BaseInvocationOutput):
    """A VAE."""

    vae: VAEField = OutputField(description="The VAE")


@invocation_output("workflow_return_value_output")
class WorkflowReturnValueOutput(BaseInvocationOutput):
    """One value that a workflow returns to its caller, under a key."""

    value: WorkflowReturnValueField = OutputField(description="The value with its key", title="Return Value")


@invocation_output("workflow_return_output")
class WorkflowReturnOutput(BaseInvocationOutput):
    """All values that a workflow returns, by key: what its return node gathers, and what a call of it gives."""

    values: dict[str, Any] = OutputField(description="The values, by key")
