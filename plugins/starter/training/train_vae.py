"""Train the starter model's AutoencoderKL (8 times down, 4 latent channels) on crops of the scenes.

Example: ``python train_vae.py out/vae --minutes 30``
"""

import argparse
import math
import random
import time

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL
from scenes import STYLES, scene

BATCH = 16
CROP = 64
LEARNING_RATE = 4e-4
#: Noise added to latents while training, so that the decoder forgives what the UNet gets wrong.
LATENT_NOISE = 0.05


def main():
    """Parse the arguments, train and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", help="folder to write the VAE to")
    parser.add_argument("--steps", type=int, default=1800)
    parser.add_argument("--minutes", type=float, default=30, help="stop after this long, whatever the step")
    arguments = parser.parse_args()
    torch.manual_seed(0)
    rng = random.Random(1)
    vae = new_vae()
    train(vae, rng, arguments.steps, arguments.minutes)
    with torch.no_grad():
        z = torch.cat([vae.encode(batch(rng, 32, 128)).latent_dist.sample() for _ in range(8)])
    vae.register_to_config(scaling_factor=round(1 / z.std().item(), 5))
    print("latent mean", z.mean().item(), "std", z.std().item())
    vae.eval().save_pretrained(arguments.out)


def new_vae():
    """An untrained VAE whose posterior is nearly deterministic from the start."""
    vae = AutoencoderKL(
        in_channels=3,
        out_channels=3,
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(32, 64, 96, 128),
        layers_per_block=1,
        latent_channels=4,
        norm_num_groups=16,
        mid_block_add_attention=False,
        sample_size=128,
    )
    with torch.no_grad():  # the head for the log-variance says -8
        vae.quant_conv.weight[4:] = 0
        vae.quant_conv.bias[4:] = -8
    return vae.to(memory_format=torch.channels_last)


def train(vae, rng, steps, minutes):
    """Train in place until `steps` or `minutes` are over."""
    optimizer = torch.optim.AdamW(vae.parameters(), LEARNING_RATE, betas=(0.9, 0.995), weight_decay=1e-3)
    start = time.time()
    for step in range(steps):
        spent = max(step / steps, (time.time() - start) / 60 / minutes)
        if spent >= 1:
            break
        for group in optimizer.param_groups:
            group["lr"] = LEARNING_RATE * warm_cosine(step, spent, 50) + 1e-5
        x = batch(rng, BATCH, CROP).contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            z = vae.encode(x).latent_dist.mean
            y = vae.decode(z + LATENT_NOISE * torch.randn_like(z)).sample
        y = y.float()
        loss = F.mse_loss(y, x) + spent * (F.l1_loss(y, x) + edge_loss(y, x)) + 1e-4 * z.float().square().mean()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(vae.parameters(), 1.0)
        optimizer.step()
        if step % 50 == 0:
            error = F.mse_loss(y, x).item()
            print(f"step {step} loss {loss.item():.4f} mse {error:.5f} {time.time() - start:.0f}s", flush=True)


def batch(rng, n, crop):
    """`n` random scenes cropped to `crop` pixels, mostly near the middle: a tensor in -1..1."""
    crops = []
    for _ in range(n):
        image, _, _ = scene(rng, 128, rng.choices(STYLES, (5, 1))[0])
        x, y = (round(rng.triangular(0, 128 - crop, (128 - crop) / 2)) for _ in range(2))
        crops.append(np.asarray(image.crop((x, y, x + crop, y + crop))))
    return to_tensor(crops)


def to_tensor(pictures):
    """RGB pictures of one size as one float tensor, n × 3 × height × width, in -1..1."""
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float().div(127.5).sub(1)


def edge_loss(y, x):
    """How far differences between neighbouring pixels are off."""
    down = F.l1_loss(y[..., 1:, :] - y[..., :-1, :], x[..., 1:, :] - x[..., :-1, :])
    across = F.l1_loss(y[..., :, 1:] - y[..., :, :-1], x[..., :, 1:] - x[..., :, :-1])
    return down + across


def warm_cosine(step, spent, warmup):
    """Factor for the learning rate: rises over `warmup` steps, then falls with the part of the time that is spent."""
    return min(1, (step + 1) / warmup) * (0.5 + 0.5 * math.cos(math.pi * spent))


if __name__ == "__main__":
    main()
