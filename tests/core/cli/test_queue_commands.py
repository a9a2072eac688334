"""``impasto queue``: what is typed reaches a real server that runs nothing, so that every moment can be arranged."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from support.http_servers import HttpServer, http_server

from impasto.cli import main
from impasto.cli.client import Client
from impasto.cli.queue_items import list_items

GRAPH = {"nodes": {"sum": {"type": "add", "a": 1, "b": 2}}, "edges": []}

#: Runs a command on the server: gives what it printed, and checks its exit status.
Impasto = Callable[..., str]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[HttpServer]:
    with http_server(tmp_path) as running:
        yield running


@pytest.fixture
def impasto(server: HttpServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Impasto:
    """``impasto queue …`` on the server. With another status than 0, gives what it complained of."""
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: object, status: int = 0) -> str:
        monkeypatch.setattr(sys, "argv", ["impasto", "queue", *map(str, arguments), "--url", server.url])
        with pytest.raises(SystemExit) as end:
            main()
        said = capsys.readouterr()
        assert (end.value.code or 0) == status, said
        return said.err if status else said.out

    return run


def enqueue(server: HttpServer, runs: int = 1, queue_id: str = "default", **batch: object) -> list[int]:
    body = {"batch": {"graph": GRAPH, "runs": runs, **batch}}
    answer = server.client.post(f"/api/v1/queue/{queue_id}/enqueue_batch", json=body)
    assert answer.status_code == 201, answer.text
    found: list[int] = answer.json()["item_ids"]
    return found


def statuses(server: HttpServer, queue_id: str = "default") -> list[str]:
    return [item.status for item in server.app.queue.list(queue_id)]


def fail_next(server: HttpServer, message: str = "there is no such thing", traceback: str = "Traceback: …") -> int:
    item = server.app.queue.claim("worker")
    assert item is not None
    server.app.queue.fail(item.item_id, "SomeError", message, traceback)
    return item.item_id


def order(server: HttpServer) -> list[int]:
    """The numbers of all that wait, in the order in which they would be run."""
    return [item.item_id for item in iter(lambda: server.app.queue.claim("worker"), None)]


def rows(table: str) -> list[list[str]]:
    """The rows of a table below its head, by words."""
    return [line.split() for line in table.splitlines()[1:]]


# --- looking ---


def test_the_newest_items_are_listed_oldest_first_with_the_first_line_of_their_error(
    server: HttpServer, impasto: Impasto
) -> None:
    enqueue(server, 3, batch_id="b")
    fail_next(server, "no such thing\nand more")
    table = impasto("list")
    assert table.splitlines()[0].split() == ["item", "status", "priority", "batch", "age", "waited", "ran", "error"]
    first, second, third = rows(table)
    assert first[:4] == ["1", "failed", "0", "b"]
    assert first[-3:] == ["no", "such", "thing"]
    assert [second[:2], third[:2]] == [["2", "pending"], ["3", "pending"]]
    assert [row[0] for row in rows(impasto("list", "--limit", 2))] == ["2", "3"]


def test_a_list_can_be_narrowed_to_statuses_and_to_a_batch(server: HttpServer, impasto: Impasto) -> None:
    enqueue(server, 2, batch_id="one")
    enqueue(server, 2, batch_id="two")
    fail_next(server)

    def listed(*arguments: object) -> list[int]:
        return [item["item_id"] for item in json.loads(impasto("list", "--json", *arguments))["items"]]

    assert listed("--status", "failed") == [1]
    assert listed("--status", "failed", "--status", "pending") == [1, 2, 3, 4]
    assert listed("--batch", "two") == [3, 4]
    assert listed("--batch", "two", "--status", "failed") == []
    assert listed("--status", "completed") == []
    assert "pendng" in impasto("list", "--status", "pendng", status=2)


def test_of_what_waits_those_that_are_due_next_are_listed(server: HttpServer, impasto: Impasto) -> None:
    enqueue(server, 5)
    impasto("move", 4, "--front")
    assert [row[0] for row in rows(impasto("list", "--status", "pending", "--limit", 2))] == ["4", "1"]
    assert len(rows(impasto("list", "--status", "pending", "--limit", 20_000))) == 5


def test_a_list_of_many_portions_finds_what_is_far_down(
    server: HttpServer, impasto: Impasto, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("impasto.cli.queue_items.PORTION", 2)
    enqueue(server, 7)
    fail_next(server)
    assert [row[0] for row in rows(impasto("list", "--status", "failed"))] == ["1"]
    assert len(rows(impasto("list"))) == 7


def test_ages_and_times_are_counted_from_now_for_what_has_not_come_to_that(server: HttpServer) -> None:
    enqueue(server, 2)
    server.app.queue.claim("worker")
    created = datetime.fromisoformat(server.app.queue.get("default", 2).created_at)
    with Client(server.url) as client:
        running, waiting = list_items(client, "default", now=created + timedelta(days=365)).rows
    assert running[4] == waiting[4] == waiting[5] == "365 d 0 h"
    assert str(running[5]).endswith(" s")
    assert (running[6], waiting[6]) == ("364 d 23 h", "")  # it began a moment after it was made


def test_an_empty_queue_and_a_list_without_a_match_say_so(
    server: HttpServer, impasto: Impasto, capsys: pytest.CaptureFixture[str]
) -> None:
    with Client(server.url) as client:
        list_items(client, "nobody's").print(as_json=False)
        assert 'the queue "nobody\'s" is empty' in capsys.readouterr().err
        enqueue(server)
        list_items(client, "default", statuses=["failed"]).print(as_json=False)
        assert "no item is like that" in capsys.readouterr().err


def test_an_item_is_shown_with_what_it_was_given_and_its_whole_traceback(
    server: HttpServer, impasto: Impasto, capsys: pytest.CaptureFixture[str]
) -> None:
    data = [[{"node_path": "sum", "field_name": "a", "items": [5]}]]
    enqueue(server, origin="a test", data=data)
    fail_next(server, "no such thing", "Traceback:\n  in line 3")
    facts = dict(line.split(maxsplit=1) for line in impasto("show", 1).splitlines())
    assert (facts["status"], facts["origin"], facts["values"]) == ("failed", "a test", "sum.a=5")
    assert facts["nodes"] == "0 finished of 1 in the graph"
    assert facts["error"] == "no such thing"
    item = json.loads(impasto("show", 1, "--json"))
    assert item["error_traceback"] == "Traceback:\n  in line 3"
    assert item["session"]["graph"]["nodes"]["sum"]["a"] == 5


def test_an_item_that_there_is_not_is_refused_in_one_line(impasto: Impasto) -> None:
    (line,) = impasto("show", 7, status=1).splitlines()
    assert line.startswith("impasto: ")
    assert "7" in line


def test_every_queue_is_counted_and_the_paused_ones_are_told(server: HttpServer, impasto: Impasto) -> None:
    enqueue(server, 2)
    enqueue(server, 1, "side")
    impasto("pause", "--queue", "side")
    fail_next(server)
    assert rows(impasto("status")) == [
        ["default", "1", "0", "0", "1", "0", "2", "no"],
        ["side", "1", "0", "0", "0", "0", "1", "yes"],
    ]
    (side,) = json.loads(impasto("status", "--queue", "side", "--json"))
    assert (side["queue_id"], side["pending"], side["is_paused"]) == ("side", 1, True)


# --- changing ---


def test_items_are_cancelled_by_number_and_what_has_ended_is_not_counted(server: HttpServer, impasto: Impasto) -> None:
    enqueue(server, 3)
    fail_next(server)
    assert impasto("cancel", 1, 2) == "1 item cancelled\n"
    assert statuses(server) == ["failed", "canceled", "pending"]


def test_with_an_unknown_number_among_them_nothing_is_cancelled(server: HttpServer, impasto: Impasto) -> None:
    enqueue(server, 2)
    assert "9" in impasto("cancel", 1, 9, status=1)
    assert statuses(server) == ["pending", "pending"]


def test_what_is_left_of_batches_is_cancelled_and_so_is_everything(server: HttpServer, impasto: Impasto) -> None:
    enqueue(server, 2, batch_id="one")
    enqueue(server, 2, batch_id="two")
    enqueue(server, 2, batch_id="three")
    fail_next(server)
    assert json.loads(impasto("cancel", "--batch", "one", "--batch", "two", "--json")) == {"canceled": 3}
    assert statuses(server) == ["failed", *["canceled"] * 3, "pending", "pending"]
    server.app.queue.claim("worker")
    assert impasto("cancel", "--all") == "2 items cancelled\n"
    assert statuses(server)[4:] == ["canceled", "canceled"]


@pytest.mark.parametrize("arguments", [(), (1, "--all"), (1, "--batch", "b"), ("--all", "--batch", "b")])
def test_a_cancel_says_one_thing_that_it_is_for(server: HttpServer, impasto: Impasto, arguments: object) -> None:
    enqueue(server)
    (line,) = impasto("cancel", *arguments, status=2).splitlines()
    assert line == "impasto: say what to cancel: items by their numbers, or --batch, or --all"
    assert statuses(server) == ["pending"]


def test_a_retry_prints_the_numbers_of_the_new_items(server: HttpServer, impasto: Impasto) -> None:
    enqueue(server, 2)
    fail_next(server)
    assert impasto("retry", 1) == "3\n"
    assert server.app.queue.get("default", 3).retried_from_item_id == 1
    (line,) = impasto("retry", 2, status=1).splitlines()
    assert "2" in line
    assert json.loads(impasto("retry", 1, "--json"))["item_ids"] == [4]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((3, "--front"), [3, 1, 2, 4]),
        ((2, "--back"), [1, 3, 4, 2]),
        ((4, "--before", 2), [1, 4, 2, 3]),
        ((1, "--after", 3), [2, 3, 1, 4]),
    ],
)
def test_an_item_is_moved(server: HttpServer, impasto: Impasto, arguments: object, expected: list[int]) -> None:
    enqueue(server, 4)
    assert impasto("move", *arguments) == ""
    assert [row[0] for row in rows(impasto("list"))] == [str(item_id) for item_id in expected]
    assert order(server) == expected


@pytest.mark.parametrize("arguments", [(), ("--front", "--back"), ("--before", 2, "--after", 3)])
def test_a_move_says_one_place(server: HttpServer, impasto: Impasto, arguments: object) -> None:
    enqueue(server, 3)
    (line,) = impasto("move", 1, *arguments, status=2).splitlines()
    assert line == "impasto: say where to: --front, --back, --before ITEM or --after ITEM"


def test_only_what_waits_is_moved(server: HttpServer, impasto: Impasto) -> None:
    enqueue(server, 2)
    fail_next(server)
    assert "failed" in impasto("move", 1, "--back", status=1)


def test_priorities_may_be_below_zero(server: HttpServer, impasto: Impasto) -> None:
    enqueue(server, 4)
    impasto("priority", -1, 1, 2)
    impasto("priority", 5, 4)
    assert order(server) == [4, 3, 1, 2]


def test_with_an_unknown_number_among_them_no_priority_is_changed(server: HttpServer, impasto: Impasto) -> None:
    enqueue(server, 2)
    assert "no item 7" in impasto("priority", 5, 2, 7, status=1)
    assert order(server) == [1, 2]


def test_a_paused_queue_rests_until_it_is_resumed_and_its_list_says_so(server: HttpServer, impasto: Impasto) -> None:
    def remark(queue_id: str = "default") -> str:
        with Client(server.url) as client:
            return list_items(client, queue_id).remark

    enqueue(server)
    impasto("pause", "--queue", "side")
    assert "paused" not in remark()
    assert remark("side").endswith("; paused, `impasto queue resume --queue side` goes on")
    impasto("pause")
    assert remark().endswith("; paused, `impasto queue resume` goes on")
    assert server.app.queue.claim("worker") is None
    impasto("resume")
    assert "paused" not in remark()
    assert server.app.queue.claim("worker") is not None


def test_prune_deletes_what_has_ended_and_clear_deletes_everything(server: HttpServer, impasto: Impasto) -> None:
    enqueue(server, 3)
    enqueue(server, 1, "side")
    fail_next(server)
    assert impasto("prune") == "1 item deleted\n"
    assert statuses(server) == ["pending", "pending"]
    assert json.loads(impasto("clear", "--json")) == {"deleted": 2}
    assert (statuses(server), statuses(server, "side")) == ([], ["pending"])


def test_without_a_server_a_queue_is_changed_where_it_lies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with http_server(tmp_path / "root") as server:
        enqueue(server, 2)
    monkeypatch.setattr(sys, "argv", ["impasto", "queue", "cancel", "1", "--root", str(tmp_path / "root")])
    with pytest.raises(SystemExit):
        main()
    assert capsys.readouterr().out == "1 item cancelled\n"
    with http_server(tmp_path / "root") as server:
        assert statuses(server) == ["canceled", "pending"]


# --- watching ---


@pytest.fixture
def watch(server: HttpServer) -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """Starts ``impasto queue watch`` on the server as a process."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str, stdout: int = subprocess.PIPE) -> "subprocess.Popen[str]":
        command = [sys.executable, "-m", "impasto", "queue", "watch", "--url", server.url, *arguments]
        environment = {**os.environ, "COLUMNS": "120", "TERM": "xterm"}
        started.append(
            subprocess.Popen(command, stdout=stdout, stderr=subprocess.PIPE, text=True, env=environment, bufsize=1)
        )
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def stopped(process: "subprocess.Popen[str]") -> tuple[int, str]:
    """Press Ctrl-C: exit status, and what was said of it."""
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    return process.returncode, errors


