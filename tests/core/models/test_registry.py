"""Models are registered where they lie, known by their path, and hashed in the background."""

import hashlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.event_logs import open_log

from impasto.errors import CreationGoneError, IdempotencyKeyError, ModelRegistryError
from impasto.models.hashing import hash_model
from impasto.models.registry import ModelRegistry
from impasto.storage.database import Database
from impasto.storage.model_records import ModelRecords
from impasto_sdk.errors import ModelNotFoundError
from impasto_sdk.models import ModelIdentification, StarterModel

FACTS = {"native_size": 512, "defaults": {"steps": 30}}


class Identifier:
    """Knows weights by their ending; counts how often it is asked."""

    def __init__(self) -> None:
        self.asked: list[Path] = []

    def __call__(self, path: Path) -> ModelIdentification | None:
        self.asked.append(path)
        if path.suffix not in {".safetensors", ""}:
            return None
        kind = "main" if path.is_dir() else "lora"
        return ModelIdentification(
            confidence=1.0, base="sd-1", type=kind, format="diffusers", description="A model", facts=FACTS
        )


@pytest.fixture
def identify() -> Identifier:
    return Identifier()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with Database(tmp_path / "impasto.db") as database:
        yield database


@pytest.fixture
def registry(database: Database, identify: Identifier, tmp_path: Path) -> Iterator[ModelRegistry]:
    registry = ModelRegistry(ModelRecords(database, open_log(database)), identify, models_folder=tmp_path / "models")
    yield registry
    registry.close()


@pytest.fixture
def lora(tmp_path: Path) -> Path:
    path = tmp_path / "elsewhere" / "pixel.art.safetensors"
    path.parent.mkdir()
    path.write_bytes(b"weights" * 1000)
    return path


@pytest.fixture
def pipeline(tmp_path: Path) -> Path:
    folder = tmp_path / "elsewhere too" / "dream"
    for part in ("unet", "vae"):
        (folder / part).mkdir(parents=True)
        (folder / part / "model.safetensors").write_bytes(part.encode() * 100)
    return folder


def starter(source: Path | str) -> StarterModel:
    return StarterModel(
        id="toy-starter", name="Toy", description="For tests", source=str(source), base="toy", type="main", format="toy"
    )


def test_a_file_is_registered_where_it_lies(registry: ModelRegistry, lora: Path) -> None:
    record = registry.register(lora)
    assert registry.get(record.key).model_dump(exclude={"hash"}) == {
        "key": record.key, "path": str(lora), "file_size": 7000, "name": "pixel.art", "description": "A model",
        "source": str(lora), "source_type": "path", "base": "sd-1", "type": "lora", "format": "diffusers",
        "variant": None, "prediction_type": None, "default_settings": None, "trigger_phrases": None,
        "cover_image": None, "submodels": None, "facts": FACTS,
    }  # fmt: skip
    assert lora.read_bytes() == b"weights" * 1000


def test_the_hash_is_a_placeholder_first_and_the_real_one_soon(registry: ModelRegistry, lora: Path) -> None:
    record = registry.register(lora)
    assert record.hash.startswith("pending:")
    registry._hashing.shutdown()  # when the hashing at hand has come to its end
    assert registry.get(record.key).hash == f"sha256:{hashlib.sha256(b'weights' * 1000).hexdigest()}"


def test_a_folder_is_hashed_by_its_files_and_their_names(pipeline: Path) -> None:
    first = hash_model(pipeline)
    (pipeline / ".cache").mkdir()
    (pipeline / ".cache" / "download").write_text("not part of the model")
    assert hash_model(pipeline) == first
    (pipeline / "unet" / "model.safetensors").rename(pipeline / "unet" / "other.safetensors")
    renamed = hash_model(pipeline)
    (pipeline / "vae" / "model.safetensors").write_bytes(b"changed")
    assert len({first, renamed, hash_model(pipeline)}) == 3


def test_hashing_goes_on_at_the_next_start(database: Database, identify: Identifier, lora: Path) -> None:
    stopped = ModelRegistry(ModelRecords(database, open_log(database)), identify)
    record = stopped.register(lora)
    stopped.close()
    database.write(lambda connection: connection.exec_driver_sql("UPDATE models SET hash = 'pending:still'"))
    started = ModelRegistry(ModelRecords(database, open_log(database)), identify)
    started.resume_hashing()
    started._hashing.shutdown()
    assert started.get(record.key).hash == f"sha256:{hashlib.sha256(b'weights' * 1000).hexdigest()}"


def test_closing_does_not_wait_for_a_large_hash(database: Database, identify: Identifier, lora: Path) -> None:
    os.truncate(lora, 64 * 2**30)  # holes but for its beginning: it takes no room, and minutes to hash
    registry = ModelRegistry(ModelRecords(database, open_log(database)), identify)
    record = registry.register(lora)
    registry.close()
    assert registry.get(record.key).hash == record.hash


