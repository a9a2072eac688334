"""`create_denoise_mask`: a greyscale picture becomes a mask for the denoise loop."""

from impasto_sdk.context import InvocationContext
from impasto_sdk.fields import (
    BaseInvocationOutput,
    DenoiseMaskField,
    ImageField,
    Input,
    InputField,
    OutputField,
    VAEField,
    invocation_output,
)
from impasto_sdk.node import BaseInvocation, Lane, invocation

__all__ = ["CreateDenoiseMask", "DenoiseMaskOutput"]


@invocation_output("denoise_mask_output")
class DenoiseMaskOutput(BaseInvocationOutput):
    """A mask for the denoise loop."""

    denoise_mask: DenoiseMaskField = OutputField(description="Which part of the latents may change")


@invocation(
    "create_denoise_mask",
    title="Create Denoise Mask",
    category="mask",
    tags=["mask", "denoise", "inpaint"],
    version="1.0.2",
    lane=Lane.DEVICE,
)
class CreateDenoiseMask(BaseInvocation):
    """Say which part of a picture's latents may change: what is white in the mask is kept, what is black made anew.

    A latent pixel may change as soon as one of its pixels may, so nothing of a small mask is lost; paste the picture's
    own pixels back where not one more may change.
    """

    vae: VAEField = InputField(input=Input.CONNECTION, title="VAE", description="The VAE of the latents", ui_order=0)
    image: ImageField | None = InputField(
        None, description="The picture; for models that are told what is around the mask", ui_order=1
    )
    mask: ImageField = InputField(description="The mask, as large as the picture: white is kept", ui_order=2)
    tiled: bool = InputField(False, description="Encode the picture in tiles", title="Tiled", ui_order=3)
    fp32: bool = InputField(False, description="Run the VAE in single precision", title="Fp32", ui_order=4)
    invert_mask: bool = InputField(
        False, title="Invert Mask", description="What is white is made anew, what is black is kept", ui_order=5
    )

    def invoke(self, context: InvocationContext) -> DenoiseMaskOutput:
        """Store the mask, in latent pixels, and the latents of what is around it when there is a picture."""
        from diffusers import AutoencoderKL

        from impasto_sd.sampling.masks import latent_mask, latents_around
        from impasto_sdk.torch import save_latents, save_tensor

        picture = context.images.load(self.mask, "L")
        step = int(context.models.record(self.vae.vae).facts.get("size_step", 8))
        mask = latent_mask(picture, step=step, invert=self.invert_mask)
        around = None
        if self.image is not None:
            original = context.images.load(self.image, "RGB")
            with context.models.load(self.vae.vae, AutoencoderKL) as vae:
                latents = latents_around(
                    vae, original, picture, invert=self.invert_mask, tiled=self.tiled, float32=self.fp32
                )
            around = save_latents(context, latents, scale_factor=step).latents.latents_name
        return DenoiseMaskOutput(
            denoise_mask=DenoiseMaskField(
                mask_name=save_tensor(context, mask).tensor_name, masked_latents_name=around, gradient=False
            )
        )
