"""Train the starter model's text encoder and UNet together, in the latent space of a VAE.

Writes a whole diffusers `StableDiffusionPipeline` folder: tokenizer, text_encoder, unet, vae, scheduler.

Example: ``python train_diffusion.py out/vae out/model --minutes 60``
"""

import argparse
import copy
import json
import random
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL, DDIMScheduler, DDPMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from scenes import STYLES, scene
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers
from train_vae import to_tensor, warm_cosine
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

LEARNING_RATE = 7e-4
#: Tokens of a prompt, begin and end included.
LENGTH = 32
#: Width of the text encoder and of the UNet's cross-attention.
WIDTH = 128
#: How often a caption is replaced by the empty one, which classifier-free guidance needs.
DROPPED = 0.1
#: Share of outlines among the scenes: the words are known, the style is left for a LoRA to teach.
OUTLINES = 0.04
NOISE = {"num_train_timesteps": 1000, "beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}


def main():
    """Parse the arguments, train and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("vae", help="folder of the VAE")
    parser.add_argument("out", help="folder to write the pipeline to")
    parser.add_argument("--scenes", type=int, default=24000)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--steps", type=int, default=30000)
    parser.add_argument("--minutes", type=float, default=60, help="stop after this long, whatever the step")
    arguments = parser.parse_args()
    torch.manual_seed(0)
    vae = AutoencoderKL.from_pretrained(arguments.vae).eval().requires_grad_(False)
    tokenizer = new_tokenizer(Path(arguments.out) / "tokenizer", random.Random(7))
    text, unet = new_text_encoder(tokenizer), new_unet()
    sizes = {name: sum(p.numel() for p in model.parameters()) / 1e6 for name, model in (("text", text), ("unet", unet))}
    print("vocabulary", len(tokenizer), "millions of parameters", sizes)
    start = time.time()
    latents, captions = encode_scenes(vae, arguments.scenes, 11)
    print(f"{len(captions)} scenes in {time.time() - start:.0f}s; latent std {latents.std():.3f}", flush=True)
    save = Saver(vae, tokenizer, arguments.out)
    train(text, unet, latents, tokens_of(tokenizer, captions), tokens_of(tokenizer, [""])[0], save, arguments)


def new_tokenizer(folder, rng):
    """A CLIP byte-pair tokenizer whose merges were learned on the captions; written to `folder`."""
    captions = [scene(rng, 16, style)[2] for style in STYLES for _ in range(3000)]
    learner = Tokenizer(models.BPE(continuing_subword_prefix="", end_of_word_suffix="</w>"))
    learner.normalizer = normalizers.Lowercase()
    learner.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(
        vocab_size=1000, end_of_word_suffix="</w>", initial_alphabet=alphabet, show_progress=False
    )
    learner.train_from_iterator(captions, trainer)
    learned = json.loads(learner.to_str())["model"]
    by_rank = sorted(learned["vocab"], key=learned["vocab"].get)
    words = list(dict.fromkeys([*alphabet, *(letter + "</w>" for letter in alphabet), *by_rank]))
    words += ["<|startoftext|>", "<|endoftext|>"]
    merges = [merge if isinstance(merge, str) else " ".join(merge) for merge in learned["merges"]]
    folder.mkdir(parents=True, exist_ok=True)
    ranks = {word: i for i, word in enumerate(words)}
    (folder / "vocab.json").write_text(json.dumps(ranks, ensure_ascii=False), "utf-8")
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n", "utf-8")
    return CLIPTokenizer(str(folder / "vocab.json"), str(folder / "merges.txt"), model_max_length=LENGTH)


def tokens_of(tokenizer, captions):
    """Token ids, n × LENGTH."""
    return tokenizer(captions, padding="max_length", max_length=LENGTH, truncation=True, return_tensors="pt").input_ids


def new_text_encoder(tokenizer):
    """An untrained CLIP text encoder of 3 layers."""
    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(tokenizer),
            hidden_size=WIDTH,
            intermediate_size=384,
            num_hidden_layers=3,
            num_attention_heads=4,
            max_position_embeddings=LENGTH,
            projection_dim=WIDTH,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
            hidden_act="quick_gelu",
        )
    )


def new_unet():
    """An untrained UNet for latents of 16 × 16."""
    return UNet2DConditionModel(
        sample_size=16,
        in_channels=4,
        out_channels=4,
        layers_per_block=1,
        block_out_channels=(64, 128, 160),
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=WIDTH,
        attention_head_dim=32,
        norm_num_groups=16,
    ).to(memory_format=torch.channels_last)


@torch.no_grad()
def encode_scenes(vae, n, seed):
    """At least `n` random scenes as scaled latents, and their captions."""
    rng, latents, captions = random.Random(seed), [], []
    for _ in range(0, n, 64):
        pictures = []
        for _ in range(64):
            image, _, caption = scene(rng, 128, "outline" if rng.random() < OUTLINES else "shaded")
            pictures.append(np.asarray(image))
            captions.append(caption)
        x = to_tensor(pictures).contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            latents.append(vae.encode(x).latent_dist.mean.float())
    return torch.cat(latents) * vae.config.scaling_factor, captions


def train(text, unet, latents, ids, empty, save, arguments):
    """Train both in place and hand moving averages of them to `save`, every ten minutes and at the end."""
    noise_scheduler = DDPMScheduler(**NOISE)
    parameters = [*unet.parameters(), *text.parameters()]
    optimizer = torch.optim.AdamW(parameters, LEARNING_RATE, betas=(0.9, 0.99), weight_decay=1e-2, fused=True)
    mean_unet, mean_text = copy.deepcopy(unet), copy.deepcopy(text)
    means = [*mean_unet.parameters(), *mean_text.parameters()]
    start, saved, average = time.time(), 0.0, 0.0
    for step in range(arguments.steps):
        minutes = (time.time() - start) / 60
        spent = max(step / arguments.steps, minutes / arguments.minutes)
        if spent >= 1:
            break
        for group in optimizer.param_groups:
            group["lr"] = LEARNING_RATE * warm_cosine(step, spent, 200) + 1e-5
        pick = torch.randint(0, len(ids), (arguments.batch,))
        tokens = ids[pick].clone()
        tokens[torch.rand(arguments.batch) < DROPPED] = empty
        loss = noise_loss(text, unet, noise_scheduler, latents[pick], tokens)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        with torch.no_grad():
            torch._foreach_lerp_(means, parameters, 1 - min(0.9995, (1 + step) / (20 + step)))
        average = loss.item() if step == 0 else 0.98 * average + 0.02 * loss.item()
        if step % 100 == 0:
            print(f"step {step} loss {average:.4f} {minutes:.1f} min", flush=True)
        if minutes - saved > 10:
            saved = minutes
            save(mean_text, mean_unet)
    save(mean_text, mean_unet)
    print(f"done after {(time.time() - start) / 60:.1f} min")


def noise_loss(text, unet, noise_scheduler, x, tokens):
    """Error of the predicted noise at random timesteps, weighted by the signal-to-noise ratio (at most 5)."""
    t = torch.randint(0, noise_scheduler.config.num_train_timesteps, (len(x),))
    noise = torch.randn_like(x)
    noisy = noise_scheduler.add_noise(x, noise, t).contiguous(memory_format=torch.channels_last)
    predicted = unet(noisy, t, text(tokens).last_hidden_state).sample
    alphas = noise_scheduler.alphas_cumprod[t]
    snr = alphas / (1 - alphas)
    weight = snr.clamp(max=5.0) / snr
    return (weight * F.mse_loss(predicted.float(), noise, reduction="none").mean((1, 2, 3))).mean()


class Saver:
    """Writes the pipeline's folder."""

    def __init__(self, vae, tokenizer, out):
        self.vae = vae
        self.tokenizer = tokenizer
        self.out = out

    def __call__(self, text, unet):
        """Write copies of both, with the VAE, the tokenizer and a DDIM scheduler, in float16."""
        pipeline = StableDiffusionPipeline(
            vae=copy.deepcopy(self.vae),
            text_encoder=copy.deepcopy(text).eval(),
            tokenizer=self.tokenizer,
            unet=copy.deepcopy(unet).to(memory_format=torch.contiguous_format).eval(),
            scheduler=DDIMScheduler(**NOISE, clip_sample=False, steps_offset=1, set_alpha_to_one=False),
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
        )
        pipeline.to(torch.float16).save_pretrained(self.out, safe_serialization=True)


if __name__ == "__main__":
    main()
