"""Judge pictures against their prompts: how often object colour, background colour and place are right.

Example: ``python judge.py ../src/impasto_starter/model --sheet sheet.png``
"""

import argparse
import random
import re

import numpy as np
import torch
from diffusers import StableDiffusionPipeline
from PIL import Image
from scenes import BACKGROUNDS, COLORS, SHAPES

PLACES = ["", "", " on the left", " on the right", " at the top", " at the bottom"]


def main():
    """Parse the arguments, ask for the pictures and print how many are right."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", help="folder of the pipeline")
    parser.add_argument("--count", type=int, default=48)
    parser.add_argument("--guidance", type=float, default=5.0)
    parser.add_argument("--steps", type=int, default=25)
    parser.add_argument("--sheet", help="write the pictures as one sheet to this file")
    arguments = parser.parse_args()
    wanted = prompts(arguments.count)
    images = generate(arguments.model, wanted, arguments.guidance, arguments.steps)
    verdicts = [judge(prompt, image) for prompt, image in zip(wanted, images, strict=True)]
    for what in verdicts[0]:
        print(f"{what}: {sum(verdict[what] for verdict in verdicts)} of {len(verdicts)}")
    if arguments.sheet:
        tile(images).save(arguments.sheet)


def prompts(n):
    """The same `n` prompts each time, for one shape each."""
    rng = random.Random(5)
    wanted = []
    for _ in range(n):
        background = rng.choice(BACKGROUNDS)
        color = rng.choice([c for c in COLORS if c != background])
        place = rng.choice(PLACES)
        wanted.append(f"a {color} {rng.choice(SHAPES)}{place} on a {background} background")
    return wanted


def generate(model, wanted, guidance, steps):
    """One seeded picture of 128 × 128 for each prompt."""
    pipeline = StableDiffusionPipeline.from_pretrained(model, safety_checker=None, torch_dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    images = []
    for i in range(0, len(wanted), 8):
        images += pipeline(
            wanted[i : i + 8],
            height=128,
            width=128,
            num_inference_steps=steps,
            guidance_scale=guidance,
            generator=torch.Generator().manual_seed(i),
        ).images
    return images


def judge(prompt, image):
    """What is right about a picture."""
    back, front, x, y = look(image)
    side = {"left": x < 0.42, "right": x > 0.58, "top": y < 0.42, "bottom": y > 0.58}
    named = re.search(r"on the (left|right)|at the (top|bottom)", prompt)
    return {
        "object colour": nearest(front, COLORS) == re.match(r"a (\w+)", prompt)[1],
        "background colour": nearest(back, BACKGROUNDS) == re.search(r"on a (\w+) background", prompt)[1],
        "place": side[named[1] or named[2]] if named else not any(side.values()),
    }


def look(image):
    """(background RGB, object RGB, object centre x and y in 0..1) of a picture of one object on a plain background."""
    pixels = np.asarray(image.convert("RGB").resize((64, 64), Image.BOX)).astype(float)
    rim = np.concatenate([part.reshape(-1, 3) for part in (pixels[:4], pixels[-4:], pixels[:, :4], pixels[:, -4:])])
    back = np.median(rim, 0)
    away = np.abs(pixels - back).sum(2)
    mask = away > max(60, 0.5 * away.max())
    y, x = np.nonzero(mask)
    return back, np.median(pixels[mask], 0), x.mean() / 63, y.mean() / 63


def nearest(rgb, names):
    """The colour name, of `names`, whose RGB lies nearest."""
    return min(names, key=lambda name: sum((a - b) ** 2 for a, b in zip(COLORS[name], rgb, strict=True)))


def tile(images):
    """The pictures in rows of eight."""
    sheet = Image.new("RGB", (8 * 128, (len(images) + 7) // 8 * 128))
    for i, image in enumerate(images):
        sheet.paste(image, (i % 8 * 128, i // 8 * 128))
    return sheet


if __name__ == "__main__":
    main()
