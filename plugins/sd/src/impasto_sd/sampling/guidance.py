"""Classifier-free guidance: what the network is given for it, and how its two answers become one."""

from dataclasses import dataclass

import torch

from impasto_sd.prompts.encoder import EncodedPrompt, pad_with

__all__ = ["GuidedPrompt", "guide", "rescale"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GuidedPrompt:
    """A positive and a negative prompt of equal length, ready for the network."""

    #: Shape (batch, tokens, width).
    positive: torch.Tensor
    #: The negative before the positive, shape (2 × batch, tokens, width).
    both: torch.Tensor

    @classmethod
    def of(
        cls, positive: EncodedPrompt, negative: EncodedPrompt, *, batch: int, device: torch.device, dtype: torch.dtype
    ) -> "GuidedPrompt":
        """Bring two prompts to one length and to the network's device and precision.

        The shorter one is padded with empty prompts. For an empty negative prompt that changes nothing: attention
        over the same tokens twice gives what it gives over them once.
        """
        length = max(positive.embeddings.shape[1], negative.embeddings.shape[1])
        wanted, unwanted = (
            pad_with(prompt.embeddings, prompt.empty, length).to(device=device, dtype=dtype).expand(batch, -1, -1)
            for prompt in (positive, negative)
        )
        return cls(positive=wanted.contiguous(), both=torch.cat([unwanted, wanted]))


def guide(prediction: torch.Tensor, scale: float, rescale_by: float) -> torch.Tensor:
    """One prediction from two: `prediction` holds the negative half before the positive, shape (2 × batch, …).

    `scale` 1 is the positive half alone; greater moves on, away from the negative. `rescale_by` 0 to 1, see `rescale`.
    """
    negative, positive = prediction.chunk(2)
    guided = negative + scale * (positive - negative)
    return rescale(guided, positive, rescale_by) if rescale_by > 0 else guided


def rescale(guided: torch.Tensor, positive: torch.Tensor, share: float) -> torch.Tensor:
    """Take back the contrast that guidance adds (Lin et al., "Common Diffusion Noise Schedules …", 2023, section 3.4).

    `share` 1 gives each image the spread of the positive prediction, 0 leaves it as it is.
    """
    axes = tuple(range(1, guided.ndim))
    matched = guided * (positive.std(dim=axes, keepdim=True) / guided.std(dim=axes, keepdim=True))
    return share * matched + (1 - share) * guided
