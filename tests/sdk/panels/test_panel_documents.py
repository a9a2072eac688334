"""What a panel serialises to: the panel document, exactly."""

import json
from importlib.resources import files

import pytest
from jsonschema import Draft202012Validator
from support.panels import NOISE_SECTION, TOY_PANEL

import impasto_sdk.panels
from impasto_sdk.draft import GraphDraft
from impasto_sdk.errors import PanelDeclarationError
from impasto_sdk.panels import (
    Action,
    Availability,
    AvailabilityFix,
    Boolean,
    Canvas,
    CanvasLayer,
    Choice,
    Choices,
    Colour,
    Contribution,
    Image,
    Images,
    Integer,
    List,
    Mask,
    Model,
    Note,
    Number,
    Option,
    OptionSource,
    Panel,
    PanelForm,
    PluginReference,
    Preset,
    Prompt,
    Range,
    Repeat,
    Secret,
    Section,
    Seed,
    Size,
    SizePreset,
    Submit,
    Text,
    TokenCount,
    contribute,
    fact,
    same_as,
    when,
)

SCHEMA = json.loads(files(impasto_sdk.panels).joinpath("panel.schema.json").read_text("utf-8"))
PLUGIN = PluginReference(name="impasto-toy", version="1.0.0")

#: Every kind, with every attribute that the schema knows.
EVERYTHING = Panel(
    id="toy.everything",
    title="Everything",
    summary="One of each",
    values_version=2,
    category="image",
    order=1.5,
    icon="star",
    makes="images",
    anchors=["unet", "seed"],
    build_graph=lambda values: GraphDraft(),
    canvas=Canvas(
        box="size",
        base="image",
        mask="mask",
        strength="number",
        mode="choice",
        layers=[CanvasLayer(kind="region", section="toy.parts", paints="mask", title="Part", colour="#112233")],
    ),
    presets=[Preset(id="quick", title="Quick", image="/quick.png", values={"integer": 3})],
    submit=Submit(title="Go", count="integer", max_count=8),
    sections=[
        Section(
            id="texts",
            title="Texts",
            help="What to say",
            icon="text",
            order=1,
            collapsed=True,
            advanced=True,
            toggle=True,
            visible_when=when("model").is_set() | ~when("boolean").is_(True),
            fields=[
                Text(id="text", title="Text", rows=1, placeholder="…", max_length=10, syntax="plain", examples=["a"]),
                Prompt(id="prompt", title="Prompt", required=True, syntax="weighted", tokens=TokenCount(model="model")),
                Secret(id="secret", title="Secret", recall="never"),
                Note(id="note", title="Note", level="warning", text="Mind the gap"),
            ],
        ),
        Section(
            id="rest",
            title="Rest",
            fields=[
                Integer(
                    id="integer",
                    title="Integer",
                    help="Whole",
                    docs="/docs",
                    default=fact("model", "defaults.steps", otherwise=30),
                    width="half",
                    min=1,
                    max=fact("model", "max"),
                    soft_min=2,
                    soft_max=fact("/model", "soft", otherwise=20),
                    step=1,
                    coarse_step=5,
                    multiple_of=1,
                    unit="px",
                    scale="log",
                    marks=[1, 10],
                    widget="slider",
                    renamed_from=["whole"],
                    resolve=True,
                ),
                Number(id="number", title="Number", default=0.5, min=0, max=1, show_as="percent", optional=True),
                Range(id="range", title="Range", default=[0, 1], min=0, max=1, step=0.1, min_gap=0.1),
                Boolean(id="boolean", title="Boolean", default=False, enabled_when=when("text").is_empty()),
                Choice(
                    id="choice",
                    title="Choice",
                    default="a",
                    widget="segmented",
                    disabled_reason="not now",
                    options=[
                        "a",
                        2,
                        True,
                        Option(value=None, label="None"),
                        Option(
                            value="b",
                            label="B",
                            help="Second",
                            group="G",
                            image="/b.png",
                            facts={"sizes": [{"width": 8, "height": 8}]},
                            enabled_when=when("integer").gte(2)
                            & when("integer").lt(9)
                            & when("number").is_one_of(1, 2),
                        ),
                    ],
                ),
                Choices(
                    id="choices",
                    title="Choices",
                    options_from=OptionSource(source="plugin", depends_on=["model"], search=True, ttl_s=60),
                    free_text=True,
                ),
                Seed(id="seed", title="Seed", default={"mode": "random"}, min=0, max=9, modes=["random", "fixed"]),
                Size(
                    id="size",
                    title="Size",
                    default=None,
                    min=8,
                    max=fact("model", "max_size", otherwise=64),
                    multiple_of=8,
                    native=16,
                    aspects=["1:1"],
                    presets=[SizePreset(width=8, height=8, label="Tiny")],
                    presets_only=True,
                    auto="Chosen",
                ),
                Size(id="other_size", title="Other size", presets=fact("choice", "sizes")),
                Model(
                    id="model",
                    title="Model",
                    where={"type": "main", "base": ["a", "b"], "small": True},
                    none_label="None",
                    starters=["impasto-starter"],
                ),
                Model(id="vae", title="VAE", where={"base": same_as("model#base")}),
                Image(
                    id="image",
                    title="Image",
                    accept=["image/png"],
                    max_bytes=1000,
                    fit="crop",
                    actions=[Action(id="preview", title="Preview", fills="mask", enabled_when=when("image").is_set())],
                ),
                Images(id="images", title="Images", min_items=0, max_items=fact("model", "max_images", otherwise=2)),
                Mask(id="mask", title="Mask", of="image", visible_when=when("image").fact("width").gt(8)),
                Colour(id="colour", title="Colour", default="#a0b0c0", alpha=False, palette=["#ffffff"]),
                List(id="list", title="List", item=Number(id="entry", title="Entry", min=0), min_items=0, max_items=3),
            ],
        ),
        Section(
            id="toy.parts",
            title="Parts",
            repeat=Repeat(
                min=0, max=fact("model", "parts", otherwise=2), add="Add", title="{x}", toggle=True, reorder=True
            ),
            fields=[Mask(id="mask", title="Where", required=True)],
        ),
    ],
)


