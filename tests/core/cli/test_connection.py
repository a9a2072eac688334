"""A command talks to the server of its own root folder, and to no other."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from impasto.api.server import Server
from impasto.app import Impasto
from impasto.cli.connection import running_server
from impasto.settings import Settings
from impasto.storage.root_claim import LOCK_FILE, SERVER_FILE, RootClaim


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    with Server(Impasto.build(Settings.load(root=tmp_path / "one", flags={"port": 0})), work=False):
        yield json.loads((tmp_path / "one" / SERVER_FILE).read_text())["url"]


def test_the_server_of_the_folder_is_found(url: str, tmp_path: Path) -> None:
    assert running_server(tmp_path / "one") == url
    assert running_server(tmp_path / "none") is None


def test_a_server_that_took_the_port_of_a_killed_one_is_not_taken_for_it(url: str, tmp_path: Path) -> None:
    killed = tmp_path / "killed"
    killed.mkdir()
    (killed / LOCK_FILE).touch()
    (killed / SERVER_FILE).write_text(json.dumps({"url": url, "pid": 1}))

    assert running_server(killed) is None


def test_a_server_that_does_not_answer_is_none(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, RootClaim(tmp_path) as claim:
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
        taken.close()
        claim.publish(address)

        assert running_server(tmp_path) is None
