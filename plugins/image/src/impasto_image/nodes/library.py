"""Pictures of the library: named in a graph, listed, kept."""

from impasto_sdk.context import InvocationContext
from impasto_sdk.fields import (
    ImageCollectionOutput,
    ImageField,
    ImageOutput,
    Input,
    InputField,
    MetadataField,
)
from impasto_sdk.node import BaseInvocation, WithBoard, WithMetadata, invocation

__all__ = ["ImageCollection", "ImagePrimitive", "SaveImage"]


@invocation("image", title="Image Primitive", category="primitives", tags=["primitives", "image"], version="1.0.2")
class ImagePrimitive(BaseInvocation):
    """A picture of the library, and its size."""

    image: ImageField = InputField(description="The image")

    def invoke(self, context: InvocationContext) -> ImageOutput:
        """The picture itself, not a copy, with its size in pixels. Raises `ImageNotFoundError`."""
        record = context.images.record(self.image)
        return ImageOutput(image=self.image, width=record.width, height=record.height)


@invocation(
    "image_collection",
    title="Image Collection Primitive",
    category="primitives",
    tags=["primitives", "image", "collection"],
    version="1.0.2",
)
class ImageCollection(BaseInvocation):
    """A list of pictures: those that arrive, then those chosen by hand."""

    collection: list[ImageField] | None = InputField(
        None, input=Input.CONNECTION, description="Images that come first", ui_order=0
    )
    images: list[ImageField] | None = InputField(
        None, input=Input.DIRECT, description="Images chosen by hand", ui_order=1
    )

    def invoke(self, context: InvocationContext) -> ImageCollectionOutput:
        """Both lists as one; nothing is loaded."""
        return ImageCollectionOutput(collection=[*(self.collection or ()), *(self.images or ())])


@invocation(
    "save_image", title="Save Image", category="image", tags=["primitives", "image"], version="1.2.2", use_cache=False
)
class SaveImage(BaseInvocation, WithMetadata, WithBoard):
    """Keep a copy of a picture in the gallery, however its own node was marked."""

    image: ImageField = InputField(description="The image to keep")

    def invoke(self, context: InvocationContext) -> ImageOutput:
        """The copy: the same bytes, never intermediate, with the picture's own metadata unless others are given.

        Raises `ImageNotFoundError`.
        """
        record = context.images.record(self.image)
        own = MetadataField(record.metadata) if record.metadata is not None else None
        return context.images.save_bytes(
            context.images.load_bytes(self.image),
            category=record.image_category,
            metadata=self.metadata or own,
            is_intermediate=False,
        )
