"""The node classes, one module for each thing that is done to a picture."""

from impasto_image.nodes.compose import BlankImage, PasteImage
from impasto_image.nodes.filters import BlurImage, UnsharpMask
from impasto_image.nodes.geometry import CropImage, ResizeImage, ScaleImage
from impasto_image.nodes.library import ImageCollection, ImagePrimitive, SaveImage
from impasto_image.nodes.masks import CombineMasks
from impasto_image.nodes.tiles import ImageTiles
from impasto_sdk.node import BaseInvocation

__all__ = ["NODES"]

#: Every node class of this plugin, in the order in which its README lists them.
NODES: tuple[type[BaseInvocation], ...] = (
    ImagePrimitive,
    ImageCollection,
    SaveImage,
    BlankImage,
    PasteImage,
    ResizeImage,
    ScaleImage,
    CropImage,
    ImageTiles,
    BlurImage,
    UnsharpMask,
    CombineMasks,
)
