"""Captioned scenes for training and judging the starter model.

A scene is one or two shaded shapes on a softly graded background, drawn with Pillow at twice its size and reduced, so
that edges are smooth. Its caption says exactly what it shows. Run as a program, it draws a sheet of examples.

Example: ``python scenes.py scenes.png``
"""

import argparse
import math
import random

from PIL import Image, ImageChops, ImageDraw, ImageFilter

COLORS = {
    "red": (220, 40, 40),
    "orange": (245, 140, 30),
    "yellow": (245, 215, 50),
    "green": (50, 165, 70),
    "cyan": (60, 200, 215),
    "blue": (45, 85, 215),
    "purple": (135, 60, 185),
    "pink": (245, 140, 185),
    "brown": (125, 80, 45),
    "black": (25, 25, 28),
    "gray": (135, 138, 142),
    "white": (245, 245, 245),
}
BACKGROUNDS = ["white", "black", "gray", "yellow", "blue", "green", "pink", "cyan"]
SHAPES = ["circle", "square", "triangle", "star", "heart", "ring", "diamond", "cross", "hexagon", "moon"]
#: Radius of a single shape, as a part of the picture's side.
SIZES = {"small": 0.17, "": 0.26, "large": 0.36}
#: Centre of a single shape, as parts of the picture's sides; None: the middle.
PLACES = {
    "": None,
    "on the left": (0.3, 0.5),
    "on the right": (0.7, 0.5),
    "at the top": (0.5, 0.3),
    "at the bottom": (0.5, 0.7),
}
#: Centres of two shapes, by the words between them.
RELATIONS = {
    "and": ((0.28, 0.5), (0.72, 0.5)),
    "to the left of": ((0.28, 0.5), (0.72, 0.5)),
    "to the right of": ((0.72, 0.5), (0.28, 0.5)),
    "above": ((0.5, 0.27), (0.5, 0.73)),
    "below": ((0.5, 0.73), (0.5, 0.27)),
}
STYLES = ["shaded", "outline"]

#: How far a centre strays from where the caption says it lies.
JITTER = 0.03
#: A plus sign, as parts of its radius.
CROSS = [(-0.34, -1), (0.34, -1), (0.34, -0.34), (1, -0.34), (1, 0.34), (0.34, 0.34)]
CROSS += [(-x, -y) for x, y in CROSS]


def scene(rng, pixels=128, style="shaded"):
    """One random scene of `pixels` × `pixels`: (RGB image, L edge map, caption)."""
    background = rng.choice(BACKGROUNDS)
    colors = [c for c in COLORS if c != background]
    objects, caption = (_two_shapes if rng.random() < 0.35 else _one_shape)(rng, colors)
    if rng.random() < 0.92:
        caption += f" on {_article(background)} {background} background"
    image, edges = render(objects, background, pixels, rng, style)
    return image, edges, f"outline drawing of {caption}" if style == "outline" else caption


def _one_shape(rng, colors):
    shape, color = rng.choice(SHAPES), rng.choice(colors)
    size = rng.choices(list(SIZES), (1, 3, 1))[0]
    place = rng.choices(list(PLACES), (6, 1, 1, 1, 1))[0]
    radius = SIZES[size] * rng.uniform(0.92, 1.08)
    cx, cy = _near(rng, PLACES[place] or (0.5, 0.5))
    if place and size == "large":  # keep it inside the picture
        cx, cy = 0.5 + (cx - 0.5) * 0.6, 0.5 + (cy - 0.5) * 0.6
    words = " ".join(word for word in (size, color, shape, place) if word)
    return [(shape, color, cx, cy, radius)], f"{_article(words)} {words}"


def _two_shapes(rng, colors):
    first = (rng.choice(SHAPES), rng.choice(colors))
    second = (rng.choice(SHAPES), rng.choice(colors))
    radii = rng.uniform(0.16, 0.21), rng.uniform(0.16, 0.21)
    relation = rng.choice(list(RELATIONS))
    centres = [_near(rng, centre) for centre in RELATIONS[relation]]
    objects = [(*what, *centre, radius) for what, centre, radius in zip((first, second), centres, radii, strict=True)]
    named = [f"{_article(color)} {color} {shape}" for shape, color in (first, second)]
    return objects, f"{named[0]} {relation} {named[1]}"


def _near(rng, centre):
    return [part + rng.uniform(-JITTER, JITTER) for part in centre]


def _article(word):
    return "an" if word[0] in "aeio" else "a"