def test_into_a_pipe_a_watch_prints_a_line_for_each_item_that_ends(
    server: HttpServer, watch: Callable[..., "subprocess.Popen[str]"]
) -> None:
    enqueue(server, 3)
    process = watch()
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stderr.readline() == (
        "queue 'default': 3 pending, 0 in progress, 0 completed, 0 failed, 0 canceled\n"
    )
    fail_next(server)
    item = server.app.queue.claim("worker")
    assert item is not None
    server.app.queue.complete(item.item_id)
    server.app.queue.cancel("default", 3)
    lines = [process.stdout.readline() for _ in range(3)]
    assert lines[0].startswith("item 1 failed after 0.")
    assert lines[0].endswith(" s: there is no such thing\n")
    assert lines[1].startswith("item 2 completed after 0.")
    assert lines[2] == "item 3 canceled\n"
    assert stopped(process) == (130, "impasto: stopped\n")


def test_for_programs_a_watch_prints_each_event_of_the_queue_as_a_line(
    server: HttpServer, watch: Callable[..., "subprocess.Popen[str]"]
) -> None:
    process = watch("--json", "--queue", "side")
    assert process.stdout is not None
    assert json.loads(process.stdout.readline())["event"] == "hello"
    enqueue(server)  # into another queue
    enqueue(server, 1, "side", batch_id="b")
    event = json.loads(process.stdout.readline())
    assert (event["event"], event["data"]["batch_id"]) == ("batch_enqueued", "b")
    assert event["id"]
    assert stopped(process)[0] == 130


