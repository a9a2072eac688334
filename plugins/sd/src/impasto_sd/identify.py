"""What a folder of weights is, read from its configuration files alone. No torch, no weights.

`identify` answers the `identify_model` hook for Stable Diffusion models and VAEs that lie in diffusers folders. What
they are is decided by the class of pipeline that the folder names; how they are built only says which of its
generations, so a small model of the same architecture counts as `sd-1`.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from impasto_sd.facts import main_facts, vae_facts
from impasto_sdk.fields import JsonValue
from impasto_sdk.models import ModelIdentification

__all__ = ["identify"]

#: Pipelines whose weights our nodes run, and the variant each stands for.
_PIPELINES = {
    "StableDiffusionPipeline": "normal",
    "StableDiffusionImg2ImgPipeline": "normal",
    "StableDiffusionInpaintPipeline": "inpaint",
    "StableDiffusionXLPipeline": "normal",
    "StableDiffusionXLImg2ImgPipeline": "normal",
    "StableDiffusionXLInpaintPipeline": "inpaint",
}
#: Width of the text embeddings that each published generation was built for.
_BASES = {768: "sd-1", 1024: "sd-2", 2048: "sdxl", 1280: "sdxl-refiner"}
#: Scaling factor of SDXL's VAE, which no other of these has.
_SDXL_VAE_SCALING = 0.13025
_SUBMODELS = ("unet", "vae", "text_encoder", "tokenizer", "scheduler")


def identify(path: Path) -> ModelIdentification | None:
    """What lies at `path`, or None when it is nothing that this plugin knows.

    Raises `ValueError` or `OSError` for a folder that says it is one of ours but whose files cannot be read.
    """
    index = _json(path / "model_index.json")
    if index is not None and index.get("_class_name") in _PIPELINES:
        return _main_model(path, str(index["_class_name"]))
    config = _json(path / "config.json")
    if config is not None and config.get("_class_name") == "AutoencoderKL":
        return ModelIdentification(
            confidence=0.9,
            base="sdxl" if config.get("scaling_factor") == _SDXL_VAE_SCALING else "sd-1",
            type="vae",
            format="diffusers",
            name=path.name,
            facts=vae_facts(config),
        )
    return None


def _main_model(path: Path, pipeline: str) -> ModelIdentification:
    unet = _required(path / "unet" / "config.json")
    vae = _required(path / "vae" / "config.json")
    scheduler = _required(path / "scheduler" / "scheduler_config.json")
    text_encoder = _json(path / "text_encoder" / "config.json") or {}
    recommended = _json(path / "impasto.json") or {}
    facts = main_facts(unet=unet, vae=vae, scheduler=scheduler, text_encoder=text_encoder, recommended=recommended)
    defaults = facts["defaults"]
    return ModelIdentification(
        confidence=1.0,
        base=_base(pipeline, unet),
        type="main",
        format="diffusers",
        name=path.name,
        variant="inpaint" if unet.get("in_channels") == 9 else _PIPELINES[pipeline],
        prediction_type=scheduler.get("prediction_type", "epsilon"),
        default_settings={
            "steps": defaults["steps"],
            "cfg_scale": defaults["cfg_scale"],
            "scheduler": defaults["scheduler"],
            **defaults["size"],
        },
        submodels={part: {"path_or_prefix": part} for part in _SUBMODELS if (path / part).is_dir()},
        facts=facts,
    )


def _base(pipeline: str, unet: Mapping[str, JsonValue]) -> str:
    width = unet.get("cross_attention_dim")
    published = _BASES.get(width) if isinstance(width, int) else None
    if published is not None:
        return published
    return "sdxl" if "XL" in pipeline else "sd-1"


def _required(path: Path) -> Mapping[str, JsonValue]:
    found = _json(path)
    if found is None:
        raise FileNotFoundError(f"model_index.json names a part whose configuration {path} is missing")
    return found


def _json(path: Path) -> dict[str, JsonValue] | None:
    """The object in a JSON file; None when there is no such file."""
    if not path.is_file():
        return None
    found = json.loads(path.read_text("utf-8"))
    if not isinstance(found, dict):
        raise ValueError(f"{path} holds a JSON {type(found).__name__}; an object was expected")
    return found
