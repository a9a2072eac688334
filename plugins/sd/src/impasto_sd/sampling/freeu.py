"""`FreeUExtension`: FreeU's factors, set in the network for one run."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from diffusers import UNet2DConditionModel

from impasto_sdk.extensions import DenoiseExtension
from impasto_sdk.fields import FreeUConfig

__all__ = ["FreeUExtension"]


class FreeUExtension(DenoiseExtension[torch.Tensor]):
    """Weighs the backbone's and the skips' features (Si et al., "FreeU: Free Lunch in Diffusion U-Net", 2023)."""

    order = -100

    def __init__(self, factors: FreeUConfig) -> None:
        self._factors = factors

    @contextmanager
    def patch(self, model: object) -> Iterator[None]:
        """Set the factors, and take them out again."""
        assert isinstance(model, UNet2DConditionModel)
        model.enable_freeu(s1=self._factors.s1, s2=self._factors.s2, b1=self._factors.b1, b2=self._factors.b2)
        try:
            yield
        finally:
            model.disable_freeu()
