"""`DiffusersFolderLoader`: the parts of a Stable Diffusion model that lies in a diffusers folder.

Cheap to construct and free of torch: it decides what is asked for and which files those are; `loaders.weights`, which
it imports when it loads, reads them. Called by the worker's model cache.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from impasto_sd.schedulers import SchedulerConfig
from impasto_sdk.errors import ModelLoadError
from impasto_sdk.models import LoadedModel, LoadRequest, ModelRecord, Precision

__all__ = ["DiffusersFolderLoader", "WeightFiles", "find_weights"]

#: Bases whose parts have the same layout.
BASES = frozenset({"sd-1", "sd-2"})
#: Parts of a main model, each a folder of its name.
PARTS = frozenset({"unet", "vae", "text_encoder", "tokenizer", "scheduler"})

#: How diffusers and transformers call their weights, before the variant and the ending.
_STEMS = ("diffusion_pytorch_model", "model")
_PICKLES = (".bin", ".pt", ".pth", ".ckpt")


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


@dataclass(frozen=True, slots=True)
class WeightFiles:
    """Which weights of a folder to read."""

    #: The part of the file's name that diffusers calls variant, e.g. ``fp16``; None for the plain files.
    variant: str | None


def find_weights(request: LoadRequest, part: str, folder: Path) -> WeightFiles:
    """The safetensors files of a folder that suit the precision asked for.

    Half precision takes the fp16 variant when there is one, single precision the plain files; either takes what there
    is. Raises `ModelLoadError` when there is none, and says so when there are only pickles.
    """
    names = {path.name for path in folder.iterdir()}
    variants = {variant for stem in _STEMS for variant in _variants(names, stem)}
    if not variants:
        pickles = sorted(name for name in names if name.endswith(_PICKLES))
        problem = f"no safetensors file lies in {folder}"
        if pickles:
            problem += f", only {', '.join(pickles)}, which may run code when read; convert it to safetensors"
        raise ModelLoadError(request.record.key, part, problem)
    preferred = (None, "fp16") if request.precision is Precision.FLOAT32 else ("fp16", None)
    return WeightFiles(next((variant for variant in preferred if variant in variants), min(variants, key=str)))


def _variants(names: set[str], stem: str) -> set[str | None]:
    """The variants in which weights called `stem` are there, in one file or in several with an index."""
    found: set[str | None] = set()
    for name in names:
        if not name.startswith(f"{stem}."):
            continue
        middle = name.removeprefix(f"{stem}.").removesuffix(".index.json")
        words = [word for word in middle.split(".") if word]
        if "safetensors" in words and len(words) <= 2 and "index" not in words:
            others = [word for word in words if word != "safetensors"]
            found.add(others[0] if others else None)
    return found


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
