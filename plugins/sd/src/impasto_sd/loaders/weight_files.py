"""Which weight files of a folder to read. Looks at names only: no torch, no weights."""

from dataclasses import dataclass
from pathlib import Path

from impasto_sdk.errors import ModelLoadError
from impasto_sdk.models import LoadRequest, Precision

__all__ = ["WeightFiles", "find_weights"]

#: How diffusers and transformers call their weights, before the variant and the ending.
_STEMS = ("diffusion_pytorch_model", "model")
_PICKLES = (".bin", ".pt", ".pth", ".ckpt")


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
