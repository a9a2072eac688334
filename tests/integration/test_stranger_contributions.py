"""Everything beside nodes that a stranger's plugin can hand over, through a real server: each kind does its work.

Two plugins that know nothing of the core: one uses every hook a feature needs, the other pries.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from support.plugins import make_plugin
from support.servers import RunningServer, running_server, wait_for_item

STRANGER = '''
"""A plugin by somebody who has read nothing but the sdk's documentation."""

import json
import os
from pathlib import Path

from pydantic import BaseModel, Field

from impasto_sdk import (
    BaseInvocation, BaseInvocationOutput, Command, ControlField, DenoiseExtension, DenoiseExtensionFactory,
    FloatOutput, ImageField, InputField, InvocationContext, LatentsField, LoadRequest, ModelFormat,
    ModelIdentification, ModelIdentifierField, OutputField, PanelSection, SecretDeclaration, SettingsDeclaration,
    StringOutput, WebApp, hookimpl, invocation, invocation_output,
)
from impasto_sdk.panels import Number, Section


class Settings(BaseModel):
    """What the operator decides."""

    gain: float = Field(1.0, description="What levels are multiplied by")


class LevelField(ControlField):
    """Data of this plugin's own, which goes wherever a control goes."""

    level: float = Field(description="What every latent pixel is to be")


@invocation_output("stranger_level_output")
class LevelOutput(BaseInvocationOutput):
    """A level, as a control."""

    control: LevelField = OutputField(description="The level")


@invocation("stranger_level", title="Level", category="control")
class Level(BaseInvocation):
    """A level, times the operator's gain."""

    image: ImageField = InputField(description="Any image")
    level: float = InputField(description="The level")

    def invoke(self, context: InvocationContext) -> LevelOutput:
        gain = context.settings(Settings).gain
        model = ModelIdentifierField(key="none")
        return LevelOutput(control=LevelField(image=self.image, control_model=model, level=self.level * gain))


class LevelExtension(DenoiseExtension):
    """Makes all latents one level at the end."""

    def __init__(self, level):
        self.level = level

    def after_loop(self, state):
        state.latents = state.latents * 0 + self.level


@invocation("stranger_greatest", title="Greatest", category="latents")
class Greatest(BaseInvocation):
    """The greatest of all values of latents."""

    latents: LatentsField = InputField(description="The latents")

    def invoke(self, context: InvocationContext) -> FloatOutput:
        from impasto_sdk.torch import load_tensor

        return FloatOutput(value=float(load_tensor(context, self.latents).max()))


@invocation("stranger_secret", title="Secret", category="test", use_cache=False)
class ReadSecret(BaseInvocation):
    """The plugin's secret, backwards."""

    def invoke(self, context: InvocationContext) -> StringOutput:
        return StringOutput(value=context.secrets.get("stranger_token")[::-1])


class Grain:
    """The plugin's own kind of weights."""

    def __init__(self, coarseness):
        self.coarseness = coarseness


class LoadedGrain:
    """Weights as the model cache sees them."""

    device = "cpu"
    size_bytes = 8

    def __init__(self, model):
        self.model = model

    def move_to(self, device):
        self.device = device

    def release(self):
        self.model = None


class GrainLoader:
    """Reads them."""

    name = "stranger.grain"

    def accepts(self, record, submodel):
        return record.format == "grain" and submodel is None

    def load(self, request: LoadRequest):
        return LoadedGrain(Grain(json.loads(request.path.read_text())["coarseness"]))


@invocation("stranger_grain", title="Grain", category="model")
class UseGrain(BaseInvocation):
    """How coarse a grain is."""

    model: ModelIdentifierField = InputField(description="The grain", ui_model_type="grain")

    def invoke(self, context: InvocationContext) -> FloatOutput:
        with context.models.load(self.model, Grain) as grain:
            return FloatOutput(value=grain.coarseness)


def add_level(values, draft, panel_values):
    canvas = draft.add("blank_image", width=8, height=8, is_intermediate=True)
    level = draft.add("stranger_level", image=canvas.output("image"), level=values.number("level"))
    draft.connect(level.output("control"), draft.find("control"))
    draft.add("stranger_greatest", id="greatest", latents=draft.find("latents"))


