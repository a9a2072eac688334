"""`MaskExtension`: only the unmasked part of a picture changes.

An extension of the loop like any other plugin's, so that the loop needs to know nothing of masks.
"""

import torch
from diffusers import SchedulerMixin

from impasto_sdk.extensions import DenoiseExtension, DenoiseState

__all__ = ["MaskExtension"]


class MaskExtension(DenoiseExtension[torch.Tensor]):
    """Puts the original back where the mask keeps it, noised as far as the step is, and clean at the end.

    `mask` has shape (1, 1, height, width) in latent pixels: 1 keeps, 0 changes. With `gradient` a value between says
    how long a pixel is kept: 0.3 until the noise has sunk to 0.7 of the training's timesteps; without, it is a share.
    """

    order = 100

    def __init__(
        self,
        scheduler: SchedulerMixin,
        *,
        mask: torch.Tensor,
        original: torch.Tensor,
        noise: torch.Tensor,
        gradient: bool,
    ) -> None:
        self._scheduler = scheduler
        self._mask = mask
        self._original = original
        self._noise = noise
        self._gradient = gradient

    def before_step(self, state: DenoiseState[torch.Tensor]) -> None:
        """Put the noised original back."""
        kept = self._scheduler.add_noise(self._original, self._noise, state.timestep.reshape(1))
        state.latents = torch.lerp(state.latents, kept.to(state.latents.dtype), self._kept_at(state.timestep))

    def after_loop(self, state: DenoiseState[torch.Tensor]) -> None:
        """Put the clean original back."""
        mask = (self._mask >= 1).to(self._mask.dtype) if self._gradient else self._mask
        state.latents = torch.lerp(state.latents, self._original, mask)

    def _kept_at(self, timestep: torch.Tensor) -> torch.Tensor:
        if not self._gradient:
            return self._mask
        released = 1 - timestep / self._scheduler.config.num_train_timesteps
        kept: torch.Tensor = self._mask > released
        return kept.to(self._mask.dtype)
