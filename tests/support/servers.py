"""Real servers for tests: a process of its own, started as a person would, on a free port and a fresh root."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

#: A server that has not answered by then has failed; it usually takes a second.
START_TIMEOUT_S = 60.0


@dataclass(frozen=True)
class RunningServer:
    """A server process and how to reach it."""

    url: str
    root: Path
    process: subprocess.Popen[bytes]

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, timeout=60)


@contextmanager
def running_server(
    root: Path, *, environment: Mapping[str, str] | None = None, python_path: Path | None = None
) -> Iterator[RunningServer]:
    """Start `impasto serve` on `root` and give it once it answers; end it with SIGINT and wait."""
    root.mkdir(parents=True, exist_ok=True)
    environ = {**os.environ, "OMP_NUM_THREADS": "1", **(environment or {})}
    if python_path is not None:
        environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(python_path), environ.get("PYTHONPATH")]))
    log = (root / "server.log").open("wb")
    process = subprocess.Popen(
        [sys.executable, "-m", "impasto", "serve", "--root", str(root), "--port", "0"],
        stdout=log,
        stderr=subprocess.STDOUT,
        env=environ,
    )
    try:
        yield RunningServer(url=_wait_for_url(root, process), root=root, process=process)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        log.close()


@contextmanager
def server_with_key(root: Path, provider_id: str, *, api_key: str, base_url: str) -> Iterator[httpx.Client]:
    """A client of a server that has the key of an external provider, whose service is at `base_url`."""
    no_torch = {"IMPASTO_DISABLED_PLUGINS": '["impasto-sd", "impasto-starter"]'}
    with running_server(root, environment=no_torch) as server, server.client() as client:
        config = {"api_key": api_key, "base_url": base_url}
        client.post(f"/api/v1/app/external_providers/config/{provider_id}", json=config).raise_for_status()
        yield client


def _wait_for_url(root: Path, process: subprocess.Popen[bytes]) -> str:
    deadline = time.monotonic() + START_TIMEOUT_S
    address = root / "server.json"
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            url = str(json.loads(address.read_text())["url"])
            # without the certificates of the world, which take longer to read than the answer
            if httpx.get(url + "/health", timeout=5, verify=False).is_success:
                return url
        except (OSError, ValueError, KeyError, httpx.TransportError):
            pass
        time.sleep(0.05)
    raise AssertionError("the server did not start:\n" + (root / "server.log").read_text())


def wait_for_item(client: httpx.Client, item_id: int, *, timeout_s: float = 120.0) -> dict[str, object]:
    """The queue item once it has ended."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        item: dict[str, object] = client.get(f"/api/v1/queue/default/i/{item_id}").raise_for_status().json()
        if item["status"] in ("completed", "failed", "canceled"):
            return item
        time.sleep(0.05)
    raise AssertionError(f"item {item_id} did not end: {item}")
