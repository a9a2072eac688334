"""The facts that a model's record publishes, so that panels and nodes never ask for a family. Pure.

Read from the configurations in the model's folder; `impasto.json` beside them, when its maker wrote one, says what
they cannot: ``{"defaults": {"steps": 25, "cfg_scale": 5}, "latent_rgb": [[…], …]}``.
"""

from collections.abc import Mapping

from impasto_sd.schedulers import SCHEDULERS, name_of_class
from impasto_sdk.fields import JsonValue

__all__ = ["main_facts", "vae_facts", "vae_scale_factor"]

Config = Mapping[str, JsonValue]

#: What these models can do, as panels ask for it.
_SUPPORTS = ["negative_prompt", "clip_skip", "image_to_image", "control", "lora"]
#: Steps and guidance that suit models of which nothing is known.
_STEPS, _CFG_SCALE = 30, 7.5
#: Pixels of a square picture, over latent pixels, when the UNet's configuration says nothing.
_SAMPLE_SIZE = 64

#: Rows of red, green, blue (each -1 to 1), one for each latent channel and one for the offset; for latent spaces that
#: the scaling factor of their VAE tells apart. The numbers for Stable Diffusion 1 are a published linear fit.
_LATENT_RGB: Mapping[float, list[list[float]]] = {
    0.18215: [
        [0.298, 0.207, 0.208],
        [0.187, 0.286, 0.173],
        [-0.158, 0.189, 0.264],
        [-0.184, -0.271, -0.473],
        [0.0, 0.0, 0.0],
    ],
}


def vae_scale_factor(vae: Config) -> int:
    """Pixels of the picture for one latent pixel, along either side: 8 for a VAE of four stages."""
    stages = vae.get("block_out_channels")
    return 2 ** (len(stages) - 1) if isinstance(stages, list | tuple) and stages else 8


def vae_facts(vae: Config) -> dict[str, JsonValue]:
    """Facts of a VAE that lies by itself."""
    return {"size_step": vae_scale_factor(vae), **_latent_space(vae, {})}


def main_facts(
    *, unet: Config, vae: Config, scheduler: Config, text_encoder: Config, recommended: Config
) -> dict[str, JsonValue]:
    """Facts of a main model.

    `supports`, `size_step` (both sides are multiples of it; the UNet itself takes any latent size), `native_size`,
    `clip_layers`, `schedulers`, `defaults` and, where the latent space is known, `latent_rgb`.
    """
    scale = vae_scale_factor(vae)
    width, height = (side * scale for side in _sample_size(unet))
    said = recommended.get("defaults", {})
    own_scheduler = name_of_class(
        scheduler.get("_class_name"), karras=scheduler.get("use_karras_sigmas", False) is True
    )
    return {
        "supports": list(_SUPPORTS),
        "size_step": scale,
        "native_size": max(width, height),
        "clip_layers": text_encoder.get("num_hidden_layers", 12),
        "schedulers": [{"value": name, "label": choice.title} for name, choice in SCHEDULERS.items()],
        "defaults": {
            "steps": said.get("steps", _STEPS),
            "cfg_scale": said.get("cfg_scale", _CFG_SCALE),
            "size": said.get("size", {"width": width, "height": height}),
            "scheduler": said.get("scheduler", own_scheduler or "dpmpp_2m"),
        },
        **_latent_space(vae, recommended),
    }


def _sample_size(unet: Config) -> tuple[int, int]:
    """Width and height in latent pixels that the UNet was trained on."""
    size = unet.get("sample_size") or _SAMPLE_SIZE
    if isinstance(size, list):
        height, width = size
        return int(width), int(height)
    return int(size), int(size)


def _latent_space(vae: Config, recommended: Config) -> dict[str, JsonValue]:
    factors = recommended.get("latent_rgb") or _LATENT_RGB.get(vae.get("scaling_factor", 0.18215))
    return {} if factors is None else {"latent_rgb": factors}
