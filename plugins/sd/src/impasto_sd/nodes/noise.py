"""`noise`: the noise that a picture begins from."""

from typing import Literal

from impasto_sdk.context import InvocationContext
from impasto_sdk.fields import BaseInvocationOutput, InputField, LatentsField, OutputField, invocation_output
from impasto_sdk.node import BaseInvocation, invocation

__all__ = ["Noise", "NoiseOutput"]

#: Latent channels of Stable Diffusion, and pixels for one latent pixel.
_CHANNELS, _SCALE = 4, 8
_MAX_SEED = 2**64 - 1


@invocation_output("noise_output")
class NoiseOutput(BaseInvocationOutput):
    """Noise, and the size of the picture that it is for."""

    noise: LatentsField = OutputField(description="The noise")
    width: int = OutputField(description="Width of the picture in pixels")
    height: int = OutputField(description="Height of the picture in pixels")


@invocation(
    "noise",
    title="Create Latent Noise",
    category="latents",
    tags=["latents", "noise"],
    version="1.1.0",
)
class Noise(BaseInvocation):
    """Make noise from a seed. The same seed and size give the same noise on every machine."""

    noise_type: Literal["SD"] = InputField("SD", title="Noise Type", description="The latent space it is for")
    seed: int = InputField(0, ge=0, le=_MAX_SEED, title="Seed", description="Seed, 0 to 2^64 − 1")
    width: int = InputField(512, gt=0, multiple_of=_SCALE, title="Width", description="Width in pixels")
    height: int = InputField(512, gt=0, multiple_of=_SCALE, title="Height", description="Height in pixels")
    use_cpu: bool = InputField(
        True, title="Use Cpu", description="Has no effect: noise is always made on the CPU, so that it can be repeated"
    )

    def invoke(self, context: InvocationContext) -> NoiseOutput:
        """Make and store the noise."""
        from impasto_sdk.torch import save_latents, seeded_noise

        noise = seeded_noise((1, _CHANNELS, self.height // _SCALE, self.width // _SCALE), self.seed)
        stored = save_latents(context, noise, seed=self.seed, scale_factor=_SCALE)
        return NoiseOutput(noise=stored.latents, width=stored.width, height=stored.height)
