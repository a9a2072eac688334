"""The panel: what it shows for each model, and the node that it builds."""

from collections.abc import Mapping
from typing import Any

import pytest
from support.openai_service import openai_records

from impasto_openai.node import OpenAIImageGeneration
from impasto_openai.plugin import register_panels
from impasto_sdk.fields import JsonValue
from impasto_sdk.panels import Panel, PanelValues, Verdict, World, check

(PANEL,) = register_panels()
WORLD = World(
    models={record.key: record.all_facts() for record in openai_records().values()},
    images={"a.png": {"width": 16, "height": 16}},
)
IMAGE = {"image_name": "a.png"}
GPT_IMAGES = ["gpt-image-1", "gpt-image-1.5", "gpt-image-1-mini"]


def model(model_id: str) -> dict[str, JsonValue]:
    return {"key": openai_records()[model_id].key}


def settled(model_id: str, **values: JsonValue) -> Verdict:
    return check(PANEL, {"prompt": "a lighthouse", "model": model(model_id), **values}, WORLD)


def generated(panel: Panel, values: Mapping[str, JsonValue]) -> dict[str, Any]:
    document = panel.build_graph(PanelValues(panel.id, values)).to_document()
    node: dict[str, Any] = document["nodes"]["generate"]
    return node


def test_it_is_there_while_the_provider_has_a_key() -> None:
    assert (PANEL.id, PANEL.provider, PANEL.title) == ("openai.image", "openai", "OpenAI")


@pytest.mark.parametrize("model_id", GPT_IMAGES)
def test_gpt_image_offers_its_modes_references_and_options(model_id: str) -> None:
    verdict = settled(model_id, mode="inpaint", init_image=IMAGE, mask_image=IMAGE, reference_images=[IMAGE])
    assert verdict.ok, verdict.problems
    shown = set(verdict.values)
    assert shown >= {"mode", "init_image", "mask_image", "reference_images", "size", "count"}
    assert shown >= {"quality", "background", "output_format", "moderation", "partial_images"}
    assert not shown & {"style", "seed"}


def test_dall_e_hides_edits_references_and_the_options_of_others() -> None:
    verdict = settled("dall-e-3")
    assert verdict.ok, verdict.problems
    hidden = {
        "init_image", "mask_image", "reference_images", "seed", "background", "input_fidelity", "output_format",
        "output_compression", "moderation", "partial_images",
    }  # fmt: skip
    assert not hidden & verdict.values.keys()
    assert verdict.values["mode"] == "txt2img"
    assert verdict.values["quality"] == "auto"


def test_dall_e_offers_no_edit() -> None:
    problems = settled("dall-e-3", mode="img2img", init_image=IMAGE).problems
    assert [problem.path for problem in problems] == ["/mode"]


@pytest.mark.parametrize(("model_id", "is_shown"), [("gpt-image-1", True), ("gpt-image-1-mini", False)])
def test_input_fidelity_is_shown_where_the_model_takes_it(model_id: str, is_shown: bool) -> None:
    verdict = settled(model_id, input_fidelity="high")
    assert ("input_fidelity" in verdict.values) is is_shown


@pytest.mark.parametrize(("model_id", "large"), [("gpt-image-1", (1536, 1024)), ("dall-e-3", (1792, 1024))])
def test_only_sizes_of_the_model_are_offered(model_id: str, large: tuple[int, int]) -> None:
    assert settled(model_id, size={"width": large[0], "height": large[1]}).ok
    problems = settled(model_id, size={"width": 1000, "height": 1000}).problems
    assert [problem.path for problem in problems] == ["/size"]


def test_no_more_references_than_the_model_takes() -> None:
    assert settled("gpt-image-1", reference_images=[IMAGE] * 16).ok
    problems = settled("gpt-image-1", reference_images=[IMAGE] * 17).problems
    assert [problem.path for problem in problems] == ["/reference_images"]


def test_every_value_reaches_the_node() -> None:
    touched: dict[str, JsonValue] = {
        "mode": "inpaint", "init_image": IMAGE, "mask_image": IMAGE, "reference_images": [IMAGE],
        "size": {"width": 1024, "height": 1536}, "count": 3, "quality": "high", "background": "opaque",
        "input_fidelity": "high", "output_format": "webp", "output_compression": 40, "moderation": "low",
        "partial_images": 3,
    }  # fmt: skip
    verdict = settled("gpt-image-1.5", **touched)
    assert verdict.ok, verdict.problems
    node = generated(PANEL, verdict.values)
    assert node["type"] == "openai_image_generation"
    sized = {"width": 1024, "height": 1536, "num_images": 3}
    expected = {name: value for name, value in touched.items() if name not in ("size", "count")} | sized
    assert {name: node[name] for name in expected} == expected


@pytest.mark.parametrize("model_id", [*GPT_IMAGES, "dall-e-3"])
def test_untouched_it_builds_a_node_that_asks_for_the_defaults(model_id: str) -> None:
    verdict = settled(model_id)
    node = generated(PANEL, verdict.values)
    invocation = OpenAIImageGeneration(
        id="n", **{name: value for name, value in node.items() if name not in ("id", "type")}
    )
    for name in ("quality", "background", "output_format", "moderation", "partial_images", "style", "input_fidelity"):
        assert getattr(invocation, name) == OpenAIImageGeneration.model_fields[name].default


@pytest.mark.parametrize("model_id", [*GPT_IMAGES, "dall-e-3"])
def test_what_is_recalled_builds_the_same_graph(model_id: str) -> None:
    touched: dict[str, JsonValue] = {
        "reference_images": [IMAGE], "size": {"width": 1024, "height": 1024}, "count": 2, "quality": "low",
        "background": "opaque", "input_fidelity": "low", "output_format": "jpeg", "output_compression": 9,
        "moderation": "low", "partial_images": 0, "style": "natural",
    }  # fmt: skip
    shown = settled(model_id, **touched)
    recalled = check(PANEL, shown.values, WORLD)
    assert recalled.ok, recalled.problems
    assert recalled.values == shown.values
    assert generated(PANEL, recalled.values) == generated(PANEL, shown.values)
    options = openai_records()[model_id].facts["options"]
    assert isinstance(options, list)
    assert {name: shown.values[name] for name in touched if name in options} == {
        name: value for name, value in touched.items() if name in options
    }