def test_weights_that_vanish_keep_their_placeholder(
    registry: ModelRegistry, lora: Path, caplog: pytest.LogCaptureFixture
) -> None:
    go = threading.Event()
    registry._hashing.submit(go.wait, 30)
    record = registry.register(lora)
    lora.unlink()
    go.set()
    registry._hashing.shutdown()
    assert registry.get(record.key).hash == record.hash
    assert f"model {record.key} cannot be hashed" in caplog.text


def test_what_is_registered_twice_is_one_model(registry: ModelRegistry, identify: Identifier, lora: Path) -> None:
    first = registry.register(lora, name="Mine")
    again = registry.register(Path(os.path.relpath(lora)), name="Other")
    assert (again.key, again.name) == (first.key, "Mine")
    assert identify.asked == [lora]


def test_what_is_registered_by_many_at_once_is_one_model(registry: ModelRegistry, lora: Path) -> None:
    keys: list[str] = []
    threads = [threading.Thread(target=lambda: keys.append(registry.register(lora).key)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(keys) == 8
    assert len(set(keys)) == len(registry.search()) == 1


def test_what_no_plugin_knows_is_refused(registry: ModelRegistry, tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("no weights")
    with pytest.raises(ModelRegistryError, match="no installed plugin knows what this is") as caught:
        registry.register(path)
    assert caught.value.source == str(path)
    with pytest.raises(ModelRegistryError, match="no such file or folder"):
        registry.register(tmp_path / "nothing")
    assert registry.search() == []


def test_models_are_searched_by_all_that_is_given(registry: ModelRegistry, lora: Path, pipeline: Path) -> None:
    registry.register(pipeline, name="Zebra")
    registry.register(lora, name="Ape")
    assert [record.name for record in registry.search()] == ["Ape", "Zebra"]
    assert [record.name for record in registry.search(type="main", base="sd-1")] == ["Zebra"]
    assert [record.name for record in registry.search(name="Ape")] == ["Ape"]
    assert registry.search(type="main", name="Ape") == []


def test_an_unknown_key_is_named(registry: ModelRegistry) -> None:
    assert not registry.exists("nothing")
    for ask in (registry.get, registry.delete, lambda key: registry.update(key, {"name": "new"})):
        with pytest.raises(ModelNotFoundError, match="'nothing'") as caught:
            ask("nothing")
        assert caught.value.name == "nothing"


def test_a_person_may_change_what_describes_a_model(registry: ModelRegistry, lora: Path) -> None:
    key = registry.register(lora).key
    changes = {"name": "Pixel", "trigger_phrases": ["pixel art"], "default_settings": {"weight": 0.7}, "base": "sdxl"}
    changed = registry.update(key, changes)
    assert registry.get(key).model_dump(include=set(changes)) == changes
    assert changed.facts == FACTS
    assert [record.key for record in registry.search(base="sdxl", name="Pixel")] == [key]


@pytest.mark.parametrize("changes", [{"path": "/etc"}, {"key": "k", "name": "n"}, {"hash": ""}, {"name": None}])
def test_facts_of_the_weights_cannot_be_changed(
    registry: ModelRegistry, lora: Path, changes: dict[str, object]
) -> None:
    record = registry.register(lora)
    with pytest.raises(ModelRegistryError, match=f"{next(iter(changes))}") as caught:
        registry.update(record.key, changes)
    assert caught.value.source == record.key
    assert registry.get(record.key).name == record.name


def test_a_model_outside_the_models_folder_is_only_forgotten(
    registry: ModelRegistry, lora: Path, pipeline: Path
) -> None:
    for path in (lora, pipeline):
        key = registry.register(path).key
        registry.delete(key)
        assert not registry.exists(key)
        assert path.exists()


def test_a_model_in_the_models_folder_goes_with_its_record(
    registry: ModelRegistry, pipeline: Path, lora: Path, tmp_path: Path
) -> None:
    (tmp_path / "models").mkdir()
    folder, file = tmp_path / "models" / "dream", tmp_path / "models" / "pixel.safetensors"
    pipeline.rename(folder)
    lora.rename(file)
    registry.delete(registry.register(folder).key)
    registry.delete(registry.register(file).key)
    assert list((tmp_path / "models").iterdir()) == []


def test_what_a_link_in_the_models_folder_leads_to_stays(
    registry: ModelRegistry, pipeline: Path, tmp_path: Path
) -> None:
    (tmp_path / "models").mkdir()
    link = tmp_path / "models" / "linked"
    link.symlink_to(pipeline)
    registry.delete(registry.register(link).key)
    assert not link.is_symlink()
    assert (pipeline / "unet" / "model.safetensors").exists()


def test_the_models_folder_itself_is_never_removed(registry: ModelRegistry, tmp_path: Path) -> None:
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(b"weights")
    registry.delete(registry.register(folder).key)
    assert (folder / "model.safetensors").exists()


def test_a_starter_model_has_its_own_key_and_the_facts_that_a_plugin_finds(
    registry: ModelRegistry, pipeline: Path
) -> None:
    record = registry.register_starter(starter(pipeline))
    assert (record.key, record.name, record.description, record.base) == ("toy-starter", "Toy", "For tests", "sd-1")
    assert record.facts == FACTS
    assert registry.register_starter(starter(pipeline)).key == "toy-starter"
    assert len(registry.search()) == 1


def test_a_starter_model_that_no_plugin_knows_is_what_it_says_it_is(registry: ModelRegistry, tmp_path: Path) -> None:
    path = tmp_path / "weights.toy"
    path.write_bytes(b"weights")
    record = registry.register_starter(starter(path))
    assert (record.base, record.type, record.format) == ("toy", "main", "toy")


def test_a_starter_model_is_followed_when_its_plugin_moves(
    registry: ModelRegistry, pipeline: Path, tmp_path: Path
) -> None:
    registry.register_starter(starter(pipeline))
    registry.update("toy-starter", {"name": "Renamed"})
    moved = pipeline.rename(tmp_path / "moved")
    record = registry.register_starter(starter(moved))
    assert (record.key, record.path, record.name) == ("toy-starter", str(moved), "Renamed")


def test_a_starter_model_that_is_not_here_is_refused(registry: ModelRegistry) -> None:
    with pytest.raises(ModelRegistryError, match="starter models are not fetched"):
        registry.register_starter(starter("https://example.org/model"))


def test_a_starter_model_that_a_person_deleted_is_not_offered_again(registry: ModelRegistry, pipeline: Path) -> None:
    assert registry.offer_starter(starter(pipeline)) is not None
    assert registry.offer_starter(starter(pipeline)) is not None
    registry.delete("toy-starter")
    assert registry.offer_starter(starter(pipeline)) is None
    assert registry.search() == []


def test_a_starter_model_that_could_not_be_registered_is_offered_again(registry: ModelRegistry, pipeline: Path) -> None:
    with pytest.raises(ModelRegistryError):
        registry.offer_starter(starter(pipeline / "elsewhere"))
    assert registry.offer_starter(starter(pipeline)) is not None


def test_every_change_of_a_record_is_told_in_its_transaction(
    database: Database, identify: Identifier, lora: Path
) -> None:
    log = open_log(database)
    registry = ModelRegistry(ModelRecords(database, log), identify)
    record = registry.register(lora)
    registry.register(lora)  # it is there: nothing is told
    registry._hashing.shutdown()
    registry.update(record.key, {"description": "mine"})
    registry.delete(record.key)
    with pytest.raises(ModelNotFoundError):
        registry.delete(record.key)

    events = [one.event for one in log.read(0, 100).events]
    assert [event.name for event in events] == [
        "model_install_complete",
        "model_updated",  # its hash is known
        "model_updated",
        "model_deleted",
    ]
    documents = [event.to_document() for event in events]
    assert documents[0]["source"] == {"type": "local", "path": str(lora), "inplace": True}
    assert (documents[0]["id"], documents[0]["total_bytes"]) == (0, lora.stat().st_size)
    assert documents[0]["config"]["hash"] == record.hash
    assert documents[1]["config"]["hash"].startswith("sha256:")
    assert documents[2]["config"]["description"] == "mine"
    assert {document["key"] for document in documents} == {record.key}


def test_a_repeated_registration_asks_nobody_and_needs_no_weights(
    registry: ModelRegistry, identify: Identifier, lora: Path
) -> None:
    first = registry.register_once(lora, idempotency_key="k")
    lora.unlink()

    again = registry.register_once(lora, idempotency_key="k")

    assert (first.repeated, again.repeated) == (False, True)
    assert again.thing.key == first.thing.key
    assert len(identify.asked) == 1


def test_a_key_is_used_up_by_weights_that_were_registered_before(registry: ModelRegistry, lora: Path) -> None:
    record = registry.register(lora)

    assert registry.register_once(lora, "Mine", idempotency_key="k").thing.key == record.key
    with pytest.raises(IdempotencyKeyError, match="'k' was used for another model"):
        registry.register_once(lora, "Other", idempotency_key="k")
    registry.delete(record.key)
    with pytest.raises(CreationGoneError, match=f"the model {record.key!r}"):
        registry.register_once(lora, "Mine", idempotency_key="k")
