"""A root folder belongs to one server, for as long as its process lives."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from impasto.errors import ServerError
from impasto.storage.root_claim import SERVER_FILE, RootClaim, find_server

HOLDER = """
import sys, pathlib
from impasto.storage.root_claim import RootClaim
with RootClaim(pathlib.Path(sys.argv[1])) as claim:
    claim.publish("http://127.0.0.1:1234")
    print("claimed", flush=True)
    sys.stdin.read()
"""


def test_a_server_is_found_while_it_runs_and_not_after(tmp_path: Path) -> None:
    with RootClaim(tmp_path) as claim:
        assert find_server(tmp_path) is None
        claim.publish("http://127.0.0.1:9090")
        assert find_server(tmp_path) == {"url": "http://127.0.0.1:9090", "pid": os.getpid()}
    assert find_server(tmp_path) is None
    assert not (tmp_path / SERVER_FILE).exists()


def test_a_second_server_is_refused_and_told_of_the_first(tmp_path: Path) -> None:
    with RootClaim(tmp_path) as claim:
        claim.publish("http://127.0.0.1:9090")
        with pytest.raises(ServerError, match=rf"http://127.0.0.1:9090 \(process {os.getpid()}\)"), RootClaim(tmp_path):
            pass
        assert find_server(tmp_path) is not None


def test_a_second_server_is_refused_while_the_first_is_starting(tmp_path: Path) -> None:
    with RootClaim(tmp_path), pytest.raises(ServerError, match="which is starting"), RootClaim(tmp_path):
        pass


def test_the_claim_of_a_killed_server_is_void(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"claimed\n"
        assert find_server(tmp_path) == {"url": "http://127.0.0.1:1234", "pid": holder.pid}
        holder.kill()

    assert (tmp_path / SERVER_FILE).exists()
    assert find_server(tmp_path) is None
    with RootClaim(tmp_path):
        assert not (tmp_path / SERVER_FILE).exists()


def test_a_file_that_is_not_ours_is_no_server(tmp_path: Path) -> None:
    (tmp_path / SERVER_FILE).write_text(json.dumps(["what"]))

    assert find_server(tmp_path) is None


def test_a_root_that_does_not_exist_is_made(tmp_path: Path) -> None:
    with RootClaim(tmp_path / "a" / "b"):
        assert (tmp_path / "a" / "b").is_dir()
