"""The server process: one to a root folder, found through a file there, and gone cleanly."""

import json
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from support.http_servers import http_server

from impasto.api.server import Server
from impasto.app import Impasto
from impasto.errors import ServerError
from impasto.settings import Settings
from impasto.storage.root_claim import SERVER_FILE

SERVE = """
import sys, pathlib
from impasto.api.server import serve
from impasto.app import Impasto
from impasto.settings import Settings

settings = Settings.load(root=pathlib.Path(sys.argv[1]), flags={"port": 0, "devices": []})
serve(Impasto.build(settings), on_ready=lambda url: print(url, flush=True))
print("ended", flush=True)
"""


def test_a_running_server_writes_where_it_is_and_removes_it(tmp_path: Path) -> None:
    with http_server(tmp_path) as server:
        assert json.loads((tmp_path / SERVER_FILE).read_text())["url"] == server.url
    assert not (tmp_path / SERVER_FILE).exists()


def test_a_second_server_on_one_root_is_refused_and_told_of_the_first(tmp_path: Path) -> None:
    with http_server(tmp_path) as server:
        second = Server(Impasto.build(Settings.load(root=tmp_path, flags={"port": 0})))
        with pytest.raises(ServerError, match=server.url):
            second.start_in_thread()
        assert server.client.get("/health").status_code == 200


def test_a_taken_port_is_refused_in_words(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with (
            pytest.raises(ServerError, match=rf"cannot listen on 127.0.0.1:{port}.*set another `port`"),
            http_server(tmp_path, port=port),
        ):
            pass
    assert not (tmp_path / SERVER_FILE).exists()


def test_a_server_may_be_started_again_on_its_root(tmp_path: Path) -> None:
    for _ in range(2):
        with http_server(tmp_path) as server:
            assert server.client.get("/api/v1/queue/default/status").status_code == 200


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_server_cleanly_even_with_an_open_stream(tmp_path: Path, number: signal.Signals) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(tmp_path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        with httpx.stream("GET", f"{url}/api/v1/events", timeout=60, trust_env=False) as answer:
            lines = answer.iter_lines()
            assert next(lines).startswith("id:")
            process.send_signal(number)
            assert "ended" in process.stdout.read()
            list(lines)
        assert process.stderr is not None
        errors = process.stderr.read()
    assert process.returncode == 0, errors
    assert "Traceback" not in errors
    assert not (tmp_path / SERVER_FILE).exists()
