"""The plugin passes the checks of the test kit, and reaching it costs no HTTP client."""

import subprocess
import sys
from collections.abc import Iterator

import pytest
from PIL import Image
from support.gemini_service import gemini_context, gemini_model, pictures
from support.provenance import signed_picture
from support.stand_in import StandIn

from impasto_gemini import plugin
from impasto_gemini.node import GeminiImageGeneration
from impasto_sdk.testing import FakeContext, NodeConformance, plugin_conformance

PICTURE = Image.new("RGB", (8, 8), (20, 120, 40))


class TestGeminiImageGeneration(NodeConformance):
    node = GeminiImageGeneration
    inputs = {
        "model": gemini_model("gemini-3.1-flash-image"),
        "mode": "img2img",
        "prompt": "a fox",
        "num_images": 2,
        "init_image": PICTURE,
        "reference_images": [PICTURE],
        "temperature": 0.5,
        "thinking_level": "high",
    }
    long_running = True

    @pytest.fixture(autouse=True)
    def _service(self) -> Iterator[None]:
        with StandIn() as service:
            service.answers(pictures(signed_picture()))
            self.url = service.url
            yield

    def make_context(self) -> FakeContext:
        return gemini_context(self.url)


def test_the_plugin_declares_what_the_platform_knows() -> None:
    plugin_conformance(plugin)


def test_the_catalogue_is_read_without_an_http_client() -> None:
    heavy = ("httpx", "PIL", "google.genai", "starlette")
    code = f"import sys, impasto_gemini.plugin; print([name for name in {heavy!r} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
