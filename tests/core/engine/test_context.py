"""What a node finds in its context, in a real worker."""

import logging
from pathlib import Path

import pytest
from support.engine_room import EngineRoom, graph, node

from impasto.engine.log_fields import fields_of
from impasto.storage.pictures import decode
from impasto_sdk.models import ModelIdentification


def ask(room: EngineRoom, about: str, **batch: object) -> str:
    item = room.run(graph([node("q", "ask", about=about)]), **batch)
    assert item.status == "completed", item.error_message
    return item.session["results"]["q"]["value"]


def refused(room: EngineRoom, about: str) -> tuple[str | None, str | None]:
    item = room.run(graph([node("q", "ask", about=about)]))
    assert item.status == "failed"
    return item.error_type, item.error_message


def test_pictures_come_back_as_they_were_saved(room: EngineRoom):
    document = graph([node("p", "paint", colour="#c80000", size=16), node("x", "pixel")], ["p.image x.image"])
    results = room.run(document).session["results"]
    assert (results["p"]["width"], results["p"]["height"]) == (16, 8)
    assert decode(room.images.read(results["p"]["image"]["image_name"])).getpixel((0, 0)) == (200, 0, 0)
    assert results["x"]["value"] == 60  # a red of 200 in grey


def test_a_kept_picture_carries_the_runs_metadata_with_the_nodes_own_and_graph_and_workflow(room: EngineRoom):
    document = graph([node("f", "facts", seed=7), node("p", "paint", use_cache=False)], ["f.metadata p.metadata"])
    item = room.run(document, metadata={"by": "panel", "panel": "text"}, workflow={"name": "mine"})
    name = item.session["results"]["p"]["image"]["image_name"]
    stored = room.images.get(name)
    assert (stored.session_id, stored.node_id, stored.is_intermediate) == (item.session_id, "p", False)
    assert room.images.metadata(name) == {"by": "node", "panel": "text", "seed": 7}
    documents = room.images.documents(name)
    assert documents.workflow == {"name": "mine"}
    assert documents.graph["nodes"]["p"]["type"] == "paint"


def test_an_intermediate_picture_carries_only_the_nodes_own_facts(room: EngineRoom):
    painter = node("p", "paint", is_intermediate=True, use_cache=False)
    document = graph([node("f", "facts", seed=7), painter], ["f.metadata p.metadata"])
    item = room.run(document, metadata={"panel": "text"}, workflow={"name": "mine"})
    name = item.session["results"]["p"]["image"]["image_name"]
    assert room.images.metadata(name) == {"seed": 7, "by": "node"}
    assert room.images.documents(name).workflow is None


def test_bytes_that_are_no_picture_are_refused_by_name(room: EngineRoom):
    item = room.run(graph([node("s", "save_bytes", text="hello")]))
    assert item.error_type == "InvalidInputError"
    assert item.error_message == (
        "node 's' (save_bytes): data = b'hello': the bytes are no picture; PNG, JPEG and WebP are taken"
    )


@pytest.mark.parametrize(
    ("about", "error_type", "message"),
    [
        ("missing_image", "ImageNotFoundError", "no image 'nothing.png'"),
        ("missing_model", "ModelNotFoundError", "no model 'nothing'"),
        ("other_settings", "LookupError", "OtherSettings is no registered settings class"),
        ("undeclared_secret", "SecretNotFoundError", "plugin 'engine-toys' does not declare it"),
        ("unset_secret", "SecretNotFoundError", "set the environment variable IMPASTO_SECRET_UNSET_KEY"),
    ],
)
def test_what_is_not_there_is_named(room: EngineRoom, about: str, error_type: str, message: str):
    found_type, found_message = refused(room, about)
    assert found_type == error_type
    assert message in (found_message or "")


def test_settings_of_the_operator_reach_the_node(room: EngineRoom):
    assert ask(room, "settings") == "96"


def test_a_declared_secret_is_given_and_none_is_left_in_the_environment(room: EngineRoom):
    assert ask(room, "secret") == "terc3sFalse"


