"""Loading from diffusers folders: what is there, whole, quietly, and never from a pickle."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from impasto_sd.loaders.folder import DiffusersFolderLoader
from impasto_sd.schedulers import SchedulerConfig
from impasto_sdk.errors import ModelLoadError
from impasto_sdk.models import LoadedModel, LoadRequest, ModelLoader, ModelRecord, Precision

LOADER = DiffusersFolderLoader()
WEIGHTS = "diffusion_pytorch_model.safetensors"


@pytest.fixture
def folder(starter_folder: Path, tmp_path: Path) -> Path:
    """A copy of the starter's VAE alone, to spoil."""
    shutil.copytree(starter_folder / "vae", tmp_path / "vae")
    return tmp_path / "vae"


@pytest.fixture
def load(starter_record: ModelRecord) -> Callable[..., LoadedModel]:
    def load(folder: Path, precision: Precision = Precision.FLOAT32) -> LoadedModel:
        record = starter_record.model_copy(update={"type": "vae"})
        return LOADER.load(LoadRequest(record=record, submodel=None, path=folder, device="cpu", precision=precision))

    return load


def test_it_is_a_loader_for_the_parts_of_stable_diffusion(starter_record: ModelRecord) -> None:
    assert isinstance(LOADER, ModelLoader)
    assert LOADER.accepts(starter_record, "unet")
    assert not LOADER.accepts(starter_record, None)
    assert not LOADER.accepts(starter_record, "transformer")
    assert not LOADER.accepts(starter_record.model_copy(update={"format": "checkpoint"}), "unet")
    assert not LOADER.accepts(starter_record.model_copy(update={"base": "flux"}), "vae")
    assert LOADER.accepts(starter_record.model_copy(update={"type": "vae"}), None)


@pytest.mark.parametrize("part", ["unet", "vae", "text_encoder"])
def test_a_part_is_what_its_file_holds(starter_folder: Path, starter_record: ModelRecord, part: str) -> None:
    request = LoadRequest(
        record=starter_record, submodel=part, path=starter_folder, device="cpu", precision=Precision.FLOAT32
    )
    loaded = LOADER.load(request)
    (file,) = (starter_folder / part).glob("*.safetensors")
    stored = load_file(file)
    held = dict(loaded.model.state_dict())
    assert loaded.size_bytes >= 4 * sum(tensor.nelement() for tensor in stored.values())
    assert not loaded.model.training
    name, tensor = next((name, tensor) for name, tensor in held.items() if name in stored)
    assert torch.equal(tensor, stored[name].float())


def test_half_precision_stays_half(folder: Path, load: Callable[..., LoadedModel]) -> None:
    full, half = load(folder), load(folder, Precision.FLOAT16)
    assert half.model.dtype == torch.float16
    assert half.size_bytes * 2 == full.size_bytes


def test_the_scheduler_is_its_configuration(starter_folder: Path, starter_record: ModelRecord) -> None:
    request = LoadRequest(
        record=starter_record, submodel="scheduler", path=starter_folder, device="cpu", precision=Precision.FLOAT32
    )
    config = LOADER.load(request).model
    assert isinstance(config, SchedulerConfig)
    assert config.values["_class_name"] == "DDIMScheduler"


def test_loading_writes_nothing(
    folder: Path, load: Callable[..., LoadedModel], capfd: pytest.CaptureFixture[str]
) -> None:
    load(folder)
    captured = capfd.readouterr()
    assert captured.out + captured.err == ""


def test_a_variant_alone_is_found(folder: Path, load: Callable[..., LoadedModel]) -> None:
    (folder / WEIGHTS).rename(folder / "diffusion_pytorch_model.fp16.safetensors")
    assert load(folder).size_bytes > 0


def test_full_precision_prefers_the_plain_file(folder: Path, load: Callable[..., LoadedModel]) -> None:
    (folder / "diffusion_pytorch_model.fp16.safetensors").write_bytes(b"not read")
    assert load(folder).size_bytes > 0
    with pytest.raises(ModelLoadError):
        load(folder, Precision.FLOAT16)


def test_a_pickle_is_refused_by_name(folder: Path, load: Callable[..., LoadedModel]) -> None:
    (folder / WEIGHTS).rename(folder / "diffusion_pytorch_model.bin")
    with pytest.raises(ModelLoadError, match=r"only diffusion_pytorch_model\.bin, which may run code") as caught:
        load(folder)
    assert caught.value.submodel == "vae"


def test_a_missing_tensor_is_refused_not_made_up(folder: Path, load: Callable[..., LoadedModel]) -> None:
    tensors = load_file(folder / WEIGHTS)
    removed = tensors.pop("decoder.conv_in.weight")
    save_file(tensors, folder / WEIGHTS, metadata={"format": "pt"})
    assert removed.nelement()
    with pytest.raises(ModelLoadError, match=r"1 missing, first decoder\.conv_in\.weight"):
        load(folder)


def test_a_tensor_of_another_shape_is_refused(folder: Path, load: Callable[..., LoadedModel]) -> None:
    tensors = load_file(folder / WEIGHTS)
    tensors["decoder.conv_in.weight"] = torch.zeros(1, 1, 1, 1)
    save_file(tensors, folder / WEIGHTS, metadata={"format": "pt"})
    with pytest.raises(ModelLoadError, match=r"decoder\.conv_in\.weight"):
        load(folder)


def test_a_damaged_file_is_named(folder: Path, load: Callable[..., LoadedModel]) -> None:
    (folder / WEIGHTS).write_bytes(b"\x10" * 100)
    with pytest.raises(ModelLoadError, match="cannot be read") as caught:
        load(folder)
    assert caught.value.key == "starter"


def test_a_missing_folder_is_named(tmp_path: Path, load: Callable[..., LoadedModel]) -> None:
    with pytest.raises(ModelLoadError, match="is missing"):
        load(tmp_path / "nowhere")
