"""Secrets stay in the server: planted everywhere, repeated by a plugin wherever it can, and then looked for everywhere.

A real server, with a plugin that puts its keys into errors, log lines, progress messages, outputs and metadata, and a
service that repeats the key it is sent. Keys are in the environment, in the file, and set while the server runs.
"""

import io
import json
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import httpx
import pytest
from PIL import Image
from support import parrot
from support.plugins import make_plugin
from support.servers import RunningServer, running_server, wait_for_item
from support.stand_in import Reply, StandIn

from impasto.settings import Settings

#: As people make them, and as bad as they come; of the address, what lets one in.
OF_ENVIRONMENT = 'planted "in" the\\environment/ & mörë + 100%'
OF_FILE = "planted-in-the-file-4711"
PASSWORD = "planted-in-an-address-42"
ADDRESS = f"https://parrot:{PASSWORD}@proxy.example/v1"
#: Set while the server runs, one after the other, and one that no plugin declares.
KEYS = ["pk-planted-by-the-api-1", "pk-planted-by-the-api-2"]
UNDECLARED = "planted-for-nobody-99"
EVERY_SECRET = [OF_ENVIRONMENT, OF_FILE, PASSWORD, *KEYS, UNDECLARED]

ENVIRONMENT = {
    "IMPASTO_LOG_LEVEL": "debug",
    "IMPASTO_DEVICES": '["cpu"]',
    "IMPASTO_MAX_ATTEMPTS": "1",
    "IMPASTO_DISABLED_PLUGINS": '["impasto-sd", "impasto-starter"]',
    "IMPASTO_SECRET_PARROT_OF_ENVIRONMENT": OF_ENVIRONMENT,
}
CONFIG = "/api/v1/app/external_providers/config/parrot"
#: What the plugin is made to repeat the secrets in, and how that ends.
WAYS = {
    "hash": "completed",
    "output": "completed",
    "log": "completed",
    "progress": "completed",
    "print": "completed",
    "environment": "completed",
    "error": "failed",
    "mistake": "failed",
}
#: Commands that say what there is.
SHOWING = (
    ["settings"],
    ["settings", "--json"],
    ["doctor"],
    ["plugins", "--json"],
    ["providers", "list"],
)


def spellings(secret: str) -> set[bytes]:
    """How a secret would be written, in whatever."""
    texts = {secret, repr(secret)[1:-1], quote(secret), quote(secret, safe=""), quote_plus(secret)}
    for text in list(texts):
        once = {json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]}
        texts |= once | {json.dumps(each)[1:-1] for each in once}
    return {text.encode() for text in texts} | {secret.encode("latin-1")}


SPELLINGS = {spelling: secret for secret in EVERY_SECRET for spelling in spellings(secret)}


def assert_no_secret(what: str, data: bytes | str) -> None:
    data = data.encode() if isinstance(data, str) else data
    found = {secret for spelling, secret in SPELLINGS.items() if spelling in data}
    assert not found, f"{what} holds {found}"


@dataclass
class Left:
    """What a server has left behind, and what it said while it ran."""

    root: Path
    items: dict[str, dict[str, Any]] = field(default_factory=dict)
    bodies: dict[str, bytes] = field(default_factory=dict)
    events: list[str] = field(default_factory=list)
    #: Of the files in the root folder, while the server ran and after it had ended.
    files: dict[str, bytes] = field(default_factory=dict)
    processes: dict[str, bytes] = field(default_factory=dict)
    #: What commands print.
    shown: dict[str, bytes] = field(default_factory=dict)
    asked_with: list[str] = field(default_factory=list)

    @property
    def log(self) -> str:
        return (self.root / "server.log").read_text("utf-8")


