"""`l2i`: latents become a picture."""

from impasto_sdk.context import InvocationContext
from impasto_sdk.errors import InvalidInputError
from impasto_sdk.fields import ImageOutput, Input, InputField, LatentsField, VAEField
from impasto_sdk.node import BaseInvocation, Lane, WithBoard, WithMetadata, invocation

__all__ = ["LatentsToImage"]


@invocation(
    "l2i",
    title="Latents to Image - SD1.5",
    category="latents",
    tags=["latents", "image", "vae", "l2i"],
    version="1.3.2",
    lane=Lane.DEVICE,
)
class LatentsToImage(BaseInvocation, WithMetadata, WithBoard):
    """Decode latents with a VAE and save the picture."""

    latents: LatentsField = InputField(input=Input.CONNECTION, description="The latents")
    vae: VAEField = InputField(input=Input.CONNECTION, description="The VAE")
    tiled: bool = InputField(False, title="Tiled", description="Work in tiles: slower, and takes less memory")
    tile_size: int = InputField(
        0, ge=0, multiple_of=8, title="Tile Size", description="Side of a tile in pixels; 0: what suits the VAE"
    )
    fp32: bool = InputField(False, title="Fp32", description="Run the VAE in single precision")

    def invoke(self, context: InvocationContext) -> ImageOutput:
        """Decode the latents and save the picture."""
        from diffusers import AutoencoderKL

        from impasto_sd.autoencoder import decode
        from impasto_sdk.torch import load_tensor

        if self.vae.seamless_axes:
            raise InvalidInputError("vae", self.vae.seamless_axes, "seamless axes are not supported", "leave them out")
        latents = load_tensor(context, self.latents)
        with context.models.load(self.vae.vae, AutoencoderKL) as vae:
            picture = decode(vae, latents, tile_size=self.tile_size if self.tiled else None, float32=self.fp32)
        return context.images.save(picture)
