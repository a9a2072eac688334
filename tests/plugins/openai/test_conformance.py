"""The plugin passes the checks of the test kit, and is cheap to have."""

import subprocess
import sys
from collections.abc import Iterator

import pytest
from support.openai_service import openai_context, openai_model, painted
from support.provenance import signed_picture
from support.stand_in import StandIn

from impasto_openai import plugin
from impasto_openai.node import OpenAIImageGeneration
from impasto_sdk.testing import FakeContext, NodeConformance, plugin_conformance


class TestOpenAIImageGeneration(NodeConformance):
    node = OpenAIImageGeneration
    inputs = {"model": openai_model("dall-e-3"), "prompt": "a lighthouse", "num_images": 2}
    long_running = True

    @pytest.fixture(autouse=True)
    def _service(self) -> Iterator[None]:
        with StandIn() as self.service:
            self.service.answers(painted(signed_picture()))
            yield

    def make_context(self) -> FakeContext:
        return openai_context(self.service)


def test_the_plugin_conforms() -> None:
    plugin_conformance(plugin)


def test_loading_the_plugin_brings_no_http_client_and_no_pillow() -> None:
    code = "import sys, impasto_openai.plugin; print([m for m in ('httpx', 'PIL', 'openai') if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
