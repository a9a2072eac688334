"""Pictures to latents and back: what goes in comes out, in tiles too, and sizes that do not fit are refused."""

from collections.abc import Mapping

import pytest
import torch
from PIL import Image, ImageChops, ImageDraw, ImageStat

from impasto_sd import autoencoder
from impasto_sd.nodes import ImageToLatents, LatentsToImage
from impasto_sd.nodes.main_model_loader import ModelLoaderOutput
from impasto_sdk.errors import InvalidInputError, InvocationError
from impasto_sdk.fields import MetadataField
from impasto_sdk.testing import FakeContext, run_node
from impasto_sdk.torch import load_tensor, save_latents


def scene(width: int = 128, height: int = 128) -> Image.Image:
    picture = Image.new("RGB", (width, height), (60, 80, 200))
    ImageDraw.Draw(picture).ellipse((width * 0.3, height * 0.3, width * 0.7, height * 0.7), fill=(210, 50, 40))
    return picture


def difference(one: Image.Image, other: Image.Image) -> float:
    """Mean difference of a channel, 0 to 255."""
    return sum(ImageStat.Stat(ImageChops.difference(one, other)).mean) / 3


def round_trip(context: FakeContext, parts: ModelLoaderOutput, picture: Image.Image, **inputs: object) -> Image.Image:
    encoded = run_node(ImageToLatents(image=context.images.add(picture), vae=parts.vae, **inputs), context)
    assert (encoded.width, encoded.height) == picture.size
    run_node(LatentsToImage(latents=encoded.latents, vae=parts.vae, **inputs), context)
    return context.images.saved[-1].picture


def test_a_picture_comes_back_much_as_it_was(context: FakeContext, parts: ModelLoaderOutput) -> None:
    picture = scene(136, 96)
    assert difference(round_trip(context, parts, picture), picture) < 12


@pytest.mark.parametrize("tile_size", [0, 64, 72, 88, 96])
def test_tiles_give_much_the_same_picture(context: FakeContext, parts: ModelLoaderOutput, tile_size: int) -> None:
    picture = scene(256, 192)
    whole = round_trip(context, parts, picture)
    tiled = round_trip(context, parts, picture, tiled=True, tile_size=tile_size)
    assert 0 < difference(tiled, whole) < 8


def test_several_latents_are_not_decoded_as_one(context: FakeContext, parts: ModelLoaderOutput) -> None:
    latents = save_latents(context, torch.zeros(2, 4, 8, 8)).latents
    with pytest.raises(InvalidInputError, match="2 pictures"):
        run_node(LatentsToImage(latents=latents, vae=parts.vae), context)


def test_tiles_are_for_one_run_only(
    context: FakeContext, parts: ModelLoaderOutput, starter_parts: Mapping[str, object]
) -> None:
    vae = starter_parts["vae"]
    before = (vae.use_tiling, vae.tile_sample_min_size, vae.tile_latent_min_size)
    round_trip(context, parts, scene(), tiled=True, tile_size=64)
    assert (vae.use_tiling, vae.tile_sample_min_size, vae.tile_latent_min_size) == before


def test_tiles_that_are_all_seam_are_refused(context: FakeContext, parts: ModelLoaderOutput) -> None:
    with pytest.raises(InvalidInputError, match="give 64 pixels or more"):
        round_trip(context, parts, scene(), tiled=True, tile_size=16)


def test_the_same_picture_gives_the_same_latents(context: FakeContext, parts: ModelLoaderOutput) -> None:
    node = ImageToLatents(image=context.images.add(scene()), vae=parts.vae)
    run_node(node, context)
    run_node(node, context)
    first, again = context.tensors.saved.values()
    assert first == again


def test_latents_are_scaled_as_the_pipelines_scale_them(
    context: FakeContext, parts: ModelLoaderOutput, starter_parts: Mapping[str, object]
) -> None:
    from diffusers.image_processor import VaeImageProcessor

    vae = starter_parts["vae"]
    # in our order in memory: another order takes other convolutions, which differ in the last digits
    pixels = VaeImageProcessor().preprocess(scene()).contiguous()
    with torch.inference_mode():
        expected = vae.encode(pixels).latent_dist.mean * vae.config.scaling_factor
    output = run_node(ImageToLatents(image=context.images.add(scene()), vae=parts.vae), context)
    assert torch.allclose(load_tensor(context, output.latents), expected, atol=1e-5)


