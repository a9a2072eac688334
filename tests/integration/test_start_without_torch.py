"""The server and the node modules stay free of the heavy libraries; only workers pay for them."""

import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ("torch", "diffusers", "transformers")


def heavy_modules_after(code: str) -> list[str]:
    """Which heavy libraries a fresh interpreter has imported after running `code`."""
    check = f"{code}\nimport sys\nprint(*[m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True, timeout=120)
    return done.stdout.split()


def test_a_serving_server_has_imported_no_torch(tmp_path: Path) -> None:
    code = f"""
import pathlib, urllib.request
from impasto.api.server import Server
from impasto.app import Impasto
from impasto.settings import Settings
server = Server(Impasto.build(Settings.load(root=pathlib.Path({str(tmp_path)!r}), flags={{"port": 0}})))
url = server.start_in_thread()
for path in ("/health", "/", "/api/v1/nodes", "/api/v1/panels", "/api/v2/models/", "/openapi.json"):
    urllib.request.urlopen(url + path).read()
server.stop()
"""
    assert heavy_modules_after(code) == []


def test_importing_every_node_module_imports_no_torch() -> None:
    code = """
from impasto.host import PluginHost
host = PluginHost.load()
assert [p for p in host.plugins if p.state != "active"] == [], host.plugins
for spec in host.catalogue.values():
    spec.to_document()
assert len(host.catalogue) > 40
"""
    assert heavy_modules_after(code) == []


@pytest.mark.parametrize("module", ["impasto.engine.worker", "impasto.scheduler", "impasto.cli"])
def test_the_core_imports_no_torch(module: str) -> None:
    assert heavy_modules_after(f"import {module}") == []
