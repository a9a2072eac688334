"""A server that is killed: its workers end by themselves, and the next server goes on from the journal."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
from support.engine_room import EngineRoom

SERVER = """
import sys
from pathlib import Path
from support.engine_room import EngineRoom, graph, node

folder = Path(sys.argv[1])
with EngineRoom(folder, {"cpu_lane": 4}) as room:
    document = graph(
        [
            node("first", "add", a=1, b=1, diary=str(folder / "diary")),
            node("gate", "gate", path=str(room.gate("gate")), diary=str(folder / "diary")),
            node("last", "add", b=100, diary=str(folder / "diary")),
            node("done", "paint"),
            node("open", "sketch", path=str(room.gate("open"))),
        ],
        ["first.value gate.a", "gate.value last.a"],
    )
    item_id = room.enqueue(document)
    room.until_started("gate")
    room.until(lambda event: {"first", "done"} <= {e.invocation_source_id for e in room.named("invocation_complete")})
    print(item_id, room.worker().pid, flush=True)
    sys.stdin.read()
"""


def test_a_killed_server_leaves_no_worker_loses_no_finished_node_and_keeps_nothing_half_done(
    toys: Path, tmp_path: Path, open_room: Callable[..., EngineRoom]
):
    tests = Path(__file__).parents[2]
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": f"{toys}{os.pathsep}{tests}"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdin is not None
    assert server.stdout is not None
    with server.stdin, server.stdout:
        item_id, pid = map(int, server.stdout.readline().split())
        worker = psutil.Process(pid)
        # which open when the nodes wait there, and not only were announced
        with (tmp_path / "gate").open("w"), (tmp_path / "open").open("w"):
            server.send_signal(signal.SIGKILL)
            server.wait(60)
            gone, _ = psutil.wait_procs([worker], timeout=60)
    assert gone

    left = {path.stem for path in (tmp_path / "root" / "images").rglob("*.png")}
    assert len(left) == 2
    room = open_room(cpu_lane=4)
    room.until_started("gate")
    room.let_go(tmp_path / "gate")
    room.let_go(tmp_path / "open")
    item = room.wait(item_id)
    assert (item.status, item.attempts) == ("completed", 2)
    assert item.session["results"]["last"]["value"] == 102
    saved = {id: item.session["results"][id]["image"]["image_name"] for id in ("done", "open")}
    assert set(room.images.names().image_names) == set(saved.values())  # and not twice what ran twice
    saved = {id: Path(name).stem for id, name in saved.items()}
    assert (saved["done"] in left, saved["open"] in left) == (True, False)
    assert (tmp_path / "diary").read_text().split() == ["first", "gate", "gate", "last"]