class Investigation:
    """What is done to a server to have it give its secrets away."""

    def __init__(self, server: RunningServer, client: httpx.Client, service: StandIn, left: Left) -> None:
        self.server = server
        self.client = client
        self.service = service
        self.left = left

    def carry_out(self) -> None:
        """Try everything."""
        self.set_key(KEYS[0])
        for how in WAYS:
            self.run(f"says {how}", "parrot_says", how=how)
        self.run("counts", "parrot_counts")
        self.run("paints", "parrot_paints")
        self.run("paints into the file", "parrot_paints", embed=True)
        self.left.processes |= processes_below(self.server.process.pid)
        for number, key in enumerate(KEYS):
            self.set_key(key)
            self.provide(number, key)
        self.check_key(KEYS[1])
        self.get("config")
        self.client.delete(CONFIG).raise_for_status()
        self.run("dies", "parrot_says", how="death")
        self.look_everywhere()
        self.keep_files("while it runs")
        for command in SHOWING:
            self.left.shown[" ".join(command)] = shown_by(command, self.left.root)

    def set_key(self, key: str) -> None:
        answer = self.client.post(CONFIG, json={"api_key": key, "base_url": self.service.url})
        self.left.bodies[f"config {key}"] = answer.raise_for_status().content

    def run(self, name: str, node_type: str, **fields: Any) -> None:
        nodes = {"n": {"id": "n", "type": node_type, **fields}}
        answer = self.client.post(
            "/api/v1/queue/default/enqueue_batch", json={"batch": {"graph": {"nodes": nodes, "edges": []}}}
        )
        assert answer.is_success, answer.text
        self.left.items[name] = wait_for_item(self.client, answer.json()["item_ids"][0])

    def provide(self, number: int, key: str) -> None:
        """Have the service make a picture, refuse the key, and answer nonsense, each time repeating the key."""
        buffer = io.BytesIO()
        Image.new("RGB", (64, 64), "red").save(buffer, "PNG")
        heard = f"Bearer {key}"
        replies = {
            "provides": Reply.json({"picture": buffer.getvalue().hex(), "heard": heard}),
            "is refused": Reply.json({"error": {"message": f"Incorrect API key provided: {heard}"}}, 401),
            "is confused": Reply.json({"confused": True, "heard": heard}),
        }
        for name, reply in replies.items():
            self.service.answers(reply)
            model = {
                "key": "parrot.ara-1",
                "hash": "",
                "name": "Ara",
                "base": "external",
                "type": "external_image_generator",
            }
            self.run(f"{name} {number}", "parrot_image_generation", model=model, prompt="a bird")

    def check_key(self, key: str) -> None:
        self.service.answers(Reply.json({"error": {"message": f"Incorrect API key provided: {key}"}}, 401))
        self.left.bodies["test"] = self.client.post(f"{CONFIG}/test").content
        for name, body in {
            "a list": {"api_key": [KEYS[0]]},
            "a blank": {"api_key": f"{KEYS[0]} {KEYS[1]}"},
            "elsewhere": {"base_url": f"http://{KEYS[0]}"},
            "unknown": {"key": KEYS[0]},
        }.items():
            answer = self.client.post(CONFIG, json=body)
            assert answer.status_code >= 400, name
            self.left.bodies[f"refused {name}"] = answer.content

    def get(self, path: str) -> None:
        address = path if path.startswith("/") else f"/api/v1/app/external_providers/{path}"
        self.left.bodies[path] = self.client.get(address).raise_for_status().content

    def look_everywhere(self) -> None:
        document = self.client.get("/openapi.json").raise_for_status().json()
        self.left.bodies["/openapi.json"] = json.dumps(document).encode()
        paths = [path for path, methods in document["paths"].items() if "get" in methods and "{" not in path]
        assert len(paths) > 20
        for path in paths:
            if not path.startswith("/api/v1/events"):
                self.left.bodies[path] = self.client.get(path).content
        for image in self.client.get("/api/v1/images/").raise_for_status().json()["items"]:
            name = image["image_name"]
            for what in ("full", "metadata", "workflow", "thumbnail"):
                self.left.bodies[f"{name} {what}"] = self.client.get(f"/api/v1/images/i/{name}/{what}").content
        for item in self.left.items.values():
            self.get(f"/api/v1/queue/default/i/{item['item_id']}")

    def keep_files(self, when: str) -> None:
        for path in self.left.root.rglob("*"):
            if path.is_file() and path.name != "api_keys.yaml":
                self.left.files[f"{path.relative_to(self.left.root)} {when}"] = path.read_bytes()


