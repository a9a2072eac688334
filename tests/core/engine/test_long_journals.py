"""A run of thousands of nodes that goes on: its journal comes in portions, and nothing of it runs again."""

from collections.abc import Callable
from pathlib import Path

import pytest
from support.engine_room import EngineRoom, graph, node

from impasto.engine import process as process_module
from impasto.engine import wire as wire_module
from impasto.engine.process import WorkerProcess
from impasto.engine.protocol import ToWorker

OpenRoom = Callable[..., EngineRoom]

#: Executions of the node that each item of the list goes through.
COUNT = 20_000


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[ToWorker, int]]:
    """What the server sends to workers, each with the number of lines in it."""
    noted: list[tuple[ToWorker, int]] = []
    send = WorkerProcess.send

    def noting(process: WorkerProcess, kind: ToWorker, body: dict | None = None) -> None:
        send(process, kind, body)
        noted.append((kind, len((body or {}).get("lines", ()))))

    monkeypatch.setattr(WorkerProcess, "send", noting)
    return noted


def leave_behind(folder: Path, document: dict, lines: dict[str, dict]) -> int:
    """Have a server end that has run a session as far as these lines; gives its item's number."""
    room = EngineRoom(folder)
    room.database.open()
    room.log.open()
    item_id = room.enqueue(document)
    claimed = room.queue.claim("lost-0")
    assert claimed is not None
    assert room.queue.journal(item_id, lines, attempt=claimed.attempt)
    room.bus.close()
    room.images.close()
    room.models.close()
    room.database.close()
    return item_id


def test_a_session_of_twenty_thousand_nodes_goes_on_where_it_was(
    open_room: OpenRoom, tmp_path: Path, sent: list[tuple[ToWorker, int]]
):
    diary = tmp_path / "diary"
    document = graph(
        [
            node("n", "numbers", count=COUNT),
            node("each", "each"),
            node("plus", "add", b=10, diary=str(diary), use_cache=False),
            node("all", "gather"),
        ],
        ["n.collection each.collection", "each.item plus.a", "plus.value all.item"],
    )
    missing = {0, COUNT // 2, COUNT - 1}
    lines = {f"plus[{i}]": {"type": "integer_output", "value": i + 10} for i in range(COUNT) if i not in missing}
    numbers = {"n": {"type": "integer_collection_output", "collection": list(range(COUNT))}}
    item_id = leave_behind(tmp_path, document, numbers | lines)
    room = open_room()
    item = room.wait(item_id)
    assert (item.status, item.attempts) == ("completed", 2)
    assert item.session["results"]["all"]["collection"] == list(range(10, COUNT + 10))
    assert sorted(diary.read_text().split()) == sorted(f"plus[{i}]" for i in missing)
    portions = [lines for kind, lines in sent if kind is ToWorker.JOURNAL]
    assert (sum(portions), max(portions)) == (COUNT - len(missing) + 1, 1000)
    kinds = [kind for kind, _ in sent]
    assert kinds.index(ToWorker.RUN) > max(place for place, kind in enumerate(kinds) if kind is ToWorker.JOURNAL)


def test_nothing_is_read_for_a_first_attempt(open_room: OpenRoom, sent: list[tuple[ToWorker, int]]):
    room = open_room()
    assert room.run(graph([node("a", "add")])).status == "completed"
    assert [kind for kind, _ in sent] == [ToWorker.WELCOME, ToWorker.RUN]


def test_the_journal_of_one_session_is_not_anothers(open_room: OpenRoom, tmp_path: Path):
    document = graph([node("a", "add", a=1)])
    item_id = leave_behind(tmp_path, document, {"a": {"type": "integer_output", "value": 77}})
    room = open_room()
    assert room.wait(item_id).session["results"]["a"]["value"] == 77
    assert room.run(document).session["results"]["a"]["value"] == 1


def test_lines_too_large_for_one_message_go_in_several(
    open_room: OpenRoom, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sent: list[tuple[ToWorker, int]]
):
    document = graph([node("n", "numbers", count=0), node("g", "gather")], ["n.collection g.collection"])
    lines = {f"x[{i}]": {"type": "string_output", "value": "x" * 1000} for i in range(10)}
    item_id = leave_behind(tmp_path, document, lines)
    monkeypatch.setattr(wire_module, "MAX_HEADER_BYTES", 3_500)  # in the server only
    room = open_room()
    assert room.wait(item_id).status == "completed"
    assert [lines for kind, lines in sent if kind is ToWorker.JOURNAL] == [2, 3, 2, 3]


def test_a_line_too_large_for_any_message_fails_the_session_and_not_the_worker(
    open_room: OpenRoom, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    item_id = leave_behind(tmp_path, graph([node("a", "add")]), {"a": {"type": "string_output", "value": "x" * 4000}})
    monkeypatch.setattr(wire_module, "MAX_HEADER_BYTES", 3_500)
    room = open_room()
    item = room.wait(item_id)
    assert (item.status, item.error_type) == ("failed", "MessageTooLargeError")
    assert room.run(graph([node("a", "add")])).status == "completed"
    assert room.worker().starts == 1


def test_a_worker_that_is_lost_while_it_is_told_of_the_past_costs_no_attempt_twice(
    open_room: OpenRoom, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    item_id = leave_behind(tmp_path, graph([node("a", "add")]), {"b": {"type": "integer_output", "value": 1}})
    send, killed = process_module.WorkerProcess.send, []

    def kill_once(process: WorkerProcess, kind: ToWorker, body: dict | None = None) -> None:
        if kind is ToWorker.JOURNAL and not killed:
            killed.append(process.pid)
            process.kill()
            process.end(60)
        send(process, kind, body)

    monkeypatch.setattr(WorkerProcess, "send", kill_once)
    room = open_room(max_attempts=2)
    item = room.wait(item_id)
    assert (item.status, item.session["results"]["a"]["value"]) == ("completed", 0)
    assert killed
