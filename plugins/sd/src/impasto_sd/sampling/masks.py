"""Masks in latent pixels. Imports torch; called by the node `create_denoise_mask`."""

from typing import TYPE_CHECKING

import numpy as np
import torch
from diffusers import AutoencoderKL
from PIL import Image, ImageChops

from impasto_sd.autoencoder import encode
from impasto_sdk.context import InvocationContext
from impasto_sdk.errors import InvalidInputError

if TYPE_CHECKING:  # the node imports this module when it runs
    from impasto_sd.nodes.create_denoise_mask import CreateDenoiseMask

__all__ = ["latent_mask", "latents_around"]

#: Greyscale from which a pixel of a mask counts as kept.
_KEPT = 128


def latent_mask(mask: Image.Image, *, step: int, invert: bool) -> torch.Tensor:
    """The mask of shape (1, 1, height / step, width / step), 1 keeps and 0 changes, of a greyscale picture.

    Each latent pixel holds the least of its pixels. `invert`: the picture's black is kept. Raises `InvalidInputError`
    for a picture whose sides are no multiples of `step`.
    """
    if mask.width % step or mask.height % step:
        raise InvalidInputError(
            "mask",
            f"{mask.width} × {mask.height}",
            f"the VAE takes sides that are multiples of {step}",
            "resize it with its picture",
        )
    values = torch.from_numpy(np.array(mask.convert("L"), dtype=np.float32)) / 255
    kept = 1 - values if invert else values
    return -torch.nn.functional.max_pool2d(-kept[None, None], step)


def latents_around(context: InvocationContext, node: "CreateDenoiseMask", mask: Image.Image) -> torch.Tensor:
    """The latents of the node's picture, grey where the mask lets it change.

    Raises `InvalidInputError` when the mask is of another size.
    """
    assert node.image is not None
    picture = context.images.load(node.image, "RGB")
    if picture.size != mask.size:
        raise InvalidInputError(
            "mask",
            node.mask.image_name,
            f"it has {mask.width} × {mask.height} pixels, the picture {picture.width} × {picture.height}",
            "resize one of them",
        )
    kept = ImageChops.invert(mask) if node.invert_mask else mask
    grey = Image.new("RGB", picture.size, (_KEPT, _KEPT, _KEPT))
    seen = Image.composite(picture, grey, kept.point(lambda value: 255 if value >= _KEPT else 0))
    with context.models.load(node.vae.vae, AutoencoderKL) as vae:
        return encode(vae, seen, tile_size=0 if node.tiled else None, float32=node.fp32)
