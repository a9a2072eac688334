"""`DiffusersFolderLoader`: the parts of a Stable Diffusion model that lies in a diffusers folder.

Cheap to construct and free of torch: it decides what is asked for and which files those are; `loaders.weights`, which
it imports when it loads, reads them. Called by the worker's model cache.
"""

import json
from pathlib import Path

from impasto_sd.loaders.weight_files import find_weights
from impasto_sd.schedulers import SchedulerConfig
from impasto_sdk.errors import ModelLoadError
from impasto_sdk.models import LoadedModel, LoadRequest, ModelRecord

__all__ = ["DiffusersFolderLoader"]

#: Bases whose parts have the same layout.
BASES = frozenset({"sd-1", "sd-2"})
#: Parts of a main model, each a folder of its name.
PARTS = frozenset({"unet", "vae", "text_encoder", "tokenizer", "scheduler"})


class DiffusersFolderLoader:
    """Loads from folders as diffusers writes them; safetensors only, local files only."""

    name = "sd.diffusers"

    def accepts(self, record: ModelRecord, submodel: str | None) -> bool:
        """A part of a main model, or a VAE that lies by itself."""
        if record.format != "diffusers" or record.base not in BASES:
            return False
        if record.type == "main":
            return submodel in PARTS
        return record.type == "vae" and submodel in (None, "vae")

    def load(self, request: LoadRequest) -> LoadedModel:
        """Load one part, on the CPU, in the precision asked for.

        Raises `ModelLoadError` when a file is missing, is a pickle, or does not hold what its configuration says.
        """
        part = request.submodel or request.record.type
        folder = request.path / part if request.record.type == "main" else request.path
        if not folder.is_dir():
            raise ModelLoadError(request.record.key, part, f"the folder {folder} is missing")
        if part == "scheduler":
            return _plain(_scheduler_config(request, folder))
        from impasto_sd.loaders import weights

        if part == "tokenizer":
            return _plain(weights.load_tokenizer(request, folder))
        return weights.load_part(request, part, folder, find_weights(request, part, folder))


def _plain(value: object) -> LoadedModel:
    from impasto_sdk.torch import PlainModel

    return PlainModel(value)


def _scheduler_config(request: LoadRequest, folder: Path) -> SchedulerConfig:
    path = folder / "scheduler_config.json"
    try:
        values = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ModelLoadError(request.record.key, "scheduler", f"{path} cannot be read: {error}") from error
    return SchedulerConfig(values)