def test_a_nodes_log_lines_reach_the_servers_log_with_session_and_node(
    room: EngineRoom, caplog: pytest.LogCaptureFixture
):
    with caplog.at_level(logging.WARNING):
        item = room.run(graph([node("q", "ask", about="log")]))
    (line,) = [record for record in caplog.records if record.name == "impasto.node.ask"]
    assert line.getMessage() == "the noise is high"
    assert line.levelno == logging.WARNING
    assert fields_of(line) == {
        "worker_id": "cpu-0",
        "queue_id": "default",
        "batch_id": item.batch_id,
        "item_id": item.item_id,
        "session_id": item.session_id,
        "node_id": "q",
        "node_type": "ask",
    }


def test_the_device_is_what_the_plugin_found(room: EngineRoom):
    assert ask(room, "device") == "cpu float32 cpu"
    assert [device.notes for device in room.engine.devices()] == [("asked for auto",)]


def test_the_runs_metadata_can_be_read(room: EngineRoom):
    assert ask(room, "metadata", metadata={"panel": "text"}) == "{'panel': 'text'}"
    assert ask(room, "metadata") == "{}"


def test_identity_says_which_execution_it_is(room: EngineRoom):
    document = graph(
        [node("n", "numbers", count=2), node("each", "each"), node("x", "add"), node("q", "ask", about="identity")],
        ["n.collection each.collection", "each.item x.a"],
    )
    item = room.run(document)
    assert item.session["results"]["q"]["value"] == f"default {item.session_id} q q ask system"


def test_data_becomes_extensions_in_order(room: EngineRoom):
    assert ask(room, "extensions") == "1,2"


def test_models_are_found_loaded_and_told_of(room: EngineRoom, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "model.words"
    path.write_text("once upon a time")
    known = ModelIdentification(confidence=1, base="any", type="main", format="words", name="tale")
    monkeypatch.setattr(room.models, "_identify", lambda path: known)
    record = room.models.register(path)
    assert "tale" in ask(room, "models").split(",")
    document = graph([node("m", "read_model", model={"key": record.key})])
    for _ in range(2):
        assert room.run(document).session["results"]["m"]["value"] == "once upon a time"
    loads = [event for name in ("model_load_started", "model_load_complete") for event in room.named(name)]
    assert [event.config["key"] for event in loads] == [record.key, record.key]
    assert [event.submodel_type for event in loads] == [None, None]


def test_progress_is_bounded_in_rate_and_its_last_report_always_comes(room: EngineRoom):
    room.run(graph([node("p", "progress", steps=20_000)]))
    reports = room.named("invocation_progress")
    assert 2 <= len(reports) < 2_000
    assert (reports[-1].percentage, reports[-1].message) == (1.0, "step 20000")
    fractions = [report.percentage for report in reports]
    assert fractions == sorted(fractions)
    assert reports[0].device == "cpu"
    assert room.seen.index(reports[-1]) < room.seen.index(room.named("invocation_complete")[0])


def test_nodes_beside_one_another_each_have_their_last_report_told(room: EngineRoom):
    room.run(graph([node(f"p{place}", "progress", steps=3000) for place in range(4)]))
    reports = {event.invocation["id"]: event for event in room.named("invocation_progress")}  # the last of each
    assert sorted(reports) == ["p0", "p1", "p2", "p3"]
    for complete in room.named("invocation_complete"):
        last = reports[complete.invocation["id"]]
        assert last.message == "step 3000"
        assert room.seen.index(last) < room.seen.index(complete)


def test_previews_travel_as_bytes_and_as_an_address(room: EngineRoom):
    room.run(graph([node("p", "progress", steps=3, preview="picture")]))
    report = room.named("invocation_progress")[-1]
    assert decode(report.preview).size == (64, 32)
    assert (report.image["width"], report.image["height"]) == (64, 32)
    assert report.image["dataURL"].startswith("data:image/jpeg;base64,")
    assert "preview" not in report.to_document()


def test_a_preview_that_is_no_picture_fails_no_node(room: EngineRoom):
    assert room.run(graph([node("p", "progress", steps=3, preview="rubbish")])).status == "completed"
    reports = room.named("invocation_progress")
    assert reports[-1].percentage == 1.0
    assert all(report.preview is None for report in reports)


def test_a_worker_loads_no_heavy_library_by_itself(room: EngineRoom):
    assert ask(room, "modules") == ""
