"""The starter model, loaded once by our own loader, and contexts that hold it."""

import importlib.resources
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from impasto_sd.identify import identify
from impasto_sd.loaders.folder import DiffusersFolderLoader
from impasto_sd.nodes import CompelPrompt, MainModelLoader, Noise
from impasto_sd.nodes.main_model_loader import ModelLoaderOutput
from impasto_sdk.fields import ConditioningField, LatentsField
from impasto_sdk.models import LoadRequest, ModelRecord, Precision
from impasto_sdk.testing import FakeContext, run_node


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    """Several pytest workers share the cores; and one thread adds up in one order."""
    import torch

    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def starter_folder() -> Path:
    return Path(str(importlib.resources.files("impasto_starter") / "model"))


@pytest.fixture(scope="session")
def starter_record(starter_folder: Path) -> ModelRecord:
    found = identify(starter_folder)
    return ModelRecord(
        key="starter",
        hash="blake3:0",
        path=str(starter_folder),
        name="Starter",
        base=found.base,
        type=found.type,
        format=found.format,
        facts=dict(found.facts),
    )


@pytest.fixture(scope="session")
def starter_parts(starter_folder: Path, starter_record: ModelRecord) -> Mapping[str, object]:
    loader = DiffusersFolderLoader()
    return {
        part: loader.load(
            LoadRequest(
                record=starter_record, submodel=part, path=starter_folder, device="cpu", precision=Precision.FLOAT32
            )
        ).model
        for part in ("unet", "vae", "text_encoder", "tokenizer", "scheduler")
    }


@pytest.fixture
def context(starter_record: ModelRecord, starter_parts: Mapping[str, object]) -> FakeContext:
    fake = FakeContext()
    fake.models.add(starter_record, parts=starter_parts)
    return fake


@pytest.fixture
def parts(context: FakeContext, starter_record: ModelRecord) -> ModelLoaderOutput:
    """What `main_model_loader` gives for the starter model."""
    return run_node(MainModelLoader(model=starter_record.identifier()), context)


@pytest.fixture
def encode(context: FakeContext, parts: ModelLoaderOutput) -> Callable[[str], ConditioningField]:
    return lambda prompt: run_node(CompelPrompt(prompt=prompt, clip=parts.clip), context).conditioning


@pytest.fixture
def make_noise(context: FakeContext) -> Callable[..., LatentsField]:
    def make(seed: int = 7, width: int = 128, height: int = 128) -> LatentsField:
        return run_node(Noise(seed=seed, width=width, height=height), context).noise

    return make
