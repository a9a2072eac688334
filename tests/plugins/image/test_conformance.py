"""Every node of the plugin passes the checks of the test kit."""

from PIL import Image

from impasto_image.nodes import NODES
from impasto_image.nodes.compose import BlankImage, PasteImage
from impasto_image.nodes.filters import BlurImage, UnsharpMask
from impasto_image.nodes.geometry import CropImage, ResizeImage, ScaleImage
from impasto_image.nodes.library import ImageCollection, ImagePrimitive, SaveImage
from impasto_image.nodes.masks import CombineMasks
from impasto_image.nodes.tiles import ImageTiles
from impasto_sdk.testing import NodeConformance

PICTURE = Image.linear_gradient("L").resize((12, 8)).convert("RGB")
MASK = Image.linear_gradient("L").resize((12, 8))


class TestImagePrimitive(NodeConformance):
    node = ImagePrimitive
    inputs = {"image": PICTURE}


class TestImageCollection(NodeConformance):
    node = ImageCollection
    inputs = {"collection": [PICTURE], "images": [MASK]}


class TestSaveImage(NodeConformance):
    node = SaveImage
    inputs = {"image": PICTURE}


class TestBlankImage(NodeConformance):
    node = BlankImage
    inputs = {"width": 4, "height": 2}


class TestPasteImage(NodeConformance):
    node = PasteImage
    inputs = {"base_image": PICTURE, "image": PICTURE, "mask": MASK, "x": 3, "y": -2}


class TestResizeImage(NodeConformance):
    node = ResizeImage
    inputs = {"image": PICTURE, "width": 5, "height": 3}


class TestScaleImage(NodeConformance):
    node = ScaleImage
    inputs = {"image": PICTURE}


class TestCropImage(NodeConformance):
    node = CropImage
    inputs = {"image": PICTURE, "x": -1, "width": 4, "height": 4}


class TestImageTiles(NodeConformance):
    node = ImageTiles
    inputs = {"image": PICTURE, "tile_width": 5, "tile_height": 4, "overlap": 1}
    long_running = True


class TestBlurImage(NodeConformance):
    node = BlurImage
    inputs = {"image": PICTURE, "radius": 2}


class TestUnsharpMask(NodeConformance):
    node = UnsharpMask
    inputs = {"image": PICTURE}


class TestCombineMasks(NodeConformance):
    node = CombineMasks
    inputs = {"mask1": MASK, "mask2": MASK}


def test_no_node_of_the_plugin_goes_unchecked():
    checked = {case.node for case in NodeConformance.__subclasses__() if case.__module__ == __name__}
    assert checked == set(NODES)