async def page(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": b"a page of the stranger"})


def greet(arguments):
    print("the stranger greets", *arguments)
    return 3


@hookimpl
def register_invocations():
    return [Level, Greatest, ReadSecret, UseGrain]


@hookimpl
def register_denoise_extensions():
    return [DenoiseExtensionFactory(field_type=LevelField, create=lambda value, context: LevelExtension(value.level))]


@hookimpl
def register_settings():
    return [SettingsDeclaration(section="stranger", model=Settings)]


@hookimpl
def register_secrets():
    return [SecretDeclaration(name="stranger_token", title="Token")]


@hookimpl
def register_model_formats():
    return [ModelFormat(name="grain", title="Grain")]


@hookimpl
def register_model_loaders():
    return [GrainLoader()]


@hookimpl
def identify_model(path: Path):
    if path.suffix != ".grain":
        return None
    return ModelIdentification(confidence=1, base="stranger", type="grain", format="grain", facts={"rough": True})


@hookimpl
def register_panel_sections():
    fields = [Number(id="level", title="Level", default=0.5, min=0, max=1)]
    section = Section(id="stranger_kit.level", title="Level", toggle=True, fields=fields)
    return [PanelSection(section=section, needs=["control", "latents"], apply=add_level)]


@hookimpl
def register_web_apps():
    return [WebApp(path="/stranger", title="Stranger", app=page)]


@hookimpl
def register_commands():
    return [Command(name="stranger-greet", help="Greet", run=greet)]


@hookimpl
def on_event(event):
    with open(os.environ["STRANGER_DIARY"], "a") as diary:
        diary.write(f"{event.name} {getattr(event, 'status', '')}\\n")


@hookimpl
def on_invocation_complete(event):
    with open(os.environ["STRANGER_DIARY"], "a") as diary:
        diary.write(f"complete {event.invocation['type']}\\n")
'''

NOSY = '''
import os

from impasto_sdk import BaseInvocation, InputField, InvocationContext, StringOutput, hookimpl, invocation


@invocation("nosy_secret", title="Nosy", category="test", use_cache=False)
class Nosy(BaseInvocation):
    """Asks for what is another plugin's, by the front door or the back."""

    politely: bool = InputField(True, description="Whether to ask the context")

    def invoke(self, context: InvocationContext) -> StringOutput:
        if self.politely:
            return StringOutput(value=context.secrets.get("stranger_token"))
        return StringOutput(value=" ".join(value for value in os.environ.values() if "sesame" in value))


@hookimpl
def register_invocations():
    return [Nosy]
'''

PANEL = "/api/v1/panels/sd.text_to_image"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    make_plugin(folder, "stranger-kit", STRANGER)
    make_plugin(folder, "nosy-kit", NOSY)
    return folder


@pytest.fixture(scope="module")
def server(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    root = tmp_path_factory.mktemp("root")
    (root / "impasto.yaml").write_text("plugins:\n  stranger:\n    gain: 0.5\n")
    environment = {"IMPASTO_SECRET_STRANGER_TOKEN": "open sesame", "STRANGER_DIARY": str(root / "diary")}
    with running_server(root, environment=environment, python_path=site) as running:
        yield running


@pytest.fixture
def client(server: RunningServer) -> Iterator[httpx.Client]:
    with server.client() as opened:
        yield opened


def run_alone(client: httpx.Client, node_type: str, **inputs: object) -> dict[str, Any]:
    """The queue item of a graph of one node, ``it``, once it has ended."""
    graph = {"nodes": {"it": {"type": node_type, **inputs}}, "edges": []}
    answer = client.post("/api/v1/queue/default/enqueue_batch", json={"batch": {"graph": graph}})
    return wait_for_item(client, answer.raise_for_status().json()["item_ids"][0])


def panel_values(client: httpx.Client) -> dict[str, Any]:
    model = client.get("/api/v2/models/", params={"model_type": "main"}).json()["models"][0]
    return {"prompt": "a red star", "model": {"key": model["key"]}, "steps": 2}


def with_level(client: httpx.Client) -> dict[str, Any]:
    switched_on = {"_on": {"stranger_kit.level": True}, "stranger_kit.level": {"level": 0.8}}
    return {**panel_values(client), **switched_on}


def test_a_section_joins_a_panel_of_another_plugin_and_changes_its_graph_only_when_switched_on(
    client: httpx.Client,
) -> None:
    panels = {panel["id"]: panel for panel in client.get("/api/v1/panels").json()["panels"]}
    sections = {section["id"]: section for section in panels["sd.text_to_image"]["sections"]}
    assert sections["stranger_kit.level"]["plugin"]["name"] == "stranger-kit"

    plain = client.post(f"{PANEL}/graph", json={"values": panel_values(client)}).raise_for_status().json()["graph"]
    assert "stranger_level" not in plain["nodes"]
    changed = client.post(f"{PANEL}/graph", json={"values": with_level(client)}).raise_for_status().json()["graph"]
    edge = {
        "source": {"node_id": "stranger_level", "field": "control"},
        "destination": {"node_id": "denoise", "field": "control"},
    }
    assert edge in changed["edges"]


def test_data_of_its_own_reaches_the_denoise_loop_as_its_extension_with_the_operators_settings(
    client: httpx.Client,
) -> None:
    answer = client.post(f"{PANEL}/enqueue", json={"values": with_level(client)}).raise_for_status().json()
    item = wait_for_item(client, answer["item_ids"][0])
    assert item["status"] == "completed", item["error_message"]
    # 0.8 from the panel, halved by impasto.yaml, set by the extension after the loop
    assert item["session"]["results"]["greatest"]["value"] == pytest.approx(0.4)


def test_a_secret_is_given_to_the_plugin_that_declared_it(client: httpx.Client) -> None:
    item = run_alone(client, "stranger_secret")
    assert item["session"]["results"]["it"]["value"] == "open sesame"[::-1]


def test_a_secret_is_given_to_no_other_plugin_by_whatever_door(client: httpx.Client) -> None:
    asked = run_alone(client, "nosy_secret")
    assert (asked["status"], asked["error_type"]) == ("failed", "SecretNotFoundError")
    assert "'nosy-kit' does not declare it" in asked["error_message"]
    pried = run_alone(client, "nosy_secret", politely=False)
    assert pried["session"]["results"]["it"]["value"] == ""


def test_weights_that_it_identifies_are_loaded_by_its_loader_for_its_node(client: httpx.Client, tmp_path: Path) -> None:
    weights = tmp_path / "coarse.grain"
    weights.write_text('{"coarseness": 7.5}')
    record = client.post("/api/v2/models/", json={"path": str(weights)}).raise_for_status().json()
    assert (record["base"], record["type"], record["format"]) == ("stranger", "grain", "grain")
    assert record["facts"]["rough"] is True
    item = run_alone(client, "stranger_grain", model={"key": record["key"]})
    assert item["status"] == "completed", item["error_message"]
    assert item["session"]["results"]["it"]["value"] == 7.5


def test_its_web_app_is_served_where_it_asked_to_be(client: httpx.Client) -> None:
    assert client.get("/stranger/anything").text == "a page of the stranger"


def test_its_hooks_are_told_what_happens(client: httpx.Client, server: RunningServer) -> None:
    run_alone(client, "stranger_secret")
    diary, wanted = server.root / "diary", {"queue_item_status_changed completed", "complete stranger_secret"}
    deadline = time.monotonic() + 30
    while not (wanted <= set(diary.read_text().splitlines())) and time.monotonic() < deadline:
        time.sleep(0.05)  # events are told on a thread of their own, after the answer
    lines = diary.read_text().splitlines()
    assert wanted <= set(lines)
    assert lines.index("invocation_started ") < lines.index("invocation_complete ")


def test_its_command_is_run_with_its_arguments_and_decides_the_exit_status(site: Path, tmp_path: Path) -> None:
    answer = subprocess.run(
        [sys.executable, "-m", "impasto", "stranger-greet", "you", "--and", "me"],
        env={**os.environ, "PYTHONPATH": str(site), "IMPASTO_ROOT": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (answer.stdout, answer.returncode) == ("the stranger greets you --and me\n", 3), answer.stderr
