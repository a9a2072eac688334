"""The panels: what their values come to, and the graphs they build."""

from collections.abc import Mapping
from graphlib import TopologicalSorter
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageStat

from impasto_image.nodes.compose import PasteImage
from impasto_image.nodes.geometry import ResizeImage
from impasto_sd.panels import IMAGE_TO_IMAGE, TEXT_TO_IMAGE
from impasto_sd.plugin import register_invocations
from impasto_sdk.draft import GraphDraft
from impasto_sdk.fields import BaseInvocationOutput
from impasto_sdk.models import ModelRecord
from impasto_sdk.panels import Panel, PanelValues, World, check
from impasto_sdk.testing import FakeContext, run_node

ANCHORS = {"model", "unet", "clip", "vae", "positive", "negative", "control", "latents", "seed"}


@pytest.fixture
def world(starter_record: ModelRecord) -> World:
    vae = starter_record.model_copy(update={"key": "vae", "type": "vae"})
    return World(models={record.key: record.all_facts() for record in (starter_record, vae)})


def values(**touched: object) -> dict[str, Any]:
    return {"prompt": "a red star", "model": {"key": "starter"}, "seed": {"mode": "fixed", "value": 5}, **touched}


def build(panel: Panel, world: World, touched: Mapping[str, object]) -> GraphDraft:
    verdict = check(panel, touched, world)
    assert verdict.problems == ()
    return panel.build_graph(PanelValues(panel.id, verdict.values))


def test_everything_untouched_follows_the_models_facts(world: World) -> None:
    verdict = check(TEXT_TO_IMAGE, values(), world)
    assert verdict.ok
    assert verdict.values["size"] == {"width": 128, "height": 128}
    assert (verdict.values["steps"], verdict.values["cfg_scale"], verdict.values["scheduler"]) == (25, 5, "ddim")


@pytest.mark.parametrize("panel", [TEXT_TO_IMAGE, IMAGE_TO_IMAGE])
def test_the_graph_holds_every_anchor(panel: Panel, world: World) -> None:
    draft = build(panel, world, values(init_image={"image_name": "x.png"}))
    assert set(draft.anchors) == set(panel.anchors) == ANCHORS


@pytest.mark.parametrize("panel", [TEXT_TO_IMAGE, IMAGE_TO_IMAGE])
def test_every_field_of_the_graph_is_one_of_its_nodes(panel: Panel, world: World) -> None:
    touched = values(init_image={"image_name": "x.png"}, clip_skip=1, vae={"key": "vae"}, negative_prompt="blur")
    document = build(panel, world, touched).to_document()
    nodes = {node.spec.type: node for node in register_invocations()}
    connected: dict[str, set[str]] = {}
    for edge in document["edges"]:
        source, end = edge["source"], edge["destination"]
        origin = nodes.get(document["nodes"][source["node_id"]]["type"])
        # the one node of another plugin resizes the picture
        assert origin is None or source["field"] in origin.spec.outputs
        connected.setdefault(end["node_id"], set()).add(end["field"])
    for node_id, node in document["nodes"].items():
        if node["type"] == "img_resize":
            continue
        spec = nodes[node["type"]].spec
        given = {
            name: value for name, value in node.items() if name not in ("id", "type", "is_intermediate", "use_cache")
        }
        assert set(given) | connected.get(node_id, set()) <= set(spec.inputs)
        assert {name for name, port in spec.inputs.items() if port.required} <= set(given) | connected.get(
            node_id, set()
        )
        for name, value in given.items():
            spec.inputs[name].adapter.validate_python(value)


def test_the_values_reach_their_nodes(world: World) -> None:
    touched = values(
        negative_prompt="blur",
        steps=7,
        cfg_scale=3.5,
        scheduler="euler_a",
        size={"width": 136, "height": 64},
        seed={"mode": "fixed", "value": 2**64 - 1},
    )
    nodes = build(TEXT_TO_IMAGE, world, touched).to_document()["nodes"]
    assert nodes["positive"]["prompt"] == "a red star"
    assert nodes["negative"]["prompt"] == "blur"
    assert (nodes["noise"]["seed"], nodes["noise"]["width"], nodes["noise"]["height"]) == (2**64 - 1, 136, 64)
    denoise = nodes["denoise"]
    assert (denoise["steps"], denoise["cfg_scale"], denoise["scheduler"]) == (7, 3.5, "euler_a")


def test_clip_skip_and_a_vae_are_nodes_only_when_they_are_wanted(world: World) -> None:
    plain = build(TEXT_TO_IMAGE, world, values())
    assert {node.type for node in plain.nodes()} == {
        "main_model_loader", "compel", "noise", "denoise_latents", "l2i",
    }  # fmt: skip
    more = build(TEXT_TO_IMAGE, world, values(clip_skip=2, vae={"key": "vae"}))
    assert {node.type for node in more.nodes()} - {node.type for node in plain.nodes()} == {"clip_skip", "vae_loader"}
    assert more.to_document()["nodes"]["clip_skip"]["skipped_layers"] == 2
    assert more.find("vae").node_id == "vae"


