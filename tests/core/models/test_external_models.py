"""Models of external services come and go with their key, follow their plugin, and keep what a person changed."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from support.easel import Easel
from support.event_logs import open_log

from impasto.errors import ExternalModelError, ModelRegistryError
from impasto.models.registry import ModelRegistry
from impasto.storage.database import Database
from impasto.storage.model_records import ModelRecords
from impasto_sdk.errors import ModelNotFoundError
from impasto_sdk.events import Event, ModelInstallCompleteEvent
from impasto_sdk.models import ModelIdentification, ModelRecord
from impasto_sdk.providers import external_record

OILS = "easel.oils-1"


class Weights:
    """What the plugins say of weights, and can be made to say otherwise."""

    def __init__(self) -> None:
        self.known: ModelIdentification | None = ModelIdentification(
            confidence=1, base="sd-1", type="main", format="diffusers", facts={"native_size": 512}
        )

    def __call__(self, path: Path) -> ModelIdentification | None:
        return self.known


@pytest.fixture
def weights() -> Weights:
    return Weights()


@pytest.fixture
def told() -> list[Event]:
    return []


@pytest.fixture
def registry(tmp_path: Path, weights: Weights, told: list[Event]) -> Iterator[ModelRegistry]:
    with Database(tmp_path / "impasto.db") as database:
        registry = ModelRegistry(ModelRecords(database, open_log(database, told=told)), weights)
        yield registry
        registry.close()


def record(model_id: str = "oils-1", name: str = "Oils", **changes: object) -> ModelRecord:
    [oils] = Easel.models()
    made = external_record(Easel, replace(oils, id=model_id, name=name))
    return made.model_copy(update=changes)


def keys(registry: ModelRegistry) -> list[str]:
    return [found.key for found in registry.search()]


def test_the_models_of_a_service_are_those_that_it_has_now(registry: ModelRegistry, told: list[Event]) -> None:
    registry.keep_in_step("easel", [record("oils-1"), record("oils-2")])
    registry.keep_in_step("easel", [record("oils-2"), record("oils-3")])
    assert keys(registry) == ["easel.oils-2", "easel.oils-3"]
    registry.keep_in_step("easel", [])
    assert keys(registry) == []
    assert [event.name for event in told] == [
        *("model_install_complete",) * 3, "model_deleted", "model_deleted", "model_deleted",
    ]  # fmt: skip


def test_who_hears_of_one_hears_where_it_is_from(registry: ModelRegistry, told: list[Event]) -> None:
    registry.keep_in_step("easel", [record()])
    [event] = told
    assert isinstance(event, ModelInstallCompleteEvent)
    assert event.source == {"type": "external", "provider_id": "easel", "provider_model_id": "oils-1"}
    assert event.config["source_type"] == "external"
    assert event.config["hash"] == "external://easel/oils-1"


def test_nothing_is_told_when_nothing_has_changed(registry: ModelRegistry, told: list[Event]) -> None:
    registry.keep_in_step("easel", [record()])
    told.clear()
    registry.keep_in_step("easel", [record()])
    registry.keep_in_step("other", [])
    assert told == []


def test_facts_follow_the_plugin_and_what_a_person_changed_stays(registry: ModelRegistry, told: list[Event]) -> None:
    registry.keep_in_step("easel", [record()])
    registry.update(OILS, {"name": "My oils", "default_settings": {"width": 64}})
    told.clear()
    newer = record(facts={**record().facts, "max_images_per_request": 4}, description="Newer words")
    registry.keep_in_step("easel", [newer])
    found = registry.get(OILS)
    assert (found.name, found.default_settings) == ("My oils", {"width": 64})
    assert found.facts["max_images_per_request"] == 4
    assert [event.name for event in told] == ["model_updated"]


def test_one_that_a_person_deleted_comes_back_with_the_next_key_and_not_before(registry: ModelRegistry) -> None:
    both = [record("oils-1"), record("oils-2")]
    registry.keep_in_step("easel", both)
    registry.delete("easel.oils-2")
    registry.keep_in_step("easel", both)
    assert keys(registry) == [OILS]
    registry.keep_in_step("easel", [])
    registry.keep_in_step("easel", both)
    assert keys(registry) == [OILS, "easel.oils-2"]


def test_one_that_a_service_dropped_and_has_again_comes_back(registry: ModelRegistry) -> None:
    both = [record("oils-1"), record("oils-2")]
    for offered in (both, both[:1], both):
        registry.keep_in_step("easel", offered)
    assert keys(registry) == [OILS, "easel.oils-2"]


def test_one_whose_plugin_names_it_otherwise_takes_its_own_place(registry: ModelRegistry, told: list[Event]) -> None:
    registry.keep_in_step("easel", [record()])
    registry.keep_in_step("easel", [record(key="easel.renamed")])
    assert keys(registry) == ["easel.renamed"]


def test_the_models_of_other_services_and_weights_are_left_alone(registry: ModelRegistry, tmp_path: Path) -> None:
    path = tmp_path / "weights"
    path.write_bytes(b"weights")
    registry.register(path, key="weights")
    other = record(key="ea-el.oils", path="external://ea_el/oils", source="external://ea_el/oils")
    registry.keep_in_step("ea_el", [other])
    registry.keep_in_step("easel", [record()])
    registry.keep_in_step("ea_el", [])  # in a pattern, its underscore would stand for any letter
    assert keys(registry) == [OILS, "weights"]


def test_a_key_that_another_model_has_is_left_to_it(
    registry: ModelRegistry, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "weights"
    path.write_bytes(b"weights")
    registry.register(path, key=OILS)
    registry.keep_in_step("easel", [record("oils-1"), record("oils-2")])
    assert registry.get(OILS).path == str(path)
    assert keys(registry) == ["easel.oils-2", OILS]
    assert f"another model has the key {OILS!r}" in caplog.text


@pytest.mark.parametrize("field", ["base", "type", "format", "source", "source_type", "facts"])
def test_what_is_its_plugins_to_say_cannot_be_changed(registry: ModelRegistry, field: str) -> None:
    registry.keep_in_step("easel", [record()])
    with pytest.raises(ExternalModelError, match=f"{field} cannot be changed"):
        registry.update(OILS, {field: {} if field == "facts" else "other"})
    assert registry.get(OILS) == record()


def test_it_can_be_deleted_and_no_file_goes_with_it(
    registry: ModelRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # a path of this name would lie in the folder in which the server runs
    monkeypatch.chdir(tmp_path)
    there = tmp_path / "external:" / "easel" / "oils-1"
    there.parent.mkdir(parents=True)
    there.write_text("mine")
    registry.keep_in_step("easel", [record()])
    registry.delete(OILS)
    assert there.read_text() == "mine"


def test_it_cannot_be_identified_anew_or_hashed(registry: ModelRegistry) -> None:
    registry.keep_in_step("easel", [record()])
    with pytest.raises(ExternalModelError, match="has no weights that could be looked at"):
        registry.reidentify(OILS)
    registry.resume_hashing()
    registry._hashing.shutdown()
    assert registry.get(OILS).hash == "external://easel/oils-1"


def test_weights_are_looked_at_anew_and_what_a_person_said_stays(
    registry: ModelRegistry, weights: Weights, tmp_path: Path
) -> None:
    path = tmp_path / "weights"
    path.write_bytes(b"old")
    registry.register(path, "First name", key="w")
    registry.update("w", {"name": "My name", "trigger_phrases": ["pixel"], "base": "a wrong guess"})
    path.write_bytes(b"newer")
    weights.known = ModelIdentification(
        confidence=1, base="sdxl", type="lora", format="file", variant="v", facts={"native_size": 1024}
    )
    found = registry.reidentify("w")
    assert (found.base, found.type, found.format, found.variant) == ("sdxl", "lora", "file", "v")
    assert (found.facts, found.file_size) == ({"native_size": 1024}, 5)
    assert (found.key, found.name, found.trigger_phrases) == ("w", "My name", ["pixel"])
    assert found.hash.startswith("pending:")
    registry._hashing.shutdown()
    assert registry.get("w").hash.startswith("sha256:")


def test_weights_that_nobody_knows_any_more_keep_their_record(
    registry: ModelRegistry, weights: Weights, tmp_path: Path
) -> None:
    path = tmp_path / "weights"
    path.write_bytes(b"weights")
    registry.register(path, key="w")
    registry._hashing.shutdown()
    before, weights.known = registry.get("w"), None
    with pytest.raises(ModelRegistryError, match="no installed plugin knows"):
        registry.reidentify("w")
    path.unlink()
    with pytest.raises(ModelRegistryError, match="no such file"):
        registry.reidentify("w")
    assert registry.get("w") == before
    with pytest.raises(ModelNotFoundError):
        registry.reidentify("gone")
