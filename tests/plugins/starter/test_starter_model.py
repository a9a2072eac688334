"""The starter model: it is offered, it is whole, it holds no code, and it is described by the words it learned."""

import importlib.util
import json
import random
import subprocess
import sys
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

from impasto_starter import vocabulary
from impasto_starter.plugin import MODEL_FOLDER, register_starter_models

PLUGIN = Path(__file__).parents[3] / "plugins" / "starter"

#: What seed 0 draws must stay: the tokenizer and the figures in the README come from these scenes.
CAPTIONS_OF_SEED_0 = [
    "a red diamond on a pink background",
    "a black square to the left of a brown heart on a gray background",
    "a large brown cross on a yellow background",
    "a green ring on the right on a white background",
]


@pytest.fixture(scope="module")
def scenes() -> ModuleType:
    """The module that draws what the model learned from."""
    spec = importlib.util.spec_from_file_location("starter_scenes", PLUGIN / "training" / "scenes.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_one_model_is_offered_for_the_first_start():
    (starter,) = register_starter_models()
    assert starter.id == "impasto-starter"
    assert (starter.base, starter.type, starter.format) == ("sd-1", "main", "diffusers")
    assert starter.install_at_first_start
    assert Path(starter.source) == MODEL_FOLDER


def test_every_part_that_the_pipeline_names_is_there():
    index = json.loads((MODEL_FOLDER / "model_index.json").read_text())
    parts = {name for name, value in index.items() if isinstance(value, list) and value[0] is not None}
    assert parts == {"scheduler", "text_encoder", "tokenizer", "unet", "vae"}
    assert parts == {path.name for path in MODEL_FOLDER.iterdir() if path.is_dir()}
    for part in ("text_encoder", "unet", "vae"):
        (weights,) = (MODEL_FOLDER / part).glob("*.safetensors")
        assert weights.stat().st_size > 1_000_000, f"{weights} is not the weights but a pointer to them"


def test_weights_are_safetensors_and_nothing_there_can_hold_code():
    endings = {path.suffix for path in MODEL_FOLDER.rglob("*") if path.is_file()}
    assert endings == {".safetensors", ".json", ".txt"}


@pytest.mark.parametrize("path", sorted(MODEL_FOLDER.rglob("*.safetensors")), ids=lambda path: path.parent.name)
def test_weights_are_float16_by_their_own_header(path: Path):
    with path.open("rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    tensors = {name: entry["dtype"] for name, entry in header.items() if name != "__metadata__"}
    # position ids, where a version writes them, are integers
    assert {dtype for name, dtype in tensors.items() if "position_ids" not in name} == {"F16"}


def test_the_vocabulary_is_what_the_training_scenes_draw(scenes: ModuleType):
    assert tuple(scenes.COLORS) == vocabulary.COLOURS
    assert tuple(scenes.SHAPES) == vocabulary.SHAPES
    assert tuple(scenes.BACKGROUNDS) == vocabulary.BACKGROUNDS
    assert tuple(name for name in scenes.SIZES if name) == vocabulary.SIZES
    assert tuple(name for name in scenes.PLACES if name) == vocabulary.PLACES
    assert tuple(scenes.RELATIONS) == vocabulary.RELATIONS


def test_the_tokenizer_knows_every_word_as_one_token():
    tokens = json.loads((MODEL_FOLDER / "tokenizer" / "vocab.json").read_text())
    phrases = [value for name in vocabulary.__all__ for value in getattr(vocabulary, name)]
    words = {word for phrase in phrases for word in phrase.split()}
    assert {word for word in words if f"{word}</w>" not in tokens} == set()


def test_the_description_and_the_readme_list_the_words_it_knows():
    (starter,) = register_starter_models()
    readme = (PLUGIN / "README.md").read_text("utf-8")
    for words in (vocabulary.SHAPES, vocabulary.COLOURS, vocabulary.BACKGROUNDS):
        assert ", ".join(words) in starter.description
        assert ", ".join(words) in readme
    for words in (vocabulary.SIZES, vocabulary.PLACES, vocabulary.RELATIONS):
        assert ", ".join(words) in readme


def test_the_training_scenes_are_the_ones_the_model_learned_from(scenes: ModuleType):
    rng = random.Random(0)
    captions = [scenes.scene(rng, 16)[2] for _ in range(4)]
    assert captions == CAPTIONS_OF_SEED_0


def test_the_wheel_carries_the_whole_model(tmp_path: Path):
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=PLUGIN, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    packed = {info.filename: info.file_size for info in zipfile.ZipFile(wheel).infolist()}
    for path in MODEL_FOLDER.rglob("*"):
        if path.is_file():
            name = f"impasto_starter/model/{path.relative_to(MODEL_FOLDER).as_posix()}"
            assert packed.get(name) == path.stat().st_size