def test_what_is_inserted_at_clip_lies_before_the_skipped_layers(world: World) -> None:
    draft = build(TEXT_TO_IMAGE, world, values(clip_skip=1))
    lora = draft.add("lora_loader", id="lora")
    draft.insert("clip", lora, input="clip", output="clip")
    edges = {
        (edge["source"]["node_id"], edge["destination"]["node_id"])
        for edge in draft.to_document()["edges"]
        if edge["destination"]["field"] == "clip"
    }
    assert edges == {("model", "lora"), ("lora", "clip_skip"), ("clip_skip", "positive"), ("clip_skip", "negative")}


def test_an_image_is_resized_encoded_and_changed_by_its_strength(world: World) -> None:
    touched = values(init_image={"image_name": "x.png"}, strength=0.3)
    document = build(IMAGE_TO_IMAGE, world, touched).to_document()
    nodes = document["nodes"]
    assert nodes["denoise"]["denoising_start"] == 0.7
    assert (nodes["fitted"]["width"], nodes["fitted"]["height"]) == (128, 128)
    assert nodes["fitted"]["is_intermediate"] is True
    path = {(edge["source"]["node_id"], edge["destination"]["node_id"]) for edge in document["edges"]}
    assert {("fitted", "start"), ("start", "denoise"), ("denoise", "picture")} <= path


@pytest.mark.parametrize(
    ("touched", "path"),
    [
        ({"size": {"width": 130, "height": 128}}, "/size"),
        ({"clip_skip": 4}, "/clip_skip"),
        ({"scheduler": "er_sde"}, "/scheduler"),
        ({"prompt": ""}, "/prompt"),
        ({"steps": 0}, "/steps"),
    ],
)
def test_values_that_the_model_cannot_take_are_problems(world: World, touched: dict[str, object], path: str) -> None:
    problems = check(TEXT_TO_IMAGE, values(**touched), world).problems
    assert [problem.path.startswith(path) for problem in problems] == [True]


def test_a_picture_from_a_picture_needs_one(world: World) -> None:
    (problem,) = check(IMAGE_TO_IMAGE, values(), world).problems
    assert problem.path == "/init_image"


@pytest.mark.parametrize("strength", [0.0, 0.4])
def test_the_graph_of_a_picture_from_a_picture_runs(context: FakeContext, world: World, strength: float) -> None:
    picture = Image.new("RGB", (200, 100), (40, 60, 200))
    touched = values(
        init_image=context.images.add(picture).model_dump(), strength=strength, steps=5, prompt="a blue background"
    )
    made = run(build(IMAGE_TO_IMAGE, world, touched), context)
    assert made.size == (128, 128)
    difference = ImageStat.Stat(ImageChops.difference(made, picture.resize((128, 128)))).mean
    assert sum(difference) / 3 < (20 if strength == 0 else 35)


def test_a_mask_lets_nothing_change_but_what_is_white_in_it(context: FakeContext, world: World) -> None:
    picture = Image.effect_noise((128, 128), 80).convert("RGB")
    mask = Image.new("L", (128, 128), 0)
    mask.paste(255, (16, 16, 61, 100))  # no border of latent pixels
    touched = values(
        init_image=context.images.add(picture).model_dump(),
        mask=context.images.add(mask).model_dump(),
        strength=1,
        steps=5,
    )
    made = run(build(IMAGE_TO_IMAGE, world, touched), context)
    changed = ImageChops.difference(made.convert("RGB"), picture)
    assert ImageStat.Stat(changed, ImageChops.invert(mask)).sum == [0, 0, 0]
    assert min(ImageStat.Stat(changed, mask).mean) > 10


def test_of_a_masked_picture_only_the_whole_one_is_kept(world: World) -> None:
    touched = values(init_image={"image_name": "x.png"}, mask={"image_name": "m.png"})
    nodes = build(IMAGE_TO_IMAGE, world, touched).to_document()["nodes"]
    kept = [name for name, node in nodes.items() if not node.get("is_intermediate", False)]
    images = {"fitted", "fitted_mask", "made", "picture"}
    assert [name for name in kept if name in images] == ["picture"]
    assert nodes["picture"]["use_cache"] is False


def run(draft: GraphDraft, context: FakeContext) -> Image.Image:
    """Run the graph of a draft, node by node; gives the last picture that it saved."""
    document = draft.to_document()
    classes = {node.spec.type: node for node in (*register_invocations(), ResizeImage, PasteImage)}
    sources: dict[str, dict[str, tuple[str, str]]] = {name: {} for name in document["nodes"]}
    for edge in document["edges"]:
        end = edge["destination"]
        sources[end["node_id"]][end["field"]] = (edge["source"]["node_id"], edge["source"]["field"])
    order = TopologicalSorter({name: {origin for origin, _ in ends.values()} for name, ends in sources.items()})
    outputs: dict[str, BaseInvocationOutput] = {}
    for name in order.static_order():
        node = dict(document["nodes"][name])
        inputs = {field: getattr(outputs[origin], output) for field, (origin, output) in sources[name].items()}
        outputs[name] = run_node(classes[node.pop("type")](**node, **inputs), context)
    return context.images.saved[-1].picture
