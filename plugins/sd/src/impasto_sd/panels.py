"""The panels `sd.text_to_image` and `sd.image_to_image`: forms over any Stable Diffusion model, and their graphs.

What differs from model to model comes from the facts that the model's record publishes; no family is named but in the
filter of what the loader can load. Building a graph is pure.
"""

from dataclasses import dataclass

from impasto_sdk.draft import DraftNode, DraftPort, GraphDraft
from impasto_sdk.panels import (
    Canvas,
    Choice,
    Image,
    Integer,
    Mask,
    Model,
    Number,
    Panel,
    PanelValues,
    Preset,
    Prompt,
    Section,
    Seed,
    Size,
    Submit,
    TokenCount,
    fact,
    same_as,
    when,
)

__all__ = ["IMAGE_TO_IMAGE", "TEXT_TO_IMAGE"]

_BASES = ("sd-1", "sd-2")
_ANCHORS = ("model", "unet", "clip", "vae", "positive", "negative", "control", "latents", "seed")
_MAX_SEED = 2**64 - 1
_MAX_COUNT = 64

_PROMPT = Section(
    id="prompt",
    title="Prompt",
    fields=[
        Prompt(
            id="prompt",
            title="Prompt",
            required=True,
            rows=4,
            syntax="weighted",
            tokens=TokenCount(model="model"),
            placeholder="What should the picture show?",
            examples=["a red star on a blue background", "a red house by a lake, evening"],
        ),
        Prompt(
            id="negative_prompt",
            title="Negative prompt",
            optional=True,
            default="",
            rows=2,
            syntax="weighted",
            visible_when=when("model").fact("supports").has("negative_prompt"),
        ),
    ],
)

_START = Section(
    id="start",
    title="Start from an image",
    fields=[
        Image(
            id="init_image",
            title="Image",
            required=True,
            accept=["image/png", "image/jpeg", "image/webp"],
            fit="resize",
        ),
        Mask(
            id="mask",
            title="Mask",
            help="White is made anew, black stays as it is. Without one, all of it may change.",
            of="init_image",
            fit="resize",
        ),
        Number(
            id="strength",
            title="Change",
            help="How much of the image is made anew: 0 nothing, 100 all of it.",
            default=0.7,
            min=0,
            max=1,
            step=0.01,
            coarse_step=0.05,
            show_as="percent",
        ),
    ],
)

_IMAGE = Section(
    id="image",
    title="Image",
    fields=[
        Model(
            id="model",
            title="Model",
            required=True,
            where={"type": "main", "base": _BASES},
            starters=["impasto-starter"],
        ),
        Size(
            id="size",
            title="Size",
            default=fact("model", "defaults.size", otherwise={"width": 512, "height": 512}),
            min=64,
            max=4096,
            multiple_of=fact("model", "size_step", otherwise=8),
            native=fact("model", "native_size", otherwise=512),
            aspects=["1:1", "3:2", "2:3", "16:9", "9:16"],
        ),
        Seed(
            id="seed",
            title="Seed",
            default={"mode": "random"},
            min=0,
            max=_MAX_SEED,
            modes=["random", "fixed", "increment"],
        ),
        Integer(id="count", title="Images", default=1, min=1, max=_MAX_COUNT, soft_max=8, width="half"),
    ],
)

_SAMPLING = Section(
    id="sampling",
    title="Sampling",
    advanced=True,
    fields=[
        Integer(
            id="steps",
            title="Steps",
            default=fact("model", "defaults.steps", otherwise=30),
            min=1,
            max=500,
            soft_max=60,
            coarse_step=5,
        ),
        Number(
            id="cfg_scale",
            title="Guidance",
            help="How closely the picture follows the prompt.",
            default=fact("model", "defaults.cfg_scale", otherwise=7.5),
            min=1,
            max=200,
            soft_max=20,
            step=0.1,
            coarse_step=0.5,
        ),
        Choice(
            id="scheduler",
            title="Sampler",
            default=fact("model", "defaults.scheduler", otherwise="dpmpp_2m"),
            options=fact("model", "schedulers", otherwise=["dpmpp_2m", "euler", "euler_a", "ddim"]),
        ),
        Integer(
            id="clip_skip",
            title="CLIP skip",
            help="Layers left out at the end of the text encoder.",
            default=0,
            min=0,
            max=fact("model", "clip_layers", otherwise=12),
            visible_when=when("model").fact("supports").has("clip_skip"),
        ),
        Model(
            id="vae",
            title="VAE",
            optional=True,
            none_label="From the model",
            where={"type": "vae", "base": same_as("model#base")},
        ),
    ],
)

_PRESETS = (
    Preset(id="quick", title="Quick draft", values={"steps": 12}),
    Preset(id="fine", title="Fine", values={"steps": 40}),
)


@dataclass(frozen=True, slots=True)
class _Ready:
    """The nodes that both panels have, before the picture's latents are made."""

    draft: GraphDraft
    vae: DraftPort
    noise: DraftNode
    denoise: DraftNode