def _document(form: PanelForm) -> dict:
    served = form.model_copy(update={"plugin": PLUGIN, "available": Availability(ok=True)})
    return {"format": 1, "revision": "1", "panels": [served.to_document()]}


@pytest.mark.parametrize("panel", [EVERYTHING, TOY_PANEL], ids=lambda panel: panel.id)
def test_a_panel_serialises_to_the_schema(panel):
    Draft202012Validator(SCHEMA).validate(_document(panel))


def test_the_schema_refuses_what_is_no_panel():
    document = _document(EVERYTHING)
    document["panels"][0]["sections"][0]["fields"][0]["rowz"] = 1
    assert list(Draft202012Validator(SCHEMA).iter_errors(document))


def test_every_kind_of_the_schema_is_a_class():
    kinds = {field.kind for section in EVERYTHING.sections for field in section.fields}
    properties = (definition.get("properties", {}).get("kind", {}) for definition in SCHEMA["$defs"].values())
    known = {kind for one in properties for kind in [*one.get("enum", []), *([one["const"]] if "const" in one else [])]}
    assert kinds == known - {"control", "region", "reference"}


def test_a_panel_with_contributed_sections_serialises_to_the_schema():
    noise = Contribution(NOISE_SECTION, PluginReference(name="impasto-noise", version="2.0"))
    document = _document(contribute(TOY_PANEL, [noise]))
    Draft202012Validator(SCHEMA).validate(document)
    assert document["panels"][0]["sections"][-1]["plugin"] == {"name": "impasto-noise", "version": "2.0"}


def test_an_unavailable_panel_says_why_and_where_to_mend_it():
    available = Availability(ok=False, reason="No key", fix=AvailabilityFix(title="Add it", href="/keys"))
    assert available.to_document() == {"ok": False, "reason": "No key", "fix": {"title": "Add it", "href": "/keys"}}


def test_a_document_read_and_written_is_the_same_document():
    document = _document(EVERYTHING)["panels"][0]
    assert PanelForm.model_validate(document).to_document() == document


def test_what_an_author_does_not_say_is_not_written():
    assert Integer(id="n", title="N").to_document() == {"kind": "integer", "id": "n", "title": "N"}


def test_a_default_of_null_is_written_and_no_default_is_not():
    assert Size(id="s", title="S", default=None).to_document()["default"] is None
    assert "default" not in Size(id="s", title="S").to_document()


def test_conditions_are_joined_flat():
    joined = when("a").is_set() & when("b").has(1) & ~when("c").fact("x.y").is_("z")
    assert joined.to_document() == {
        "all": [
            {"field": "a", "set": True},
            {"field": "b", "has": 1},
            {"not": {"field": "c", "fact": "x.y", "is": "z"}},
        ]
    }


def test_a_reference_is_written_with_what_stands_in_for_it():
    assert fact("model", "defaults.steps", otherwise=30).to_document() == {"$from": "model#defaults.steps", "else": 30}
    assert fact("/model", "base").to_document() == {"$from": "/model#base"}


def test_a_part_cannot_be_changed():
    with pytest.raises(ValueError, match="frozen"):
        EVERYTHING.sections[0].fields[0].rows = 3


def test_a_misspelt_attribute_is_named_with_the_field():
    with pytest.raises(PanelDeclarationError, match=r"Integer 'steps'\.maximum.*not permitted.*found 9"):
        Integer(id="steps", title="Steps", maximum=9)


def test_a_condition_makes_one_test():
    with pytest.raises(ValueError, match="makes one test"):
        impasto_sdk.panels.Comparison.model_validate({"field": "a", "is": 1, "has": 2})
