"""Random numbers that are the same on every machine: made on the CPU, from seeds of 64 bits.

Every node that draws noise draws it here, so that a seed means one picture whatever device it was made on.
"""

from collections.abc import Sequence

import torch

from impasto_sdk.errors import InvalidInputError

__all__ = ["MAX_SEED", "seeded_generator", "seeded_noise"]

#: The greatest seed; the least is 0.
MAX_SEED = 2**64 - 1

_LOW_BITS = 2**32 - 1


def seeded_generator(seed: int) -> torch.Generator:
    """A generator on the CPU. Seeds below 2^32 give what ``torch.manual_seed`` gives for them.

    Raises `InvalidInputError` for a seed that is not between 0 and 2^64 − 1.
    """
    if not 0 <= seed <= MAX_SEED:
        raise InvalidInputError("seed", seed, "not a seed", f"give a whole number from 0 to {MAX_SEED}")
    # torch's CPU generator keeps the low 32 bits of a seed only, so 5 and 5 + 2^32 would make one picture
    return torch.Generator(device="cpu").manual_seed(seed if seed <= _LOW_BITS else _fold(seed))


def seeded_noise(
    shape: Sequence[int],
    seed: int,
    *,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str = "cpu",
) -> torch.Tensor:
    """Standard normal noise of `shape`, drawn on the CPU in float32, then brought to `dtype` and `device`.

    The same seed gives the same values on any device. Raises `InvalidInputError` for a seed out of range.
    """
    noise = torch.randn(tuple(shape), generator=seeded_generator(seed), dtype=torch.float32)
    return noise.to(device=device, dtype=dtype)


def _fold(seed: int) -> int:
    """64 bits to 32, so that every bit counts (the finaliser of SplitMix64)."""
    mixed = seed
    mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & MAX_SEED
    mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & MAX_SEED
    return (mixed ^ (mixed >> 31)) >> 32