def render(objects, background, pixels, rng, style="shaded"):
    """Draw objects [(shape, color, cx, cy, r in 0..1)] on a background color name: (RGB image, L edge map)."""
    size = pixels * 2
    image = _graded(size, COLORS[background], rng, 0.06)
    edges = Image.new("L", (size, size), 0)
    for shape, color, cx, cy, r in objects:
        mask = shape_mask(shape, size, cx * size, cy * size, r * size)
        image = _outlined(image, mask, color) if style == "outline" else _shaded(image, mask, color, rng)
        edges = ImageChops.lighter(edges, _rim(mask, 5, 3))
    return image.resize((pixels, pixels), Image.LANCZOS), edges.resize((pixels, pixels), Image.LANCZOS)


def _outlined(image, mask, color):
    wide = max(3, image.width // 42) | 1
    image.paste(Image.new("RGB", image.size, COLORS[color]), (0, 0), _rim(mask, wide, wide))
    return image


def _shaded(image, mask, color, rng):
    size = image.width
    shadow = Image.new("L", mask.size, 0)
    shadow.paste(mask, (size // 50, size // 40))
    shadow = shadow.filter(ImageFilter.GaussianBlur(size // 40))
    dark = Image.eval(image, lambda value: int(value * 0.55))
    image = Image.composite(dark, image, Image.eval(shadow, lambda value: int(value * 0.6)))
    image.paste(_graded(size, COLORS[color], rng, 0.14), (0, 0), mask)
    return image


def _rim(mask, outside, inside):
    return ImageChops.subtract(mask.filter(ImageFilter.MaxFilter(outside)), mask.filter(ImageFilter.MinFilter(inside)))


def _graded(size, color, rng, depth):
    low = tuple(max(0, int(c * (1 - depth))) for c in color)
    high = tuple(min(255, int(c + (255 - c) * depth)) for c in color)
    ramp = Image.linear_gradient("L").resize((size, size))
    if rng.random() < 0.5:
        ramp = ramp.rotate(90)
    return Image.composite(Image.new("RGB", (size, size), low), Image.new("RGB", (size, size), high), ramp)


def shape_mask(name, size, cx, cy, r):
    """The shape's coverage as an L image of `size` × `size`; cx, cy and r are in pixels."""
    mask = Image.new("L", (size, size), 0)
    draw = ImageDraw.Draw(mask)
    if name not in ("circle", "ring", "moon"):
        draw.polygon([(cx + r * x, cy + r * y) for x, y in _corners(name)], fill=255)
        return mask
    draw.ellipse((cx - r, cy - r, cx + r, cy + r), fill=255)
    if name == "ring":
        draw.ellipse((cx - 0.55 * r, cy - 0.55 * r, cx + 0.55 * r, cy + 0.55 * r), fill=0)
    elif name == "moon":
        draw.ellipse((cx - 0.35 * r, cy - 1.0 * r, cx + 1.35 * r, cy + 0.8 * r), fill=0)
    return mask


def _corners(name):
    up = -math.pi / 2
    if name == "square":
        return _regular(4, math.pi / 4)
    if name == "diamond":
        return [(0, -1), (0.68, 0), (0, 1), (-0.68, 0)]
    if name == "triangle":
        return _regular(3, up)
    if name == "hexagon":
        return _regular(6, 0)
    if name == "star":
        return _regular(10, up, (1.05, 0.45))
    if name == "cross":
        return CROSS
    if name == "heart":
        return [_on_heart(2 * math.pi * i / 60) for i in range(60)]
    raise ValueError(f"no shape named {name!r}; one of {', '.join(SHAPES)}")


def _regular(corners, phase, radii=(1.0,)):
    turns = [phase + 2 * math.pi * i / corners for i in range(corners)]
    return [
        (radii[i % len(radii)] * math.cos(turn), radii[i % len(radii)] * math.sin(turn)) for i, turn in enumerate(turns)
    ]


def _on_heart(t):
    x = 16 * math.sin(t) ** 3
    y = 13 * math.cos(t) - 5 * math.cos(2 * t) - 2 * math.cos(3 * t) - math.cos(4 * t)
    return 0.062 * x, -0.062 * y


def main():
    """Draw 32 scenes on one sheet, every seventh as its edge map and every eighth as an outline."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("out", help="picture to write")
    arguments = parser.parse_args()
    rng = random.Random(0)
    sheet = Image.new("RGB", (128 * 8, 128 * 4))
    for i in range(32):
        image, edges, caption = scene(rng, style="outline" if i % 8 == 7 else "shaded")
        sheet.paste(edges.convert("RGB") if i % 8 == 6 else image, ((i % 8) * 128, (i // 8) * 128))
        print(caption)
    sheet.save(arguments.out)


if __name__ == "__main__":
    main()