def _common_graph(values: PanelValues) -> _Ready:
    """Model, prompts, noise and the denoise loop, with every anchor but none of what differs between the panels."""
    draft = GraphDraft()
    loader = draft.add("main_model_loader", id="model", model=values.model("model"))
    clip, vae = loader.output("clip"), loader.output("vae")
    clip_skip = values.get("clip_skip") or 0
    if clip_skip:
        clip = draft.add("clip_skip", id="clip_skip", clip=clip, skipped_layers=clip_skip).output("clip")
    own_vae = values.model_or_none("vae")
    if own_vae is not None:
        vae = draft.add("vae_loader", id="vae", vae_model=own_vae).output("vae")
    positive = draft.add("compel", id="positive", clip=clip, prompt=values.text("prompt"))
    negative = draft.add("compel", id="negative", clip=clip, prompt=values.text("negative_prompt"))
    width, height = values.size("size")
    noise = draft.add("noise", id="noise", seed=values.seed("seed"), width=width, height=height)
    denoise = draft.add(
        "denoise_latents",
        id="denoise",
        positive_conditioning=positive.output("conditioning"),
        negative_conditioning=negative.output("conditioning"),
        noise=noise.output("noise"),
        unet=loader.output("unet"),
        steps=values.integer("steps"),
        cfg_scale=values.number("cfg_scale"),
        scheduler=values.text("scheduler"),
    )
    draft.anchor("model", loader.input("model"))
    draft.anchor("unet", loader.output("unet"))
    # before clip_skip, so that what is inserted is patched into the text encoder whole
    draft.anchor("clip", loader.output("clip"))
    draft.anchor("vae", vae)
    draft.anchor("positive", positive.output("conditioning"))
    draft.anchor("negative", negative.output("conditioning"))
    draft.anchor("control", denoise.input("control"))
    draft.anchor("latents", denoise.output("latents"))
    draft.anchor("seed", noise.input("seed"))
    return _Ready(draft, vae, noise, denoise)


def _add_picture(ready: _Ready) -> None:
    # never from the cache: who asks for a picture again wants it in the gallery again
    latents = ready.denoise.output("latents")
    ready.draft.add("l2i", id="picture", latents=latents, vae=ready.vae, use_cache=False)


def _add_picture_inside(ready: _Ready, original: DraftPort, mask: DraftPort) -> None:
    """The picture with its own pixels back wherever the mask is black: a VAE changes all that goes through it."""
    draft = ready.draft
    where = draft.add("create_denoise_mask", id="where", vae=ready.vae, mask=mask, invert_mask=True)
    draft.connect(where.output("denoise_mask"), ready.denoise.input("denoise_mask"))
    made = draft.add("l2i", id="made", latents=ready.denoise.output("latents"), vae=ready.vae, is_intermediate=True)
    # of img_paste's mask, white is where the base stays
    draft.add("img_paste", id="picture", base_image=made.output("image"), image=original, mask=mask, use_cache=False)


def _text_to_image(values: PanelValues) -> GraphDraft:
    ready = _common_graph(values)
    _add_picture(ready)
    return ready.draft


def _image_to_image(values: PanelValues) -> GraphDraft:
    ready = _common_graph(values)
    draft = ready.draft
    fitted = _fitted(draft, "fitted", values, "init_image", "lanczos")
    latents = draft.add("i2l", id="start", image=fitted, vae=ready.vae)
    draft.connect(latents.output("latents"), ready.denoise.input("latents"))
    draft.set(ready.denoise, denoising_start=round(1 - values.number("strength"), 6))
    if values.image_or_none("mask") is None:
        _add_picture(ready)
    else:
        _add_picture_inside(ready, fitted, _fitted(draft, "fitted_mask", values, "mask", "bilinear"))
    return draft


def _fitted(draft: GraphDraft, node_id: str, values: PanelValues, field: str, resample_mode: str) -> DraftPort:
    """The image of `field` at the size of the picture."""
    width, height = values.size("size")
    node = draft.add(
        "img_resize",
        id=node_id,
        image=values.image(field),
        width=width,
        height=height,
        resample_mode=resample_mode,
        is_intermediate=True,
    )
    return node.output("image")


TEXT_TO_IMAGE = Panel(
    id="sd.text_to_image",
    title="Stable Diffusion",
    summary="Pictures from words, on this machine",
    values_version=1,
    category="image",
    order=10,
    makes="images",
    anchors=_ANCHORS,
    sections=[_PROMPT, _IMAGE, _SAMPLING],
    canvas=Canvas(box="size"),
    presets=_PRESETS,
    submit=Submit(title="Invoke", count="count", max_count=_MAX_COUNT),
    build_graph=_text_to_image,
)

IMAGE_TO_IMAGE = Panel(
    id="sd.image_to_image",
    title="Stable Diffusion from an image",
    summary="A picture from a picture and words, on this machine",
    values_version=1,
    category="image",
    order=11,
    makes="images",
    anchors=_ANCHORS,
    sections=[_PROMPT, _START, _IMAGE, _SAMPLING],
    canvas=Canvas(box="size", base="init_image", mask="mask", strength="strength"),
    presets=_PRESETS,
    submit=Submit(title="Invoke", count="count", max_count=_MAX_COUNT),
    build_graph=_image_to_image,
)
