"""Seeded noise: one seed, one noise, on any device, for all 2^64 seeds."""

import pytest
import torch

from impasto_sdk.errors import InvalidInputError
from impasto_sdk.torch import MAX_SEED, seeded_generator, seeded_noise


@pytest.mark.parametrize("seed", [0, 1, 42, 2**32 - 1])
def test_small_seeds_give_what_torch_gives(seed: int) -> None:
    expected = torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(seed))
    assert torch.equal(seeded_noise((2, 4, 8, 8), seed), expected)


def test_the_high_bits_of_a_seed_count() -> None:
    seeds = [5, 5 + 2**32, 5 + 2**33, 5 + 2**63, MAX_SEED, MAX_SEED - 2**32]
    drawn = {seeded_noise((8,), seed).numpy().tobytes() for seed in seeds}
    assert len(drawn) == len(seeds)


@pytest.mark.parametrize("seed", [-1, MAX_SEED + 1])
def test_a_seed_out_of_range_is_refused(seed: int) -> None:
    with pytest.raises(InvalidInputError, match=str(MAX_SEED)) as caught:
        seeded_generator(seed)
    assert caught.value.value == seed


def test_other_precisions_are_rounded_from_the_same_noise() -> None:
    assert torch.equal(seeded_noise((16,), 3, dtype=torch.float16), seeded_noise((16,), 3).half())


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_noise_on_a_gpu_is_the_noise_of_the_cpu() -> None:
    assert torch.equal(seeded_noise((16,), 3, device="cuda").cpu(), seeded_noise((16,), 3))
