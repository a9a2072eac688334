"""The program as a person runs it: real processes, a real server, a real model."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from PIL import Image
from support.pictures import look
from support.plugins import make_plugin
from support.servers import RunningServer, running_server
from support.workflows import expose, invocation, workflow

from impasto.api.server import Server
from impasto.app import Impasto
from impasto.cli.client import Client
from impasto.settings import Settings

#: A node that says when it runs, and then only ends when it is cancelled; and a command.
PLUGIN = '''
"""A node that holds still, and a command."""

import pathlib
import time

from impasto_sdk import BaseInvocation, InputField, IntegerOutput, InvocationContext, hookimpl, invocation
from impasto_sdk.contributions import Command


@invocation("hold", use_cache=False)
class Hold(BaseInvocation):
    """Run until it is cancelled."""

    started: str = InputField(description="File to write when it runs")

    def invoke(self, context: InvocationContext) -> IntegerOutput:
        pathlib.Path(self.started).write_text("started")
        while True:
            context.raise_if_cancelled()
            time.sleep(0.01)


@hookimpl
def register_invocations():
    return [Hold]


def greet(arguments):
    print("hello", *arguments)
    return 7


@hookimpl
def register_commands():
    return [Command(name="greet", help="Say hello.", run=greet)]
'''

ADDITION = {
    "nodes": {"one": {"type": "integer", "value": 1}, "sum": {"type": "add", "b": 2}},
    "edges": [{"source": {"node_id": "one", "field": "value"}, "destination": {"node_id": "sum", "field": "a"}}],
}


@pytest.fixture(scope="module")
def plugins(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the plugin installed."""
    folder = tmp_path_factory.mktemp("site-packages")
    make_plugin(folder, "stillness", PLUGIN)
    return folder


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, plugins: Path) -> Iterator[RunningServer]:
    with running_server(tmp_path_factory.mktemp("root"), python_path=plugins) as running:
        yield running


