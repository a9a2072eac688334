"""What a crash or a long run leaves behind is removed, and the log says what was done."""

import io
import logging
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image

from impasto.app import Impasto
from impasto.app import impasto as impasto_module
from impasto.app.housekeeping import Housekeeping
from impasto.queue.records import Batch
from impasto.settings import Settings


def picture() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(out, "PNG")
    return out.getvalue()


def build(root: Path, **flags: object) -> Impasto:
    flags = {"disabled_plugins": ["impasto-sd", "impasto-starter"], **flags}
    return Impasto.build(Settings.load(root=root / "root", flags=flags))


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Impasto]:
    app = build(tmp_path)
    app.start(work=False)
    yield app
    app.stop()


def test_images_of_nodes_that_had_not_finished_are_gone_before_anything_runs(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    killed = build(tmp_path)
    killed.start(work=False)
    kept = killed.images.save(picture()).image_name
    killed.images.save(picture(), session_id="s", node_id="paint", unsettled=True)
    killed.stop()
    with build(tmp_path) as app:
        assert app.images.names().image_names == [kept]
    assert "deleted 1 images of nodes that had not finished when the server ended; they run again" in caplog.text


def test_a_sweep_says_which_images_have_lost_their_files_and_what_to_do(
    app: Impasto, caplog: pytest.LogCaptureFixture
) -> None:
    name = app.images.save(picture()).image_name
    app.images.path(name).unlink()
    app.housekeeping.sweep()
    (line,) = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert line == (
        f"1 images have no file any more: {name}; restore the images folder from a backup, or delete these images"
    )


def test_a_sweep_says_how_many_files_nobody_knows(app: Impasto, caplog: pytest.LogCaptureFixture) -> None:
    name = app.images.save(picture()).image_name
    stray = app.images.path(name).with_name(f"{name[:2]}{'0' * 30}.png")
    stray.write_bytes(b"left behind")
    app.housekeeping.sweep()
    assert not stray.exists()
    assert "removed 1 image files that a crash left without a row" in caplog.text


def test_a_routine_that_fails_is_told_of_and_done_again_and_hinders_no_other(
    app: Impasto, caplog: pytest.LogCaptureFixture
) -> None:
    done, tries = threading.Event(), []

    def fail() -> None:
        tries.append(len(tries))
        raise OSError("the disk is gone")

    def count() -> None:
        if len(tries) == 3:
            done.set()

    routines = {"forget what is old": fail, "count": count}
    housekeeping = Housekeeping(app.images, app.sessions, app.queue, routines, round_s=0.001)
    housekeeping.start()
    assert done.wait(30)
    housekeeping.stop()
    assert "could not forget what is old" in caplog.text
    assert "the disk is gone" in caplog.text


def test_old_events_and_old_items_go_as_the_settings_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = build(tmp_path, event_retention_s=60, max_queue_history=1)
    app.start(work=False)
    graph = {"id": "g", "nodes": {"n": {"id": "n", "type": "integer", "value": 1}}, "edges": []}
    for _ in range(3):
        (item_id,) = app.queue.enqueue("default", Batch(graph=graph)).item_ids
        app.queue.cancel("default", item_id)
    newest = app.bus.last_id
    monkeypatch.setattr(impasto_module, "time", SimpleNamespace(time=lambda: time.time() + 62))
    app.housekeeping.start()
    with app.bus.subscribe() as events:
        while app.queue.item_ids("default") != [3] or app.log.forgotten_id < newest:
            events.get(0.01)
    app.stop()
