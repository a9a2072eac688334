"""What a folder is, from its configuration files alone."""

import json
import shutil
from pathlib import Path

import pytest

from impasto_sd.identify import identify
from impasto_sd.schedulers import SCHEDULERS


def make_folder(folder: Path, *, pipeline: str = "StableDiffusionPipeline", **unet: object) -> Path:
    """Configurations of a model, without any weights."""
    files = {
        "model_index.json": {"_class_name": pipeline},
        "unet/config.json": {"cross_attention_dim": 768, "sample_size": 64, "in_channels": 4, **unet},
        "vae/config.json": {"block_out_channels": [1, 2, 3, 4], "scaling_factor": 0.18215},
        "text_encoder/config.json": {"num_hidden_layers": 12},
        "scheduler/scheduler_config.json": {"_class_name": "PNDMScheduler", "prediction_type": "epsilon"},
    }
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(json.dumps(content))
    return folder


def test_the_starter_model_is_known_by_its_pipeline_though_no_published_size_fits(starter_folder: Path) -> None:
    found = identify(starter_folder)
    assert (found.base, found.type, found.format, found.variant) == ("sd-1", "main", "diffusers", "normal")
    assert found.confidence == 1
    assert found.prediction_type == "epsilon"
    facts = found.facts
    assert {"negative_prompt", "clip_skip"} <= set(facts["supports"])
    assert (facts["size_step"], facts["native_size"], facts["clip_layers"]) == (8, 128, 3)
    assert facts["defaults"] == {
        "steps": 25,
        "cfg_scale": 5,
        "scheduler": "ddim",
        "size": {"width": 128, "height": 128},
    }
    assert [option["value"] for option in facts["schedulers"]] == list(SCHEDULERS)
    assert len(facts["latent_rgb"]) == 5


@pytest.mark.parametrize(
    ("width", "pipeline", "base"),
    [
        (768, "StableDiffusionPipeline", "sd-1"),
        (1024, "StableDiffusionPipeline", "sd-2"),
        (2048, "StableDiffusionXLPipeline", "sdxl"),
        (96, "StableDiffusionXLPipeline", "sdxl"),
        (96, "StableDiffusionPipeline", "sd-1"),
    ],
)
def test_the_width_of_the_text_says_which_generation(tmp_path: Path, width: int, pipeline: str, base: str) -> None:
    assert identify(make_folder(tmp_path, pipeline=pipeline, cross_attention_dim=width)).base == base


def test_a_model_of_which_nothing_is_said_gets_its_defaults_from_its_configuration(tmp_path: Path) -> None:
    found = identify(make_folder(tmp_path, sample_size=96))
    assert found.facts["defaults"] == {
        "steps": 30,
        "cfg_scale": 7.5,
        "scheduler": "pndm",
        "size": {"width": 768, "height": 768},
    }
    assert found.default_settings["width"] == 768


def test_nine_channels_make_an_inpainting_model(tmp_path: Path) -> None:
    assert identify(make_folder(tmp_path, in_channels=9)).variant == "inpaint"


def test_a_vae_by_itself_is_known(starter_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "my vae"
    shutil.copytree(starter_folder / "vae", folder)
    found = identify(folder)
    assert (found.base, found.type, found.name, found.facts["size_step"]) == ("sd-1", "vae", "my vae", 8)


@pytest.mark.parametrize("content", [None, {"_class_name": "FluxPipeline"}, {}])
def test_what_is_not_ours_is_left_to_others(tmp_path: Path, content: dict[str, str] | None) -> None:
    if content is not None:
        (tmp_path / "model_index.json").write_text(json.dumps(content))
    assert identify(tmp_path) is None
    assert identify(tmp_path / "not there") is None


def test_a_missing_configuration_is_named(tmp_path: Path) -> None:
    folder = make_folder(tmp_path)
    (folder / "vae" / "config.json").unlink()
    with pytest.raises(FileNotFoundError, match="vae"):
        identify(folder)
