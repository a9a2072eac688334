"""`create_denoise_mask`: a greyscale picture as a mask of latent pixels."""

from collections.abc import Callable

import pytest
import torch
from PIL import Image

from impasto_sd.nodes import CreateDenoiseMask
from impasto_sd.nodes.main_model_loader import ModelLoaderOutput
from impasto_sdk.errors import InvalidInputError
from impasto_sdk.fields import ImageField, LatentsField, TensorField
from impasto_sdk.testing import FakeContext, run_node
from impasto_sdk.torch import load_tensor

Make = Callable[..., torch.Tensor]


@pytest.fixture
def half(context: FakeContext) -> ImageField:
    """Black on the left, and one white pixel column into the fifth latent column."""
    mask = Image.new("L", (64, 32), 0)
    mask.paste(255, (33, 0, 64, 32))
    return context.images.add(mask)


@pytest.fixture
def make(context: FakeContext, parts: ModelLoaderOutput) -> Make:
    def run(mask: ImageField, **inputs: object) -> torch.Tensor:
        field = run_node(CreateDenoiseMask(vae=parts.vae, mask=mask, **inputs), context).denoise_mask
        assert not field.gradient
        return load_tensor(context, TensorField(tensor_name=field.mask_name))

    return run


def test_a_latent_pixel_is_kept_only_where_all_of_it_is(make: Make, half: ImageField) -> None:
    kept = make(half)
    assert kept.shape == (1, 1, 4, 8)
    assert kept[0, 0, 0].tolist() == [0, 0, 0, 0, 0, 1, 1, 1]
    assert make(half, invert_mask=True)[0, 0, 0].tolist() == [1, 1, 1, 1, 0, 0, 0, 0]


def test_one_pixel_of_a_mask_is_not_lost(context: FakeContext, make: Make) -> None:
    mask = Image.new("L", (64, 64), 0)
    mask.putpixel((63, 0), 255)
    kept = make(context.images.add(mask), invert_mask=True)
    assert (kept == 0).nonzero().tolist() == [[0, 0, 0, 7]]


def test_grey_is_a_share(context: FakeContext, make: Make) -> None:
    kept = make(context.images.add(Image.new("L", (16, 16), 51)))
    assert torch.allclose(kept, torch.full((1, 1, 2, 2), 0.2))


def test_with_the_picture_come_the_latents_of_what_is_around_the_mask(
    context: FakeContext, parts: ModelLoaderOutput, half: ImageField
) -> None:
    red = context.images.add(Image.new("RGB", (64, 32), (255, 0, 0)))

    def around(picture: ImageField, *, invert: bool) -> torch.Tensor:
        node = CreateDenoiseMask(vae=parts.vae, mask=half, image=picture, invert_mask=invert)
        name = run_node(node, context).denoise_mask.masked_latents_name
        assert name is not None
        return load_tensor(context, LatentsField(latents_name=name))

    left, right = around(red, invert=True), around(red, invert=False)
    assert left.shape == right.shape == (1, 4, 4, 8)
    assert not torch.allclose(left, right, atol=0.1)
    grey = Image.new("RGB", (64, 32), (255, 0, 0))
    grey.paste((128, 128, 128), (33, 0, 64, 32))
    assert torch.equal(left, around(context.images.add(grey), invert=True))


@pytest.mark.parametrize(
    ("size", "message"), [((60, 32), "multiples of 8"), ((32, 32), "32 × 32': the picture has 64 × 32 pixels")]
)
def test_a_mask_of_another_size_is_refused(
    context: FakeContext, parts: ModelLoaderOutput, size: tuple[int, int], message: str
) -> None:
    mask, picture = context.images.add(Image.new("L", size)), context.images.add(Image.new("RGB", (64, 32)))
    with pytest.raises(InvalidInputError, match=message) as caught:
        run_node(CreateDenoiseMask(vae=parts.vae, mask=mask, image=picture), context)
    assert caught.value.field == "mask"
