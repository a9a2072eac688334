"""Pictures to latents and back, with a VAE. Imports torch; called by the `i2l` and `l2i` nodes."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from diffusers import AutoencoderKL
from PIL import Image

from impasto_sd.facts import vae_scale_factor
from impasto_sdk.errors import InvalidInputError, InvocationError

__all__ = ["decode", "encode", "nearest_multiples"]

#: Tiles smaller than this hold no more than the overlap of their neighbours.
_LEAST_TILE = 64
#: Tiles overlap by a quarter, which must be whole latent pixels, or neighbours are joined out of place.
_TILE_STEP = 4


def encode(vae: AutoencoderKL, picture: Image.Image, *, tile_size: int | None, float32: bool) -> torch.Tensor:
    """Latents of an RGB picture: shape (1, channels, height / scale, width / scale), in the VAE's precision.

    The mean of what the VAE says is taken, not a sample, so the same picture gives the same latents. `tile_size`: None
    for the whole picture at once, 0 for tiles of the VAE's own size, else tiles of at least so many pixels. Raises
    `InvalidInputError` for a picture whose sides are no multiples of the VAE's scale.
    """
    step = vae_scale_factor(vae.config)
    if picture.width % step or picture.height % step:
        widths, heights = nearest_multiples(picture.width, step), nearest_multiples(picture.height, step)
        raise InvalidInputError(
            "image",
            f"{picture.width} × {picture.height}",
            f"the VAE takes sides that are multiples of {step}",
            f"the nearest are {' or '.join(map(str, widths))} wide and {' or '.join(map(str, heights))} high",
        )
    before = vae.dtype
    with torch.inference_mode(), _tiled(vae, tile_size), _in_float32(vae, wanted=float32):
        values = torch.from_numpy(np.array(picture.convert("RGB"), dtype=np.float32))
        pixels = (values / 255 * 2 - 1).permute(2, 0, 1).unsqueeze(0).contiguous()
        mean: torch.Tensor = vae.encode(pixels.to(device=vae.device, dtype=vae.dtype)).latent_dist.mode()
        latents: torch.Tensor = (mean - (vae.config.shift_factor or 0)) * vae.config.scaling_factor
        return latents.to(before)


def decode(vae: AutoencoderKL, latents: torch.Tensor, *, tile_size: int | None, float32: bool) -> Image.Image:
    """The RGB picture of latents of shape (1, channels, height, width); `tile_size` as for `encode`.

    In half precision some VAEs overflow; such a picture is made again in float32. Raises `InvalidInputError` for
    latents of another number of channels or of several pictures, `InvocationError` when they hold no numbers.
    """
    if latents.shape[0] != 1:
        raise InvalidInputError(
            "latents", tuple(latents.shape), f"they hold {latents.shape[0]} pictures", "decode them one by one"
        )
    channels = int(vae.config.latent_channels)
    if latents.shape[1] != channels:
        raise InvalidInputError(
            "latents",
            tuple(latents.shape),
            f"they have {latents.shape[1]} channels, this VAE has {channels}",
            "use the VAE of the model that made them",
        )
    with torch.inference_mode(), _tiled(vae, tile_size):
        with _in_float32(vae, wanted=float32):
            pixels = _decode(vae, latents)
        if not pixels.isfinite().all() and vae.dtype != torch.float32:
            with _in_float32(vae, wanted=True):
                pixels = _decode(vae, latents)
        if not pixels.isfinite().all():
            raise InvocationError("the latents hold values that are no numbers, so there is no picture in them")
        levels = ((pixels[0].float() / 2 + 0.5).clamp(0, 1) * 255).round().to(torch.uint8)
        return Image.fromarray(levels.permute(1, 2, 0).cpu().numpy(), "RGB")


def nearest_multiples(side: int, step: int) -> tuple[int, ...]:
    """The multiples of `step` next to `side`, the lesser first; `side` alone when it is one; never 0."""
    if side % step == 0:
        return (side,)
    below = side - side % step
    return (below, below + step) if below else (below + step,)


def _decode(vae: AutoencoderKL, latents: torch.Tensor) -> torch.Tensor:
    scaled = latents.to(device=vae.device, dtype=vae.dtype) / vae.config.scaling_factor
    pixels: torch.Tensor = vae.decode(scaled + (vae.config.shift_factor or 0), return_dict=False)[0]
    return pixels


@contextmanager
def _in_float32(vae: AutoencoderKL, *, wanted: bool) -> Iterator[None]:
    """The VAE in float32 while the block runs, and in its own precision afterwards: other nodes share it."""
    before = vae.dtype
    if not wanted or before == torch.float32:
        yield
        return
    vae.to(dtype=torch.float32)
    try:
        yield
    finally:
        vae.to(dtype=before)


@contextmanager
def _tiled(vae: AutoencoderKL, tile_size: int | None) -> Iterator[None]:
    """Work in tiles while the block runs, and as before afterwards."""
    if tile_size is None:
        yield
        return
    if 0 < tile_size < _LEAST_TILE:
        raise InvalidInputError(
            "tile_size", tile_size, "tiles this small are all seam", f"give {_LEAST_TILE} pixels or more, or 0"
        )
    before = (vae.use_tiling, vae.tile_sample_min_size, vae.tile_latent_min_size)
    scale = vae_scale_factor(vae.config)
    latent_side = -(-(tile_size or int(before[1])) // (scale * _TILE_STEP)) * _TILE_STEP
    vae.use_tiling = True
    vae.tile_sample_min_size, vae.tile_latent_min_size = latent_side * scale, latent_side
    try:
        yield
    finally:
        vae.use_tiling, vae.tile_sample_min_size, vae.tile_latent_min_size = before