def processes_below(pid: int) -> dict[str, bytes]:
    """Command lines and environments of what a process has started, and of what that has."""
    found: dict[str, bytes] = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((process / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == pid:
                for name in ("environ", "cmdline"):
                    found[f"{process.name} {name}"] = (process / name).read_bytes()
                found |= processes_below(int(process.name))
        except OSError:
            continue  # it has ended
    return found


def shown_by(command: Sequence[str], root: Path) -> bytes:
    program = [sys.executable, "-m", "impasto", *command, "--root", str(root)]
    shown = subprocess.run(program, env={**os.environ, **ENVIRONMENT}, capture_output=True)
    assert shown.stdout, shown.stderr
    return shown.stdout + shown.stderr


def listen(server: RunningServer, heard: list[str], ready: threading.Event) -> None:
    with httpx.stream("GET", f"{server.url}/api/v1/events", timeout=None) as answer:
        for line in answer.iter_lines():
            heard.append(line)
            ready.set()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the plugin is installed."""
    folder = tmp_path_factory.mktemp("site")
    make_plugin(folder, "impasto-parrot", Path(parrot.__file__).read_text("utf-8"))
    return folder


def plant(root: Path) -> None:
    root.mkdir()
    keys = f"parrot_of_file: {OF_FILE}\nparrot_address: {ADDRESS}\nof_nobody: {UNDECLARED}\n"
    (root / "api_keys.yaml").write_text(keys, "utf-8")


@pytest.fixture(scope="module")
def left(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Left:
    """Everything that is left of a server that was told secrets in every way, and repeated them."""
    left = Left(tmp_path_factory.mktemp("house") / "root")
    plant(left.root)
    environment = {**ENVIRONMENT, "IMPASTO_LOG_FORMAT": "text"}
    with StandIn() as service:
        with running_server(left.root, environment=environment, python_path=site) as server:
            ready = threading.Event()
            listener = threading.Thread(target=listen, args=(server, left.events, ready), daemon=True)
            listener.start()
            assert ready.wait(60)
            with server.client() as client:
                Investigation(server, client, service, left).carry_out()
        listener.join(60)
        left.asked_with = [asked.headers["authorization"] for asked in service.requests]
    for path in left.root.rglob("*"):
        if path.is_file() and path.name != "api_keys.yaml":
            left.files[f"{path.relative_to(left.root)} at the end"] = path.read_bytes()
    return left


def test_the_secrets_are_really_given(left: Left) -> None:
    hashes = [sha256(secret.encode()).hexdigest() for secret in (OF_ENVIRONMENT, OF_FILE, ADDRESS)]
    assert result(left, "says hash") == " ".join(hashes)
    assert set(left.asked_with) == {f"Bearer {key}" for key in KEYS}


def test_what_is_repeated_has_stars_in_the_place_of_secrets(left: Left) -> None:
    assert {name: left.items[f"says {name}"]["status"] for name in WAYS} == WAYS
    assert result(left, "says output").startswith("*** *** ")
    assert "***" in str(left.items["counts"]["session"]["results"])
    assert left.items["says error"]["error_message"].startswith("node 'n' (parrot_says): the service says: *** *** ")
    assert "***" in left.items["says mistake"]["error_message"]
    assert "KeyError" in left.items["says mistake"]["error_traceback"]
    for number in range(len(KEYS)):
        assert left.items[f"provides {number}"]["status"] == "completed"
        assert "***" in left.items[f"is refused {number}"]["error_message"]
        assert "***" in left.items[f"is confused {number}"]["error_traceback"]
    assert "its last output: dying of ***" in left.items["dies"]["error_message"]
    assert any('"message": "sending ***' in line or '"message":"sending ***' in line for line in left.events)
    for words in ("heard ***", "headers: ", "asked with ", "dying of ***", "loaded in ", "is *** ***"):
        (line, *_) = [line for line in left.log.splitlines() if words in line]
        assert "***" in line
    assert any(b"***" in body for name, body in left.bodies.items() if name.endswith("metadata"))


def test_a_picture_with_a_secret_in_its_bytes_is_not_stored(left: Left) -> None:
    item = left.items["paints into the file"]
    assert item["error_type"] == "SecretInDataError"
    assert "holds a key of this server" in item["error_message"]


def test_no_secret_is_in_the_log(left: Left) -> None:
    assert "parrot" in left.log
    assert_no_secret("the log", left.log)


def test_no_secret_is_in_a_log_for_programs(site: Path, tmp_path: Path) -> None:
    left = Left(tmp_path / "root")
    plant(left.root)
    environment = {**ENVIRONMENT, "IMPASTO_LOG_FORMAT": "json"}
    with (
        StandIn() as service,
        running_server(left.root, environment=environment, python_path=site) as server,
        server.client() as client,
    ):
        investigation = Investigation(server, client, service, left)
        investigation.set_key(KEYS[0])
        investigation.check_key(KEYS[0])
        for how in ("log", "print", "mistake"):
            investigation.run(how, "parrot_says", how=how)
    assert_no_secret("the log", left.log)
    said = {(line["logger"], line["message"]) for line in map(json.loads, left.log.splitlines())}
    assert_no_secret("the log, read", json.dumps(sorted(said), ensure_ascii=False))
    assert any(logger == "parrot" and "is *** ***" in message for logger, message in said)
    assert any(
        logger == "parrot" and "'IMPASTO_SECRET_PARROT_OF_ENVIRONMENT': '***'" in message for logger, message in said
    )
    assert any(logger == "impasto.node.parrot_says" and "heard *** ***" in message for logger, message in said)
    assert any(logger == "impasto.worker.output" and message.startswith("*** ***") for logger, message in said)


def test_no_secret_is_in_an_event(left: Left) -> None:
    assert any(line == "event: invocation_progress" for line in left.events)
    assert any(line == "event: invocation_error" for line in left.events)
    assert_no_secret("an event", "\n".join(left.events))


def test_no_secret_is_in_a_file_but_the_one_for_them(left: Left) -> None:
    names = {name.partition(" ")[0] for name in left.files}
    assert {"impasto.db", "impasto.db-wal", "server.log"} <= names
    assert any(name.endswith(".png") for name in names)
    for name, data in left.files.items():
        assert_no_secret(name, data)
    kept = (left.root / "api_keys.yaml").read_text("utf-8")
    assert OF_FILE in kept
    assert UNDECLARED in kept, "what no plugin declares is not lost"
    assert not any(key in kept for key in KEYS), "what was removed is gone"
    assert (left.root / "api_keys.yaml").stat().st_mode & 0o777 == 0o600


def test_no_secret_is_in_an_answer(left: Left) -> None:
    assert len(left.bodies) > 60
    for name, body in left.bodies.items():
        assert_no_secret(f"the answer to {name}", body)


@pytest.mark.skipif(sys.platform != "linux", reason="processes are looked at in /proc")
def test_no_secret_is_in_the_environment_or_the_command_line_of_a_worker(left: Left) -> None:
    assert any(b"impasto.engine.worker" in data for name, data in left.processes.items() if name.endswith("cmdline"))
    for name, data in left.processes.items():
        assert_no_secret(f"process {name}", data)
        assert b"IMPASTO_SECRET" not in data
    assert "IMPASTO_SECRET" not in result(left, "says environment")
    assert "a child sees: 0" in left.log


def test_no_secret_is_in_what_is_shown_of_the_settings(left: Left, monkeypatch: pytest.MonkeyPatch) -> None:
    for command, shown in left.shown.items():
        assert b"Traceback" not in shown
        assert_no_secret(command, shown)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    settings = Settings.load(root=left.root)
    assert_no_secret("the settings", f"{settings!r} {settings.model_dump_json()} {vars(settings)}")


def result(left: Left, name: str) -> str:
    value: str = left.items[name]["session"]["results"]["n"]["value"]
    return value