def impasto(*arguments: object, folder: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run the program in `folder` to its end."""
    return subprocess.run(
        [sys.executable, "-m", "impasto", *map(str, arguments)],
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1", "COLUMNS": "200", **environment},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def succeeded(done: "subprocess.CompletedProcess[str]") -> str:
    assert done.returncode == 0, done.stderr
    return done.stdout


def failed(done: "subprocess.CompletedProcess[str]", status: int) -> Sequence[str]:
    """The lines that it failed with; what went wrong is never a traceback."""
    assert done.returncode == status, (done.stdout, done.stderr)
    assert "Traceback" not in done.stderr
    return done.stderr.splitlines()


def picture(path: Path) -> Image.Image:
    return Image.open(io.BytesIO(path.read_bytes()))


def test_generate_makes_the_picture_on_the_server_of_the_root(server: RunningServer, tmp_path: Path) -> None:
    prompt = "a red star on a blue background"
    options = ("--root", server.root, "--out", "star.png", "--seed", 7)
    line = succeeded(impasto("generate", prompt, *options, folder=tmp_path))
    assert line.startswith("star.png   128 × 128   seed 7   ")
    seen = look(picture(tmp_path / "star.png"))
    assert (seen.object_colour, seen.background_colour) == ("red", "blue")


def test_generate_makes_several_numbered_pictures_with_seeds_that_count_on(
    server: RunningServer, tmp_path: Path
) -> None:
    options = ("--url", server.url, "--seed", 3, "--steps", 2, "--count", 2, "--out", "ring.png", "--json")
    made = json.loads(succeeded(impasto("generate", "a green ring", *options, folder=tmp_path)))
    assert [(one["path"], one["seed"]) for one in made] == [("ring-1.png", 3), ("ring-2.png", 4)]
    first, second = (picture(tmp_path / one["path"]).tobytes() for one in made)
    assert first != second
    again = ("--url", server.url, "--seed", 4, "--steps", 2, "--out", "again.png")
    succeeded(impasto("generate", "a green ring", *again, folder=tmp_path))
    assert picture(tmp_path / "again.png").tobytes() == second


def test_generate_without_a_name_or_a_seed_names_the_file_after_the_seed(server: RunningServer, tmp_path: Path) -> None:
    options = ("--url", server.url, "--steps", 1, "--json")
    (made,) = json.loads(succeeded(impasto("generate", "a moon", *options, folder=tmp_path)))
    assert [path.name for path in tmp_path.iterdir()] == [f"impasto-{made['seed']}.png"]


def test_generate_starts_from_a_picture(server: RunningServer, tmp_path: Path) -> None:
    Image.new("RGB", (128, 128), (45, 85, 215)).save(tmp_path / "blue.png")
    options = ("--url", server.url, "--init-image", "blue.png", "--strength", 0.2, "--seed", 1, "--out", "out.png")
    succeeded(impasto("generate", "a red star on a blue background", *options, folder=tmp_path))
    # so little may change that the start shows through
    red, _, blue = picture(tmp_path / "out.png").convert("RGB").getpixel((4, 4))
    assert blue > 150 > red


@pytest.mark.parametrize(
    ("options", "status", "complaint"),
    [
        (["--steps", "9000"], 1, "steps"),
        (["--size", "100x128"], 1, "size"),
        (["--scheduler", "eulr"], 1, "scheduler"),
        (["--model", "nothing"], 1, "no main model is called 'nothing'"),
        (["--out", "star.jpg"], 2, "star.png"),
        (["--size", "128x"], 2, "128x128"),
        (["--strength", "0.5"], 2, "--init-image"),
        (["--init-image", "gone.png"], 1, "gone.png cannot be read"),
    ],
)
def test_generate_refuses_in_one_line_and_queues_nothing(
    server: RunningServer, tmp_path: Path, options: list[str], status: int, complaint: str
) -> None:
    with Client(server.url) as client:
        before = client.get("/api/v1/queue/default/status")["queue"]["total"]
        (line,) = failed(impasto("generate", "a star", "--url", server.url, *options, folder=tmp_path), status)
        assert line.startswith("impasto: ")
        assert complaint in line
        assert client.get("/api/v1/queue/default/status")["queue"]["total"] == before
    assert list(tmp_path.iterdir()) == []


def test_generate_works_without_a_server_and_leaves_none(tmp_path: Path) -> None:
    options = ("--steps", 2, "--seed", 5, "--out", "star.png", "--root", "root")
    succeeded(impasto("generate", "a red star on a blue background", *options, folder=tmp_path))
    assert picture(tmp_path / "star.png").size == (128, 128)
    assert not (tmp_path / "root" / "server.json").exists()
    listed = json.loads(succeeded(impasto("queue", "list", "--root", "root", "--json", folder=tmp_path)))
    assert [item["status"] for item in listed["items"]] == ["completed"]


def test_ctrl_c_cancels_what_the_command_started(server: RunningServer, tmp_path: Path) -> None:
    graph, started = tmp_path / "graph.json", tmp_path / "started"
    graph.write_text(json.dumps({"nodes": {"hold": {"type": "hold", "started": str(started)}}, "edges": []}))
    process = subprocess.Popen(
        [sys.executable, "-m", "impasto", "run", str(graph), "--url", server.url],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while not started.exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, "the node did not start"
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    (line,) = errors.splitlines()
    item_id = int(line.removeprefix("impasto: stopped; cancelled queue item "))
    with Client(server.url) as client:
        assert client.get(f"/api/v1/queue/default/i/{item_id}")["status"] == "canceled"


def test_run_prints_the_outputs_of_a_graph_with_values_put_in(server: RunningServer, tmp_path: Path) -> None:
    (tmp_path / "graph.json").write_text(json.dumps(ADDITION))
    table = succeeded(impasto("run", "graph.json", "--url", server.url, "--set", "sum.b=40", folder=tmp_path))
    assert ["sum", "value", "41"] in [line.split() for line in table.splitlines()]
    done = json.loads(succeeded(impasto("run", "graph.json", "--url", server.url, "--json", folder=tmp_path)))
    assert done["results"]["sum"]["value"] == 3


def test_run_takes_a_workflow_and_keeps_it_with_the_item(server: RunningServer, tmp_path: Path) -> None:
    document = workflow([invocation("sum", "add", {"a": 1, "b": 2})], name="Adder")
    (tmp_path / "adder.json").write_text(json.dumps(document))
    done = json.loads(
        succeeded(impasto("run", "adder.json", "--url", server.url, "--set", "sum.b=40", "--json", folder=tmp_path))
    )
    assert done["results"]["sum"]["value"] == 41
    with Client(server.url) as client:
        item = client.get(f"/api/v1/queue/default/i/{done['item_id']}")
    assert item["workflow"]["name"] == "Adder"
    assert item["workflow"]["nodes"][0]["data"]["inputs"]["b"]["value"] == 40


def test_a_workflow_is_saved_listed_shown_run_replaced_and_deleted(server: RunningServer, tmp_path: Path) -> None:
    def library(*arguments: str) -> str:
        return succeeded(impasto("workflow", *arguments, "--url", server.url, folder=tmp_path))

    document = workflow([invocation("sum", "add", {"a": 1, "b": 2})], name="Sum up", exposedFields=expose("sum.b"))
    (tmp_path / "w.json").write_text(json.dumps(document))
    workflow_id = library("save", "w.json").strip()
    assert workflow_id in library("list")
    assert json.loads(library("show", "sum up"))["nodes"] == document["nodes"]
    done = json.loads(library("run", "Sum up", "--set", "sum.b=40", "--json"))
    assert done["results"]["sum"]["value"] == 41
    (line,) = failed(impasto("workflow", "run", "Sum up", "--set", "sum.a=4", "--url", server.url, folder=tmp_path), 1)
    assert "exposes no input 'sum::a'" in line
    (tmp_path / "w.json").write_text(json.dumps({**document, "name": "Better", "id": "of another server"}))
    assert library("save", "w.json", "--replace", "Sum up").strip() == workflow_id
    assert [entry["name"] for entry in json.loads(library("list", "--json"))] == ["Better"]
    assert library("delete", workflow_id) == ""
    (line,) = failed(impasto("workflow", "show", "Better", "--url", server.url, folder=tmp_path), 1)
    assert "no saved workflow has the id or the name 'Better'" in line


def test_run_writes_the_pictures_it_made_into_a_folder(server: RunningServer, tmp_path: Path) -> None:
    graph = {"nodes": {"blank": {"type": "blank_image", "width": 16, "height": 8}}, "edges": []}
    (tmp_path / "graph.json").write_text(json.dumps(graph))
    done = succeeded(impasto("run", "graph.json", "--url", server.url, "--out", "made/out", "--json", folder=tmp_path))
    (path,) = json.loads(done)["paths"]
    assert picture(tmp_path / path).size == (16, 8)


def test_run_lists_every_problem_of_a_graph(server: RunningServer, tmp_path: Path) -> None:
    broken = {"nodes": {"a": {"type": "ad"}, "b": {"type": "integer", "value": "many"}}, "edges": []}
    (tmp_path / "graph.json").write_text(json.dumps(broken))
    _, *problems = failed(impasto("run", "graph.json", "--url", server.url, folder=tmp_path), 1)
    assert len(problems) == 2
    assert "'ad'" in problems[0]
    assert "b.value" in problems[1]


def test_run_says_which_node_failed_and_why(server: RunningServer, tmp_path: Path) -> None:
    division = {"nodes": {"half": {"type": "div", "a": 1, "b": 0}}, "edges": []}
    (tmp_path / "graph.json").write_text(json.dumps(division))
    (line,) = failed(impasto("run", "graph.json", "--url", server.url, folder=tmp_path), 1)
    assert "queue item" in line
    assert "failed" in line


def test_lists_are_tables_for_people_and_json_for_programs(server: RunningServer, tmp_path: Path) -> None:
    for command, word, column in (
        ("plugins", "impasto-sd", "name"),
        ("nodes", "denoise_latents", "type"),
        ("models", "Impasto starter", "name"),
    ):
        assert word in succeeded(impasto(command, "--url", server.url, folder=tmp_path))
        listed = json.loads(succeeded(impasto(command, "--url", server.url, "--json", folder=tmp_path)))
        assert word in {entry[column] for entry in listed}
    found = json.loads(succeeded(impasto("nodes", "blur", "--url", server.url, "--json", folder=tmp_path)))
    assert [node["type"] for node in found] == ["img_blur"]


def test_listing_the_queue_without_a_server_runs_nothing(tmp_path: Path) -> None:
    settings = Settings.load(root=tmp_path / "root", flags={"port": 0})
    idle = Server(Impasto.build(settings), work=False)
    with Client(idle.start_in_thread()) as client:
        client.enqueue("/api/v1/queue/default/enqueue_batch", {"batch": {"graph": ADDITION, "runs": 1}})
    idle.stop()
    for _ in range(2):
        listed = json.loads(succeeded(impasto("queue", "list", "--root", settings.root, "--json", folder=tmp_path)))
        assert [item["status"] for item in listed["items"]] == ["pending"]
    table = impasto("queue", "list", "--root", settings.root, folder=tmp_path)
    assert "pending" in succeeded(table)
    assert "1 pending, 0 in progress" in table.stderr


def test_the_doctor_finds_a_healthy_server(server: RunningServer, tmp_path: Path) -> None:
    report = json.loads(succeeded(impasto("doctor", "--root", server.root, "--json", folder=tmp_path)))
    assert report["healthy"]
    subjects = [finding["subject"] for finding in report["findings"]]
    assert {"server", "device", "plugins", "models", "root folder", "database", "disk"} <= set(subjects)
    assert "✓ plugins" in succeeded(impasto("doctor", "--root", server.root, folder=tmp_path))


def test_the_doctor_ends_with_status_1_when_a_plugin_failed(tmp_path: Path) -> None:
    make_plugin(tmp_path / "site", "broken-one", "import nothing_of_this_name\n")
    done = impasto("doctor", "--root", "root", "--wait", 60, folder=tmp_path, PYTHONPATH=str(tmp_path / "site"))
    assert done.returncode == 1, done.stderr
    assert "✗ plugin" in done.stdout
    assert "nothing_of_this_name" in done.stdout


def test_a_plugin_adds_a_command(plugins: Path, tmp_path: Path) -> None:
    done = impasto("greet", "you", "--loud", folder=tmp_path, PYTHONPATH=str(plugins))
    assert (done.returncode, done.stdout) == (7, "hello you --loud\n")


def test_wrong_usage_a_wrong_setting_and_no_server_have_statuses_of_their_own(tmp_path: Path) -> None:
    assert "No such command" in " ".join(failed(impasto("sttings", folder=tmp_path), 2))
    assert failed(impasto("serve", "--set", "prt=1", folder=tmp_path), 2) == [
        "impasto: --set: no setting is called 'prt'; did you mean 'port'?"
    ]
    (line,) = failed(impasto("plugins", "--url", "127.0.0.1:1", folder=tmp_path), 3)
    assert "127.0.0.1:1" in line


@pytest.mark.parametrize("command", [("serve", "--port", "0"), ("plugins",), ("generate", "a star")])
def test_a_root_that_cannot_be_made_is_refused_in_one_line(tmp_path: Path, command: Sequence[str]) -> None:
    (tmp_path / "file").write_bytes(b"")
    (line,) = failed(impasto(*command, "--root", "file/root", folder=tmp_path), 3)
    assert "file/root cannot be used: Not a directory" in line


def test_a_second_server_on_a_root_is_refused_in_one_line(server: RunningServer, tmp_path: Path) -> None:
    (line,) = failed(impasto("serve", "--root", server.root, "--port", 0, folder=tmp_path), 3)
    assert server.url in line


def test_serve_says_where_it_is_and_what_to_try_and_ends_cleanly(tmp_path: Path) -> None:
    with running_server(tmp_path / "root") as server:
        pass
    said = (tmp_path / "root" / "server.log").read_text()
    assert server.process.returncode == 0, said
    assert f"Impasto serves {server.url}" in said
    assert 'generate "a red star on a blue background" --out star.png' in said
    assert "Impasto has stopped." in said
    assert "Traceback" not in said


def test_help_loads_neither_a_client_nor_the_server() -> None:
    code = (
        "import sys\nsys.argv = ['impasto', '--help']\nfrom impasto.cli import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code\n"
        "print('LOADED', [m for m in ('httpx', 'fastapi', 'pydantic', 'impasto.host') if m in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "LOADED []"
