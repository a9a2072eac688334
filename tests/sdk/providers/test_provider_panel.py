"""The panel of a provider is made of capabilities and options; what a model cannot use is hidden."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import pytest
from pydantic import BaseModel
from support.easel import Easel, EaselImageGeneration

from impasto_sdk.errors import PanelDeclarationError, PanelValuesError
from impasto_sdk.fields import InputField, JsonValue
from impasto_sdk.panels import Panel, PanelValues, Verdict, World, check
from impasto_sdk.providers import (
    ExternalGenerationRequest,
    ExternalGenerationResult,
    ExternalImageGeneration,
    ExternalModel,
    ExternalModelCapabilities,
    ExternalProvider,
    PartialImage,
    external_invocation,
    external_record,
    image_panel,
)


class StudioOptions(BaseModel):
    """One option of each kind."""

    quality: Literal["low", "high"] = InputField("low", description="How fine", ui_choice_labels={"low": "Draft"})
    signed: bool = InputField(False, description="Whether it is signed")
    warmth: float | None = InputField(None, ge=0, le=2, description="How warm")
    layers: int = InputField(3, ge=1, le=9, description="How many layers")
    style: str | None = InputField(None, description="In whose style")


class Studio(ExternalProvider):
    """Has a model that does everything and one that does little."""

    provider_id, title, default_base_url = "studio", "Studio", "https://studio.example"
    options = StudioOptions

    @classmethod
    def models(cls) -> Sequence[ExternalModel]:
        whole = ExternalModelCapabilities(
            modes=frozenset({"txt2img", "img2img", "inpaint"}), supports_seed=True, max_reference_images=2
        )
        little = ExternalModelCapabilities(modes=frozenset({"txt2img"}), aspect_ratio_sizes={"1:1": (512, 512)})
        return [
            ExternalModel(id="all", name="All", description="All.", capabilities=whole, defaults={"quality": "high"}),
            ExternalModel(id="few", name="Few", description="Few.", capabilities=little, options=("signed",)),
        ]

    async def generate(self, request: ExternalGenerationRequest, partial: PartialImage) -> ExternalGenerationResult:
        raise NotImplementedError


@external_invocation("studio_image_generation", provider=Studio)
class StudioImageGeneration(StudioOptions, ExternalImageGeneration):
    """Have the studio make pictures."""


PANEL = image_panel(StudioImageGeneration)
WORLD = World(
    models={record.key: record.all_facts() for record in (external_record(Studio, one) for one in Studio.models())},
    images={"a.png": {"width": 8, "height": 8}},
)
IMAGE = {"image_name": "a.png"}


def settled(panel: Panel = PANEL, world: World = WORLD, **values: JsonValue) -> Verdict:
    return check(panel, {"prompt": "a boat", **values}, world)


def model(model_id: str) -> dict[str, JsonValue]:
    return {"key": f"studio.{model_id}"}


def generated(values: Mapping[str, JsonValue]) -> dict[str, Any]:
    drawn = {**values}
    if "seed" in drawn:
        drawn["seed"] = {**drawn["seed"], "value": 5}
    node: dict[str, Any] = PANEL.build_graph(PanelValues(PANEL.id, drawn)).to_document()["nodes"]["generate"]
    return node


def test_a_model_that_does_everything_shows_everything() -> None:
    verdict = settled(model=model("all"), mode="inpaint", init_image=IMAGE, mask_image=IMAGE, reference_images=[IMAGE])
    assert verdict.ok, verdict.problems
    assert set(verdict.values) >= {"mode", "init_image", "mask_image", "reference_images", "seed", "quality", "layers"}


def test_a_model_that_does_little_hides_the_rest() -> None:
    verdict = settled(model=model("few"))
    assert verdict.ok, verdict.problems
    assert set(verdict.values) == {"prompt", "model", "mode", "size", "count", "signed"}


def test_defaults_follow_the_model() -> None:
    assert settled(model=model("all")).values["quality"] == "high"
    assert settled(model=model("all")).values["layers"] == 3
    assert settled(model=model("few")).values["size"] == {"width": 512, "height": 512}


def test_more_references_than_the_model_takes_are_a_problem_at_the_field() -> None:
    verdict = settled(model=model("all"), reference_images=[IMAGE] * 3)
    assert [problem.path for problem in verdict.problems] == ["/reference_images"]


def test_a_mode_that_the_model_does_not_have_is_a_problem() -> None:
    assert not settled(model=model("few"), mode="inpaint").ok


def test_a_panel_of_fixed_sizes_takes_no_others() -> None:
    record = external_record(Easel, Easel.models()[0])
    world = World(models={record.key: record.all_facts()}, images={})
    panel = image_panel(EaselImageGeneration)
    chosen = {"key": record.key}
    assert settled(panel, world, model=chosen, size={"width": 96, "height": 48}).ok
    verdict = settled(panel, world, model=chosen, size={"width": 60, "height": 60})
    assert [problem.path for problem in verdict.problems] == ["/size"]
    assert verdict.problems[0].fix == {"width": 64, "height": 64}
    fields = panel.root_fields
    assert not {"mode", "init_image", "mask_image", "reference_images"} & set(fields), "no model of it can use them"


def test_the_graph_is_one_node_with_every_value_in_it() -> None:
    verdict = settled(
        model=model("all"),
        mode="img2img",
        init_image=IMAGE,
        count=3,
        size={"width": 640, "height": 512},
        warmth=1.5,
        signed=True,
        style="ink",
    )
    assert verdict.ok, verdict.problems
    node = generated(verdict.values)
    assert node["type"] == "studio_image_generation"
    expected = {"prompt": "a boat", "mode": "img2img", "num_images": 3, "width": 640, "height": 512, "seed": 5}
    options = {"quality": "high", "signed": True, "warmth": 1.5, "layers": 3, "style": "ink"}
    assert {name: node[name] for name in (*expected, *options)} == {**expected, **options}
    assert node["init_image"] == IMAGE


def test_options_that_are_hidden_are_left_to_the_node() -> None:
    node = generated(settled(model=model("few")).values)
    assert not {"quality", "warmth", "seed"} & set(node)


@pytest.mark.parametrize(
    ("mode", "missing"), [("img2img", {"/init_image"}), ("inpaint", {"/init_image", "/mask_image"})]
)
def test_an_image_that_the_mode_needs_is_asked_for(mode: str, missing: set[str]) -> None:
    verdict = settled(model=model("all"), mode=mode)
    assert verdict.ok
    with pytest.raises(PanelValuesError) as caught:
        generated(verdict.values)
    assert {problem.path for problem in caught.value.problems} == missing


def test_choices_carry_their_labels_and_bounds_come_from_the_options() -> None:
    document = PANEL.to_document()
    fields = {field["id"]: field for section in document["sections"] for field in section["fields"]}
    assert fields["quality"]["options"] == [{"value": "low", "label": "Draft"}, {"value": "high", "label": "high"}]
    assert (fields["warmth"]["min"], fields["warmth"]["max"]) == (0, 2)
    assert fields["layers"]["kind"] == "integer"
    assert fields["style"]["kind"] == "text"
    assert "provider" not in document, "the form is served as any other"


def test_an_option_of_a_type_without_a_field_is_refused() -> None:
    class OddOptions(BaseModel):
        """Odd."""

        odd: dict[str, int] = InputField(default_factory=dict, description="Odd")

    class Odd(Studio):
        """Odd."""

        provider_id = "odd"
        options = OddOptions

    @external_invocation("odd_image_generation", provider=Odd)
    class OddGeneration(OddOptions, ExternalImageGeneration):
        """Odd."""

    with pytest.raises(PanelDeclarationError, match="odd: an option of type"):
        image_panel(OddGeneration)
