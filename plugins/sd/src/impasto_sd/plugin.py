"""The hooks of impasto-sd. Importing this module, and all it registers, imports no torch."""

from collections.abc import Sequence
from pathlib import Path

from impasto_sd.identify import identify
from impasto_sd.loaders.folder import DiffusersFolderLoader
from impasto_sd.nodes import (
    CLIPSkip,
    CompelPrompt,
    CreateDenoiseMask,
    DenoiseLatents,
    ImageToLatents,
    LatentsToImage,
    MainModelLoader,
    Noise,
    VAELoader,
)
from impasto_sd.panels import IMAGE_TO_IMAGE, TEXT_TO_IMAGE
from impasto_sdk.hookspecs import hookimpl
from impasto_sdk.models import DeviceInfo, ModelFormat, ModelIdentification, ModelLoader
from impasto_sdk.node import BaseInvocation
from impasto_sdk.panels import Panel

__all__ = [
    "find_device",
    "identify_model",
    "register_invocations",
    "register_model_formats",
    "register_model_loaders",
    "register_panels",
]


@hookimpl
def register_invocations() -> Sequence[type[BaseInvocation]]:
    """Loaders, prompts, noise, masks, the denoise loop, and pictures to latents and back."""
    return [
        MainModelLoader,
        VAELoader,
        CLIPSkip,
        CompelPrompt,
        Noise,
        CreateDenoiseMask,
        DenoiseLatents,
        ImageToLatents,
        LatentsToImage,
    ]


@hookimpl
def register_model_formats() -> Sequence[ModelFormat]:
    """Folders as diffusers writes them."""
    return [
        ModelFormat(
            name="diffusers",
            title="Diffusers",
            description="A folder with one folder for each part, weights in safetensors, and model_index.json.",
        )
    ]


@hookimpl
def register_model_loaders() -> Sequence[ModelLoader]:
    """The parts of Stable Diffusion models, and VAEs by themselves."""
    return [DiffusersFolderLoader()]


@hookimpl
def register_panels() -> Sequence[Panel]:
    """Text to image, and image to image, inside a mask or all of it."""
    return [TEXT_TO_IMAGE, IMAGE_TO_IMAGE]


@hookimpl
def identify_model(path: Path) -> ModelIdentification | None:
    """Stable Diffusion models and VAEs, by their configuration files."""
    return identify(path)


@hookimpl
def find_device(requested: str, precision: str) -> DeviceInfo:
    """The device that torch finds. Called in workers only, so it may import torch."""
    from impasto_sdk.torch import choose_device

    return choose_device(requested, precision)
