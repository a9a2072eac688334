"""What the picture looks like so far, without the VAE: one product with a small matrix instead of a decoder.

The step's own prediction is used to take the noise off first, so that a preview shows the picture and not the grain.
"""

from collections.abc import Sequence

import torch
from diffusers import SchedulerMixin
from PIL import Image

from impasto_sd.sampling.loop import StepReport

__all__ = ["Previewer"]

#: Longest side of a preview in pixels.
_LONGEST_SIDE = 256


class Previewer:
    """Makes previews of one run.

    `latent_rgb` has a row of red, green, blue for each latent channel and one for the offset. Without it the three
    directions in which the latents vary most stand for lightness and two colours: wrong colours, right shapes.
    """

    def __init__(
        self, scheduler: SchedulerMixin, *, latent_rgb: Sequence[Sequence[float]] | None, scale_factor: int
    ) -> None:
        self._alphas = scheduler.alphas_cumprod.to(dtype=torch.float32, device="cpu")
        self._prediction_type = str(scheduler.config.prediction_type)
        self._latent_rgb = None if latent_rgb is None else torch.tensor(latent_rgb, dtype=torch.float32)
        self._scale_factor = scale_factor

    def picture(self, report: StepReport) -> Image.Image:
        """The first picture of the batch as it would be if this step were the last."""
        latents = self._denoised(report)
        channels, height, width = latents.shape
        table = self._latent_rgb
        if table is None or table.shape[0] != channels + 1:
            table = _principal_directions(latents)
        colours = latents.reshape(channels, -1).T @ table[:-1] + table[-1]
        levels = ((colours / 2 + 0.5).clamp(0, 1) * 255).round().to(torch.uint8)
        small = Image.fromarray(levels.reshape(height, width, 3).numpy(), "RGB")
        enlarge = min(self._scale_factor, max(1.0, _LONGEST_SIDE / max(width, height)))
        return small.resize((round(width * enlarge), round(height * enlarge)), Image.Resampling.BICUBIC)

    def _denoised(self, report: StepReport) -> torch.Tensor:
        """The latents without their noise, shape (channels, height, width), float32 on the CPU."""
        sample = report.sample[0].to(device="cpu", dtype=torch.float32)
        prediction = report.prediction[0].to(device="cpu", dtype=torch.float32)
        # what the network is given always has unit variance, so the timestep alone says how much of it is noise
        signal: torch.Tensor = self._alphas[min(round(float(report.timestep)), len(self._alphas) - 1)].clamp(min=1e-4)
        noise: torch.Tensor = (1 - signal).sqrt()
        if self._prediction_type == "sample":
            return prediction
        if self._prediction_type == "v_prediction":
            return sample * signal.sqrt() - prediction * noise
        return (sample - prediction * noise) / signal.sqrt()


def _principal_directions(latents: torch.Tensor) -> torch.Tensor:
    """A table as `latent_rgb`, made for these latents alone."""
    channels = latents.shape[0]
    pixels = latents.reshape(channels, -1).T
    mean = pixels.mean(dim=0)
    centred = pixels - mean
    spread, directions = torch.linalg.eigh(centred.T @ centred / len(pixels))
    # the greatest last; turned so that its greatest part is positive, which keeps previews from flickering
    main = directions[:, -3:].flip(1)
    main = main * torch.sign(main.gather(0, main.abs().argmax(dim=0, keepdim=True)))
    # one scale for all: the lesser directions stay faint, as they are
    main = main / (2 * spread[-1].clamp(min=1e-6).sqrt())
    weights = torch.tensor([[1.0, 1.0, 1.0], [0.5, 0.0, -0.5], [-0.25, 0.5, -0.25]])[: main.shape[1]]
    mixed = main @ weights
    return torch.cat([mixed, -(mean @ mixed).reshape(1, 3)])