@pytest.mark.parametrize(
    ("size", "nearest"), [((130, 128), "128 or 136 wide and 128 high"), ((128, 5), "128 wide and 8 high")]
)
def test_a_size_that_the_vae_cannot_take_names_the_nearest(
    context: FakeContext, parts: ModelLoaderOutput, size: tuple[int, int], nearest: str
) -> None:
    with pytest.raises(InvalidInputError, match="multiples of 8") as caught:
        run_node(ImageToLatents(image=context.images.add(Image.new("RGB", size)), vae=parts.vae), context)
    assert caught.value.field == "image"
    assert nearest in caught.value.fix


def test_latents_of_another_kind_are_refused(context: FakeContext, parts: ModelLoaderOutput) -> None:
    latents = save_latents(context, torch.zeros(1, 16, 4, 4)).latents
    with pytest.raises(InvalidInputError, match="16 channels, this VAE has 4"):
        run_node(LatentsToImage(latents=latents, vae=parts.vae), context)


def test_latents_without_numbers_are_refused(context: FakeContext, parts: ModelLoaderOutput) -> None:
    latents = save_latents(context, torch.full((1, 4, 4, 4), torch.nan)).latents
    with pytest.raises(InvocationError, match="no numbers"):
        run_node(LatentsToImage(latents=latents, vae=parts.vae), context)


def test_metadata_goes_with_the_picture(context: FakeContext, parts: ModelLoaderOutput) -> None:
    latents = save_latents(context, torch.zeros(1, 4, 4, 4)).latents
    node = LatentsToImage(latents=latents, vae=parts.vae, metadata=MetadataField({"prompt": "nothing"}))
    output = run_node(node, context)
    assert (output.width, output.height) == (32, 32)
    assert context.images.saved[0].record.metadata == {"prompt": "nothing"}


class Overflowing(torch.nn.Module):
    """A VAE that overflows in half precision, as SDXL's first one did."""

    def __init__(self) -> None:
        super().__init__()
        from diffusers.configuration_utils import FrozenDict

        self.weight = torch.nn.Parameter(torch.ones(1), requires_grad=False)
        self.config = FrozenDict(
            block_out_channels=[1, 1, 1, 1], latent_channels=4, scaling_factor=1.0, shift_factor=None
        )
        self.precisions: list[torch.dtype] = []

    @property
    def dtype(self) -> torch.dtype:
        return self.weight.dtype

    @property
    def device(self) -> torch.device:
        return self.weight.device

    def decode(self, latents: torch.Tensor, *, return_dict: bool) -> tuple[torch.Tensor]:
        self.precisions.append(self.dtype)
        return ((latents * 60000 * 2)[:, :3].clamp(max=torch.inf) / 1e6,)


def test_what_overflows_in_half_precision_is_made_again_in_full() -> None:
    vae = Overflowing().half()
    picture = autoencoder.decode(vae, torch.ones(1, 4, 2, 2), tile_size=None, float32=False)
    assert vae.precisions == [torch.float16, torch.float32]
    assert vae.dtype == torch.float16
    assert picture.getpixel((0, 0)) == (143, 143, 143)


def test_full_precision_can_be_asked_for() -> None:
    vae = Overflowing().half()
    autoencoder.decode(vae, torch.ones(1, 4, 2, 2), tile_size=None, float32=True)
    assert vae.precisions == [torch.float32]
    assert vae.dtype == torch.float16


def test_seamless_axes_are_refused(context: FakeContext, parts: ModelLoaderOutput) -> None:
    vae = parts.vae.model_copy(update={"seamless_axes": ["x"]})
    latents = save_latents(context, torch.zeros(1, 4, 4, 4)).latents
    for node in (
        ImageToLatents(image=context.images.add(scene()), vae=vae),
        LatentsToImage(latents=latents, vae=vae),
    ):
        with pytest.raises(InvalidInputError, match="seamless"):
            run_node(node, context)
