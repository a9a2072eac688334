"""Masks in latent pixels. Imports torch; called by the node `create_denoise_mask`."""

import numpy as np
import torch
from diffusers import AutoencoderKL
from PIL import Image, ImageChops

from impasto_sd.autoencoder import encode
from impasto_sdk.errors import InvalidInputError

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


def latents_around(
    vae: AutoencoderKL, picture: Image.Image, mask: Image.Image, *, invert: bool, tiled: bool, float32: bool
) -> torch.Tensor:
    """The latents of an RGB picture, grey where the mask lets it change.

    Raises `InvalidInputError` when the mask is of another size.
    """
    if picture.size != mask.size:
        raise InvalidInputError(
            "mask",
            f"{mask.width} × {mask.height}",
            f"the picture has {picture.width} × {picture.height} pixels",
            "resize one of them",
        )
    kept = ImageChops.invert(mask) if invert else mask
    grey = Image.new("RGB", picture.size, (_KEPT, _KEPT, _KEPT))
    seen = Image.composite(picture, grey, kept.point(lambda value: 255 if value >= _KEPT else 0))
    return encode(vae, seen, tile_size=0 if tiled else None, float32=float32)
