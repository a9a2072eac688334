"""Reads weights with diffusers and transformers. Imports both, so only `loaders.folder` imports it, when it loads.

What is read must be what the configuration says: a missing, left-over or misshapen tensor is an error, never a random
layer. Quiet: no progress bars and no advice on standard error.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from safetensors import SafetensorError
from transformers import CLIPTextModel, CLIPTokenizer

from impasto_sd.loaders.weight_files import WeightFiles
from impasto_sd.quiet import quiet_libraries
from impasto_sdk.errors import ModelLoadError
from impasto_sdk.models import LoadRequest
from impasto_sdk.torch import TorchModel, torch_dtype

__all__ = ["load_part", "load_tokenizer"]

ResultT = TypeVar("ResultT")

_CLASSES: Mapping[str, type] = {"unet": UNet2DConditionModel, "vae": AutoencoderKL, "text_encoder": CLIPTextModel}
#: Left over in files of older versions, and worked out anew by the present ones.
_HARMLESS_LEFTOVERS = ("position_ids",)


def load_part(request: LoadRequest, part: str, folder: Path, files: WeightFiles) -> TorchModel:
    """The weights of one part. Raises `ModelLoadError`, saying what is wrong with which folder."""
    module, info = _reading(
        request,
        part,
        folder,
        lambda: _CLASSES[part].from_pretrained(  # type: ignore[attr-defined]
            folder,
            variant=files.variant,
            use_safetensors=True,
            local_files_only=True,
            torch_dtype=torch_dtype(request.precision),
            output_loading_info=True,
        ),
    )
    wrong = {
        "missing": list(info["missing_keys"]),
        "not known": [name for name in info["unexpected_keys"] if not name.endswith(_HARMLESS_LEFTOVERS)],
        "of the wrong shape": [str(name) for name in info["mismatched_keys"]],
    }
    found = [f"{len(names)} {what}, first {names[0]}" for what, names in wrong.items() if names]
    if found:
        raise ModelLoadError(
            request.record.key, part, f"the weights in {folder} do not fit its config.json: {'; '.join(found)}"
        )
    return TorchModel(module)


def load_tokenizer(request: LoadRequest, folder: Path) -> CLIPTokenizer:
    """The tokenizer. Raises `ModelLoadError`."""
    return _reading(request, "tokenizer", folder, lambda: CLIPTokenizer.from_pretrained(folder, local_files_only=True))


def _reading(request: LoadRequest, part: str, folder: Path, read: Callable[[], ResultT]) -> ResultT:
    try:
        with quiet_libraries(), torch.device("cpu"):
            return read()
    except (OSError, ValueError, KeyError, RuntimeError, TypeError, SafetensorError) as error:
        reason = " ".join(str(error).split())
        raise ModelLoadError(request.record.key, part, f"{folder} cannot be read: {reason}") from error
