"""`Impasto`: its parts start together, stop together, and leave nothing behind."""

from pathlib import Path

import pytest

from impasto.app import Impasto
from impasto.errors import SettingsError, StorageError
from impasto.queue.records import Batch
from impasto.settings import Settings
from impasto_sdk.errors import TensorNotFoundError

GRAPH = {"nodes": {"a": {"type": "integer", "value": 1}}, "edges": []}


def build(root: Path) -> Impasto:
    return Impasto.build(Settings.load(root=root))


def test_building_touches_no_file(tmp_path: Path) -> None:
    root = tmp_path / "root"
    build(root)
    assert not root.exists()


def test_an_operator_says_how_many_requests_a_provider_may_have_under_way(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    usual = build(tmp_path).provider_desk.readings()
    settings = Settings.load(root=tmp_path, flags={"provider_places": {"openai": 1, "opnai": 9}})
    places = {name: one.places for name, one in Impasto.build(settings).provider_desk.readings().items()}
    assert places == {name: one.places for name, one in usual.items()} | {"openai": 1}
    assert usual["openai"].places > 1
    assert "`provider_places` names opnai; external providers are gemini, openai" in caplog.text
    with pytest.raises(SettingsError, match=r"provider_places\.openai = 0"):
        Settings.load(root=tmp_path, flags={"provider_places": {"openai": 0}})


def test_the_starter_model_is_there_after_the_first_start_and_stays_deleted(tmp_path: Path) -> None:
    app = build(tmp_path)
    app.start(work=False)
    assert [record.key for record in app.models.search()] == ["impasto-starter"]
    app.models.delete("impasto-starter")
    app.stop()
    again = build(tmp_path)
    again.start(work=False)
    assert again.models.search() == []
    again.stop()


def test_what_is_queued_without_workers_waits_for_the_next_start(tmp_path: Path) -> None:
    app = build(tmp_path)
    app.start(work=False)
    (item_id,) = app.submissions.enqueue("default", Batch(graph=GRAPH)).item_ids
    app.stop()
    again = build(tmp_path)
    again.start(work=False)
    assert again.queue.get("default", item_id).status == "pending"
    again.stop()


def test_tensors_of_ended_sessions_go_at_the_next_start_and_those_of_open_ones_stay(tmp_path: Path) -> None:
    app = build(tmp_path)
    app.start(work=False)
    (item_id,) = app.submissions.enqueue("default", Batch(graph=GRAPH)).item_ids
    waiting = app.sessions.save(app.queue.get("default", item_id).session_id, b"of a session that waits")
    ended = app.sessions.save("a session that nobody knows", b"of a session that ended")
    app.housekeeping.sweep()
    assert app.sessions.load(waiting) == b"of a session that waits"
    with pytest.raises(TensorNotFoundError):
        app.sessions.load(ended)
    app.stop()


def test_a_root_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    app = build(tmp_path / "file" / "root")
    with pytest.raises(StorageError, match=r"the root folder .*file/root cannot be made"):
        app.start()
