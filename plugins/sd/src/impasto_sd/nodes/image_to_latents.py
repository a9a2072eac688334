"""`i2l`: a picture becomes latents."""

from typing import Literal

from impasto_sdk.context import InvocationContext
from impasto_sdk.errors import InvalidInputError
from impasto_sdk.fields import ImageField, Input, InputField, LatentsOutput, VAEField
from impasto_sdk.node import BaseInvocation, Lane, invocation

__all__ = ["ImageToLatents"]


@invocation(
    "i2l",
    title="Image to Latents - SD1.5",
    category="latents",
    tags=["latents", "image", "vae", "i2l"],
    version="1.2.0",
    lane=Lane.DEVICE,
)
class ImageToLatents(BaseInvocation):
    """Encode a picture with a VAE. The same picture gives the same latents."""

    image: ImageField = InputField(description="The picture")
    vae: VAEField = InputField(input=Input.CONNECTION, description="The VAE")
    tiled: bool = InputField(False, title="Tiled", description="Work in tiles: slower, and takes less memory")
    tile_size: int = InputField(
        0, ge=0, multiple_of=8, title="Tile Size", description="Side of a tile in pixels; 0: what suits the VAE"
    )
    fp32: bool = InputField(False, title="Fp32", description="Run the VAE in single precision")
    color_compensation: Literal["None"] = InputField(
        "None", title="Color Compensation", description="Correction for VAEs that shift colours; none is offered"
    )

    def invoke(self, context: InvocationContext) -> LatentsOutput:
        """Encode the picture and store the latents."""
        from diffusers import AutoencoderKL

        from impasto_sd.autoencoder import encode
        from impasto_sd.facts import vae_scale_factor
        from impasto_sdk.torch import save_latents

        if self.vae.seamless_axes:
            raise InvalidInputError("vae", self.vae.seamless_axes, "seamless axes are not supported", "leave them out")
        picture = context.images.load(self.image, "RGB")
        with context.models.load(self.vae.vae, AutoencoderKL) as vae:
            latents = encode(vae, picture, tile_size=self.tile_size if self.tiled else None, float32=self.fp32)
            scale_factor = vae_scale_factor(vae.config)
        return save_latents(context, latents, scale_factor=scale_factor)