def test_on_a_terminal_a_watch_shows_the_queue_as_it_is_now(
    server: HttpServer, impasto: Impasto, watch: Callable[..., "subprocess.Popen[str]"]
) -> None:
    enqueue(server, 2)
    terminal, end = os.openpty()
    process = watch(stdout=end)
    os.close(end)
    seen = b""

    def read_until(words: bytes) -> None:
        nonlocal seen
        while words not in seen:
            seen += os.read(terminal, 4096)
        seen = b""

    read_until(b"2 pending")
    item = server.app.queue.claim("worker")
    assert item is not None
    read_until(b"item 1")
    server.app.queue.complete(item.item_id)
    read_until(b"completed after")
    # events that tell no counts: what waits is asked for
    impasto("pause")
    enqueue(server, 3)
    read_until(b"4 pending")
    impasto("cancel", "--all")
    read_until(b"4 canceled")
    assert stopped(process)[0] == 130
    os.close(terminal)


def test_a_watch_ends_with_the_server(
    server: HttpServer, watch: Callable[..., "subprocess.Popen[str]"], tmp_path: Path
) -> None:
    with http_server(tmp_path / "other") as other:
        process = watch("--url", other.url)
        assert process.stderr is not None
        process.stderr.readline()
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 3
    assert errors.startswith(f"impasto: the server at {other.url} cannot be reached")


def test_a_watch_needs_a_server_that_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["impasto", "queue", "watch", "--root", str(tmp_path)])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 3
    assert "no server runs on" in capsys.readouterr().err
