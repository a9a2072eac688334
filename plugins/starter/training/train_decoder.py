"""Sharpen a VAE's decoder with the encoder frozen, so that the latent space and the UNet stay valid.

Example: ``python train_decoder.py out/model/vae out/model/vae``
"""

import argparse
import random
import time

import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL
from train_vae import BATCH, CROP, batch, edge_loss, warm_cosine

LEARNING_RATE = 5e-4
LATENT_NOISE = 0.03


def main():
    """Parse the arguments, train and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("vae", help="folder of the VAE")
    parser.add_argument("out", help="folder to write it to; may be the same")
    parser.add_argument("--minutes", type=float, default=12)
    arguments = parser.parse_args()
    torch.manual_seed(2)
    vae = AutoencoderKL.from_pretrained(arguments.vae, torch_dtype=torch.float32).to(memory_format=torch.channels_last)
    vae.encoder.requires_grad_(False)
    vae.quant_conv.requires_grad_(False)
    train(vae, random.Random(3), arguments.minutes)
    vae.to(memory_format=torch.contiguous_format).save_pretrained(arguments.out)


def train(vae, rng, minutes):
    """Train the decoder in place for `minutes`."""
    parameters = [*vae.decoder.parameters(), *vae.post_quant_conv.parameters()]
    optimizer = torch.optim.AdamW(parameters, LEARNING_RATE, betas=(0.9, 0.99), weight_decay=1e-3, fused=True)
    start, step = time.time(), 0
    while (spent := (time.time() - start) / 60 / minutes) < 1:
        for group in optimizer.param_groups:
            group["lr"] = LEARNING_RATE * warm_cosine(step, spent, 30) + 5e-6
        x = batch(rng, BATCH, CROP).contiguous(memory_format=torch.channels_last)
        with torch.no_grad():
            z = vae.encode(x).latent_dist.mean
        y = vae.decode(z + LATENT_NOISE * torch.randn_like(z)).sample
        loss = F.l1_loss(y, x) + F.mse_loss(y, x) + edge_loss(y, x)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        if step % 50 == 0:
            error = F.mse_loss(y, x).item()
            print(f"step {step} loss {loss.item():.4f} mse {error:.5f} {time.time() - start:.0f}s", flush=True)
        step += 1


if __name__ == "__main__":
    main()
