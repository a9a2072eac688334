"""The panel: what it shows for each model, and that the graph it builds sends what the form says."""

from typing import Any

import pytest
from PIL import Image
from support.gemini_service import gemini_records
from support.stand_in import StandIn

from impasto_gemini.models import MODELS
from impasto_gemini.node import GeminiImageGeneration
from impasto_gemini.panel import GEMINI_PANEL
from impasto_sdk.fields import JsonValue
from impasto_sdk.panels import PanelValues, Verdict, World, check
from impasto_sdk.testing import FakeContext, run_node

WORLD = World(
    models={record.key: record.all_facts() for record in gemini_records().values()},
    images={"image-1.png": {"width": 8, "height": 8}},
)
FLASH_2_5, PRO, FLASH_3_1 = "gemini-2.5-flash-image", "gemini-3-pro-image", "gemini-3.1-flash-image"
PICTURE = {"image_name": "image-1.png"}
ALWAYS = {"prompt", "model", "mode", "reference_images", "size", "count", "temperature"}


def settled(model: str, **values: JsonValue) -> Verdict:
    return check(GEMINI_PANEL, {"prompt": "a fox", "model": {"key": f"gemini.{model}"}, **values}, WORLD)


def node_of(verdict: Verdict) -> GeminiImageGeneration:
    assert verdict.ok, verdict.problems
    graph = GEMINI_PANEL.build_graph(PanelValues(GEMINI_PANEL.id, verdict.values)).to_document()
    ((node_id, document),) = graph["nodes"].items()
    assert (node_id, document.pop("type"), graph["edges"]) == ("generate", "gemini_image_generation", [])
    return GeminiImageGeneration.model_validate(document)


def sent(service: StandIn, verdict: Verdict, context: FakeContext) -> dict[str, Any]:
    """The body of the request that the panel's graph comes to."""
    run_node(node_of(verdict), context)
    body: dict[str, Any] = service.requests[-1].json
    return body


def test_the_panel_belongs_to_the_provider_so_that_it_is_shown_while_a_key_is_set() -> None:
    assert (GEMINI_PANEL.id, GEMINI_PANEL.provider) == ("gemini.image", "gemini")


def test_there_is_no_field_that_no_model_can_use() -> None:
    assert not {"seed", "mask_image"} & set(GEMINI_PANEL.root_fields)


@pytest.mark.parametrize(
    ("model", "more"), [(FLASH_2_5, set()), (PRO, set()), (FLASH_3_1, {"thinking_level"})], ids=lambda value: str(value)
)
def test_a_model_shows_what_it_can_use_and_hides_the_rest(model: str, more: set[str]) -> None:
    assert set(settled(model).values) == ALWAYS | more
    assert set(settled(model, mode="img2img", init_image=PICTURE).values) == ALWAYS | more | {"init_image"}


def test_what_was_set_for_another_model_is_not_sent_to_one_that_cannot_use_it() -> None:
    node = node_of(settled(PRO, thinking_level="high", temperature=1.5))
    assert (node.thinking_level, node.temperature) == (None, 1.5)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.id)
def test_a_form_that_was_not_touched_asks_for_a_square_of_one_megapixel(
    service: StandIn, context: FakeContext, model: Any
) -> None:
    body = sent(service, settled(model.id), context)
    config = body["generationConfig"]
    assert config.keys() == {"responseModalities", "imageConfig"}
    size = {"aspectRatio": "1:1", "imageSize": "1K"} if "gemini-3" in model.id else {"aspectRatio": "1:1"}
    assert config["imageConfig"] == size


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.id)
def test_every_size_can_be_chosen_and_no_other(model: Any) -> None:
    for preset in model.capabilities.presets:
        node = node_of(settled(model.id, size={"width": preset.width, "height": preset.height}))
        assert (node.width, node.height) == (preset.width, preset.height)
    verdict = settled(model.id, size={"width": 1000, "height": 1000})
    assert [problem.path for problem in verdict.problems] == ["/size"]
    assert verdict.problems[0].fix == {"width": 1024, "height": 1024}


def test_the_graph_sends_everything_that_the_form_says(service: StandIn, context: FakeContext) -> None:
    context.images.add(Image.new("RGB", (8, 8)))
    verdict = settled(
        FLASH_3_1,
        mode="img2img",
        init_image=PICTURE,
        reference_images=[PICTURE, PICTURE],
        size={"width": 2528, "height": 1696},
        temperature=0.25,
        thinking_level="minimal",
    )
    body = sent(service, verdict, context)
    assert len(body["contents"][0]["parts"]) == 4
    assert body["generationConfig"] == {
        "temperature": 0.25,
        "responseModalities": ["IMAGE"],
        "thinkingConfig": {"thinking_level": "MINIMAL"},
        "imageConfig": {"aspectRatio": "3:2", "imageSize": "2K"},
    }


@pytest.mark.parametrize(
    ("values", "path"),
    [
        ({"temperature": 2.5}, "/temperature"),
        ({"thinking_level": "medium"}, "/thinking_level"),
        ({"mode": "inpaint"}, "/mode"),
        ({"reference_images": [PICTURE] * 15}, "/reference_images"),
        ({"count": 0}, "/count"),
        ({"prompt": ""}, "/prompt"),
    ],
)
def test_what_the_model_cannot_do_is_a_problem_at_its_field(values: dict[str, JsonValue], path: str) -> None:
    assert [problem.path for problem in settled(FLASH_3_1, **values).problems] == [path]


def test_the_records_say_that_a_key_is_needed_and_that_it_costs() -> None:
    for record in gemini_records().values():
        assert record.source == record.path == f"external://gemini/{record.key.removeprefix('gemini.')}"
        assert record.description.endswith("Needs an API key of Gemini; usage may cost money.")


@pytest.mark.parametrize("model", [model.id for model in MODELS])
def test_what_is_recalled_builds_the_same_graph(model: str) -> None:
    sizes = gemini_records()[model].facts["sizes"]
    assert isinstance(sizes, list)
    for offered in sizes:
        assert isinstance(offered, dict)
        size = {name: offered[name] for name in ("width", "height")}
        touched: dict[str, JsonValue] = {
            "mode": "img2img", "init_image": PICTURE, "reference_images": [PICTURE], "size": size, "count": 3,
            "temperature": 0.25, "thinking_level": "high",
        }  # fmt: skip
        shown = settled(model, **touched)
        recalled = check(GEMINI_PANEL, shown.values, WORLD)
        assert recalled.values == shown.values
        assert node_of(recalled) == node_of(shown)
        assert (node_of(recalled).width, node_of(recalled).height) == (size["width"], size["height"])
