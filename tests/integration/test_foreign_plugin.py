"""A stranger's plugin, installed as any distribution is, is a first-class one; a broken one harms nobody."""

import io
from pathlib import Path

from PIL import Image
from support.plugins import make_plugin
from support.servers import running_server, wait_for_item

STRANGER = '''
"""A plugin by somebody who has read nothing but the sdk's documentation."""

from impasto_sdk import (
    BaseInvocation, EnqueueRefusedError, ImageField, ImageOutput, InputField, InvocationContext, hookimpl, invocation,
)


@invocation("stranger_invert", title="Invert", category="image", version="2.1.0")
class Invert(BaseInvocation):
    """Invert the colours of an image."""

    image: ImageField = InputField(description="The image to invert")

    def invoke(self, context: InvocationContext) -> ImageOutput:
        from PIL import ImageChops

        return context.images.save(ImageChops.invert(context.images.load(self.image, "RGB")))


@hookimpl
def register_invocations():
    return [Invert]


@hookimpl
def before_enqueue(proposal):
    if proposal.origin == "forbidden":
        raise EnqueueRefusedError("the stranger does not like this origin")
'''

CLASHING = '''
from impasto_sdk import BaseInvocation, InputField, IntegerOutput, InvocationContext, hookimpl, invocation


@invocation("integer")
class Integer(BaseInvocation):
    """Another integer."""

    value: int = InputField(0, description="The integer")

    def invoke(self, context: InvocationContext) -> IntegerOutput:
        return IntegerOutput(value=self.value)


@hookimpl
def register_invocations():
    return [Integer]
'''


def test_a_stranger_s_plugin_appears_and_runs_and_broken_ones_are_set_aside_with_their_reason(tmp_path: Path) -> None:
    site = tmp_path / "site"
    make_plugin(site, "stranger-plugin", STRANGER)
    make_plugin(site, "broken-plugin", "import a_module_that_nobody_has")
    make_plugin(site, "future-plugin", STRANGER.replace("stranger_", "future_"), sdk_range=">=99")
    make_plugin(site, "zz-clashing-plugin", CLASHING)

    with running_server(tmp_path / "root", python_path=site) as server, server.client() as client:
        plugins = {plugin["name"]: plugin for plugin in client.get("/api/v1/plugins").json()["plugins"]}
        assert plugins["stranger-plugin"]["state"] == "active"
        assert plugins["broken-plugin"]["state"] == "failed"
        assert "a_module_that_nobody_has" in plugins["broken-plugin"]["reason"]
        assert "Traceback" in plugins["broken-plugin"]["traceback"]
        assert plugins["future-plugin"]["state"] == "incompatible"
        assert ">=99" in plugins["future-plugin"]["reason"]
        assert plugins["zz-clashing-plugin"]["state"] == "clashing"
        assert "impasto-primitives" in plugins["zz-clashing-plugin"]["reason"]
        assert "zz-clashing-plugin" in plugins["zz-clashing-plugin"]["reason"]

        node = client.get("/api/v1/nodes/stranger_invert").json()
        assert node["version"] == "2.1.0"
        assert client.get("/api/v1/nodes/future_invert").status_code == 404

        graph = {
            "nodes": {
                "blank": {"type": "blank_image", "width": 8, "height": 4, "color": {"r": 255, "g": 0, "b": 0}},
                "invert": {"type": "stranger_invert"},
            },
            "edges": [
                {
                    "source": {"node_id": "blank", "field": "image"},
                    "destination": {"node_id": "invert", "field": "image"},
                }
            ],
        }
        answer = client.post("/api/v1/queue/default/enqueue_batch", json={"batch": {"graph": graph, "runs": 1}})
        item = wait_for_item(client, answer.json()["item_ids"][0])
        assert item["status"] == "completed", item["error_message"]
        result = item["session"]["results"]["invert"]
        assert (result["width"], result["height"]) == (8, 4)
        picture = client.get(f"/api/v1/images/i/{result['image']['image_name']}/full").content
        assert Image.open(io.BytesIO(picture)).convert("RGB").getpixel((0, 0)) == (0, 255, 255)

        refused = client.post(
            "/api/v1/queue/default/enqueue_batch", json={"batch": {"graph": graph, "runs": 1, "origin": "forbidden"}}
        )
        assert 400 <= refused.status_code < 500
        assert "the stranger does not like this origin" in refused.json()["detail"]
