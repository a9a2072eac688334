"""Panels as the server offers them, over a real database, queue, image library and model registry."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from PIL import Image
from support.panel_house import PanelHouse, panel_house
from support.panels import NOISE_SECTION, TOY_PANEL, build_toy_graph, toy_values

from impasto.app.panels import PanelService
from impasto.errors import GraphValidationError, IdempotencyKeyError, PanelNotFoundError, PluginError
from impasto.queue import SessionQueue
from impasto.storage.pictures import encode_png
from impasto_sdk import panels as sdk_panels
from impasto_sdk.draft import GraphDraft
from impasto_sdk.errors import NotFoundError, PanelValuesError
from impasto_sdk.panels import (
    Canvas,
    CanvasLayer,
    Integer,
    Note,
    Panel,
    PanelSection,
    Section,
    Seed,
    Size,
    Submit,
    when,
)

SCHEMA = json.loads(Path(sdk_panels.__file__).with_name("panel.schema.json").read_text("utf-8"))


@pytest.fixture
def house(tmp_path) -> Iterator[PanelHouse]:
    with panel_house(tmp_path) as house:
        yield house


@pytest.fixture
def service(house) -> PanelService:
    return house.service([TOY_PANEL], [(NOISE_SECTION, "impasto-noise")])


def values_of(panel: Panel, **changes) -> Panel:
    """The toy panel with another declaration."""
    declared = {name: getattr(panel, name) for name in panel.model_fields_set}
    return Panel(**{**declared, **changes})


# --- the document ---


def test_the_document_fits_its_schema_and_names_the_plugins(service):
    document = service.document()
    Draft202012Validator(SCHEMA).validate(document)
    (panel,) = document["panels"]
    assert panel["plugin"] == {"name": "impasto-toy", "version": "1.0.0"}
    assert panel["available"] == {"ok": True}
    assert panel["sections"][-1]["id"] == "noise.parts"
    assert panel["sections"][-1]["plugin"] == {"name": "impasto-noise", "version": "1.0.0"}


def test_the_revision_stays_while_nothing_changes_and_changes_with_a_panel(house, service):
    assert service.document() == service.document()
    other = house.service([TOY_PANEL])
    assert other.document()["revision"] != service.document()["revision"]


def test_a_panel_without_a_model_to_use_is_not_available_and_comes_back_with_one(house, service):
    house.models.delete("small")
    (panel,) = service.document()["panels"]
    assert panel["available"]["ok"] is False
    assert "'Model'" in panel["available"]["reason"]
    assert panel["available"]["fix"]["href"] == "/models"
    without = service.document()["revision"]
    house.install("small")
    assert service.document()["panels"][0]["available"] == {"ok": True}
    assert service.document()["revision"] != without


def test_panels_stand_in_their_order(house):
    first = values_of(TOY_PANEL, id="toy.first", order=1)
    assert [panel["id"] for panel in house.service([TOY_PANEL, first]).document()["panels"]] == ["toy.first", "toy.sum"]


def test_a_section_that_needs_what_the_panel_lacks_does_not_join_it(house):
    section = PanelSection(
        section=Section(id="noise.unet", title="U", fields=[]), needs=("unet",), apply=lambda own, draft, values: None
    )
    (panel,) = house.service([TOY_PANEL], [(section, "impasto-noise")]).document()["panels"]
    assert [one["id"] for one in panel["sections"]] == ["main"]


@pytest.mark.parametrize(
    ("section_id", "condition"),
    [("other.parts", None), ("noise.parts", when("/prompt").fact("x").is_set())],
    ids=["another plugin's prefix", "a fact of a text"],
)
def test_a_contribution_that_does_not_work_is_left_out_with_a_warning(house, caplog, section_id, condition):
    section = Section(id=section_id, title="S", fields=[], **({"visible_when": condition} if condition else {}))
    broken = PanelSection(section=section, needs=(), apply=lambda own, draft, values: None)
    service = house.service([TOY_PANEL], [(broken, "impasto-noise"), (NOISE_SECTION, "impasto-noise")])
    ids = [one["id"] for one in service.document()["panels"][0]["sections"]]
    assert ids == ["main", "noise.parts"]
    assert section_id in caplog.text
    assert "impasto-noise" in caplog.text


def test_a_canvas_layer_is_offered_only_with_its_section(house):
    layer = CanvasLayer(kind="reference", section="noise.parts", paints="model")
    panel = values_of(TOY_PANEL, canvas=Canvas(base="image", layers=[layer]))
    alone = house.service([panel]).document()["panels"][0]["canvas"]
    joined = house.service([panel], [(NOISE_SECTION, "impasto-noise")]).document()["panels"][0]["canvas"]
    assert alone == {"base": "image", "layers": []}
    assert joined["layers"][0]["section"] == "noise.parts"


# --- check ---


def test_check_gives_effective_values_with_the_models_facts(service):
    verdict = service.check("toy.sum", toy_values())
    assert verdict.ok
    assert verdict.values["steps"] == 5
    assert verdict.values["model"]["name"] == "Small"
    assert verdict.values["seed"] == {"mode": "random"}


def test_check_looks_for_images_in_the_library(house, service):
    stored = house.images.save(encode_png(Image.new("RGB", (8, 8)))).image_name
    assert service.check("toy.sum", toy_values(image={"image_name": stored})).ok
    (problem,) = service.check("toy.sum", toy_values(image={"image_name": "gone.png"})).problems
    assert (problem.path, problem.message) == (
        "/image",
        "Image: no image 'gone.png' is stored; it may have been deleted",
    )


def test_check_tells_what_the_panels_own_rules_refuse(service):
    verdict = service.check("toy.sum", toy_values(prompt="refuse me"))
    assert not verdict.ok
    assert [(problem.path, problem.fix) for problem in verdict.problems] == [("/prompt", "something else")]


@pytest.mark.parametrize("call", ["check", "graph"])
def test_an_unknown_panel_is_answered_with_those_there_are(service, call):
    with pytest.raises(PanelNotFoundError, match=r"no panel 'toy\.gone': there are toy\.sum") as caught:
        getattr(service, call)("toy.gone", {})
    assert isinstance(caught.value, NotFoundError)
    assert caught.value.known == ("toy.sum",)


# --- graph ---


def test_the_graph_holds_the_values_and_the_drawn_seed(service):
    built = service.graph("toy.sum", toy_values(steps=8))
    assert built.values["seed"] == {"mode": "random", "value": 42}
    assert built.graph["nodes"]["start"]["value"] == 8
    assert built.graph["nodes"]["total"]["b"] == 42
    assert built.to_document() == {"graph": built.graph, "values": built.values}


def test_a_seed_is_drawn_between_its_bounds(house):
    asked = []
    house.service([TOY_PANEL], draw=lambda least, greatest: asked.append((least, greatest)) or 1).graph(
        "toy.sum", toy_values()
    )
    assert asked == [(0, 1000)]


def test_a_drawn_seed_is_one_that_javascript_holds_exactly(house):
    panel = values_of(
        TOY_PANEL,
        sections=[
            Section(
                id="s", title="S", fields=[Seed(id="seed", title="Seed", default={"mode": "random"}, max=2**64 - 1)]
            ),
        ],
        submit=None,
        build_graph=lambda values: GraphDraft(),
    )
    built = house.service([panel], draw=lambda least, greatest: greatest).graph("toy.sum", {})
    assert built.values["seed"]["value"] == 2**53 - 1


@pytest.mark.parametrize("mode", ["fixed", "increment"])
def test_a_seed_that_was_given_is_kept(service, mode):
    assert service.graph("toy.sum", toy_values(seed={"mode": mode, "value": 7})).graph["nodes"]["total"]["b"] == 7


def test_contributed_items_rewire_the_graph_one_after_the_other(service):
    items = [{"amount": 1}, {"_on": False, "amount": 2}, {"model": {"key": "hiss"}}]
    built = service.graph("toy.sum", toy_values(**{"noise.parts": items}))
    edges = {
        f"{edge['source']['node_id']} > {edge['destination']['node_id']}.{edge['destination']['field']}"
        for edge in built.graph["edges"]
    }
    assert edges == {"start > toy_add.a", "toy_add > toy_add_2.a", "toy_add_2 > total.a"}
    assert [built.graph["nodes"][name]["b"] for name in ("toy_add", "toy_add_2")] == [1, 4]
    assert [item["seed"]["value"] for item in built.values["noise.parts"]] == [10, 10]


def test_a_hidden_contributed_section_changes_nothing(house, service):
    house.install("plain")
    values = toy_values(model={"key": "plain"}, **{"noise.parts": [{"amount": 1}]})
    assert set(service.graph("toy.sum", values).graph["nodes"]) == {"start", "total"}


def test_a_section_that_does_not_repeat_is_applied_with_its_own_values(house):
    def apply(own, draft, values):
        node = draft.add("toy_add", b=own.integer("amount") + values.integer("steps"))
        draft.insert("sum", node, input="a", output="value")

    section = PanelSection(
        section=Section(id="noise.one", title="One", toggle=True, fields=[Integer(id="amount", title="A", default=1)]),
        needs=("sum",),
        apply=apply,
    )
    service = house.service([TOY_PANEL], [(section, "impasto-noise")])
    assert set(service.graph("toy.sum", toy_values()).graph["nodes"]) == {"start", "total"}
    switched_on = service.graph("toy.sum", toy_values(_on={"noise.one": True})).graph
    assert switched_on["nodes"]["toy_add"]["b"] == 6


def test_a_section_of_nothing_but_its_switch_is_applied_when_switched_on(house):
    section = PanelSection(
        section=Section(id="noise.more", title="More", toggle=True, fields=[Note(id="about", title="One more")]),
        needs=("sum",),
        apply=lambda own, draft, values: draft.insert("sum", draft.add("toy_add", b=1), input="a", output="value"),
    )
    service = house.service([TOY_PANEL], [(section, "impasto-noise")])
    assert set(service.graph("toy.sum", toy_values()).graph["nodes"]) == {"start", "total"}
    assert "toy_add" in service.graph("toy.sum", toy_values(_on={"noise.more": True})).graph["nodes"]


def test_values_with_problems_make_no_graph(service):
    with pytest.raises(PanelValuesError) as caught:
        service.graph("toy.sum", {"steps": 0})
    assert [problem.path for problem in caught.value.problems] == ["/prompt", "/model", "/steps"]


def _raises(values):
    raise RuntimeError("broken")


@pytest.mark.parametrize("build", [_raises, lambda values: {"nodes": {}}], ids=["raises", "gives a dictionary"])
def test_a_panel_that_fails_is_laid_at_its_plugins_door(house, build):
    service = house.service([values_of(TOY_PANEL, build_graph=build)])
    with pytest.raises(PluginError, match=r"plugin 'impasto-toy': build_graph of panel 'toy\.sum'") as caught:
        service.graph("toy.sum", toy_values())
    assert caught.value.plugin == "impasto-toy"


def test_a_section_that_fails_is_laid_at_its_own_plugins_door(house):
    broken = PanelSection(section=NOISE_SECTION.section, needs=("sum",), apply=lambda items, draft, values: items[5])
    service = house.service([TOY_PANEL], [(broken, "impasto-noise")])
    with pytest.raises(PluginError, match=r"'impasto-noise': section 'noise\.parts' raised IndexError"):
        service.graph("toy.sum", toy_values(**{"noise.parts": [{}]}))


# --- enqueue ---


def claimed(queue: SessionQueue) -> list:
    items = []
    while (item := queue.claim("worker")) is not None:
        items.append(item)
    return items


def test_one_image_is_one_item_that_remembers_its_values(house, service):
    result = service.enqueue("default", "toy.sum", toy_values(steps=8))
    assert result.enqueued == 1
    (item,) = claimed(house.queue)
    memory = item.metadata["panel"]
    assert (memory["panel"], memory["plugin"], memory["version"]) == ("toy.sum", "impasto-toy", 3)
    assert memory["values"]["steps"] == 8
    assert memory["values"]["seed"] == {"mode": "fixed", "value": 42}


def test_several_images_take_the_next_seeds_and_each_remembers_its_own(house, service):
    result = service.enqueue("default", "toy.sum", toy_values(count=3, seed={"mode": "fixed", "value": 999}))
    assert len(result.item_ids) == 3
    items = claimed(house.queue)
    assert [item.graph["nodes"]["total"]["b"] for item in items] == [999, 1000, 0]
    assert [item.metadata["panel"]["values"]["seed"]["value"] for item in items] == [999, 1000, 0]


def test_what_an_image_remembers_makes_its_graph_again(house, service):
    values = toy_values(count=2, **{"noise.parts": [{"amount": 1}, {"_on": False}]})
    service.enqueue("default", "toy.sum", values)
    for item in claimed(house.queue):
        memory = item.metadata["panel"]
        recalled = service.upgrade(memory["panel"], memory["version"], memory["values"])
        assert service.graph("toy.sum", recalled.values).graph["nodes"] == item.graph["nodes"]


def test_runs_multiply_the_images_of_the_form(house, service):
    service.enqueue("default", "toy.sum", toy_values(count=2), runs=2)
    assert [item.graph["nodes"]["total"]["b"] for item in claimed(house.queue)] == [42, 43, 44, 45]


def test_a_panel_without_a_seed_is_repeated_as_it_is(house):
    def build(values):
        draft = GraphDraft()
        draft.add("toy_integer", value=values.integer("n"))
        return draft

    counted = [Integer(id="n", title="N", default=3)]
    panel = Panel(
        id="toy.plain", title="P", build_graph=build, submit=Submit(count="n"),
        sections=[Section(id="s", title="S", fields=counted)],
    )  # fmt: skip
    assert house.service([panel]).enqueue("default", "toy.plain", {}).enqueued == 3
    assert [item.graph["nodes"]["toy_integer"]["value"] for item in claimed(house.queue)] == [3, 3, 3]


def test_secrets_and_what_is_not_to_be_recalled_stay_out_of_the_memory(house, service):
    service.enqueue("default", "toy.sum", toy_values(token="hush", remark="between us"))
    (item,) = claimed(house.queue)
    assert not {"token", "remark"} & set(item.metadata["panel"]["values"])
    assert "hush" not in json.dumps(item.metadata)


def test_where_a_batch_comes_from_and_goes_to_is_passed_on(house, service):
    result = service.enqueue(
        "side", "toy.sum", toy_values(), origin="test", destination="gallery", prepend=True, user_id="ada"
    )
    assert (result.queue_id, result.batch.origin, result.batch.destination) == ("side", "test", "gallery")
    assert result.priority > 0
    assert claimed(house.queue)[0].user_id == "ada"


def test_an_idempotency_key_gives_the_first_answer_again_though_another_seed_would_be_drawn(house):
    seeds = iter(range(100))
    service = house.service([TOY_PANEL], draw=lambda least, greatest: next(seeds))
    values = toy_values(seed={"mode": "random"})
    first = service.enqueue("default", "toy.sum", values, idempotency_key="once")
    assert service.enqueue("default", "toy.sum", values, idempotency_key="once").item_ids == first.item_ids
    assert len(claimed(house.queue)) == 1


def test_an_idempotency_key_is_for_one_request(house, service):
    service.enqueue("default", "toy.sum", toy_values(), idempotency_key="once")
    with pytest.raises(IdempotencyKeyError, match="was used for another batch"):
        service.enqueue("default", "toy.sum", toy_values(steps=7), idempotency_key="once")


def test_values_with_problems_queue_nothing(house, service):
    with pytest.raises(PanelValuesError):
        service.enqueue("default", "toy.sum", toy_values(steps=0))
    assert claimed(house.queue) == []


def test_a_graph_that_cannot_run_queues_nothing(house):
    def build(values):
        draft = build_toy_graph(values)
        draft.add("no_such_node")
        return draft

    service = house.service([values_of(TOY_PANEL, build_graph=build)])
    with pytest.raises(GraphValidationError, match="no_such_node"):
        service.enqueue("default", "toy.sum", toy_values())
    assert claimed(house.queue) == []


def test_a_seed_anchor_that_is_an_output_is_the_plugins_mistake(house):
    def build(values):
        draft = build_toy_graph(values)
        draft.anchor("seed", draft.nodes("toy_integer")[0].output("value"))
        return draft

    service = house.service([values_of(TOY_PANEL, build_graph=build)])
    with pytest.raises(PluginError, match=r"its anchor 'seed' is the output start\.value"):
        service.enqueue("default", "toy.sum", toy_values(count=2))


# --- upgrade ---


def test_older_values_are_upgraded_by_the_panel(service):
    assert service.upgrade("toy.sum", 1, {"steps": 2}).values == {"steps": 20}


def test_an_upgrade_that_fails_is_laid_at_its_plugins_door(service):
    with pytest.raises(PluginError, match=r"upgrade of panel 'toy\.sum' from version 1 raised TypeError"):
        service.upgrade("toy.sum", 1, {"steps": None})


def test_a_size_is_mended_to_the_nearest_that_the_model_takes(house):
    panel = Panel(
        id="toy.size", title="S", build_graph=lambda values: GraphDraft(),
        sections=[Section(id="s", title="S", fields=[Size(id="size", title="Size", multiple_of=8, min=64)])],
    )  # fmt: skip
    (problem,) = house.service([panel]).check("toy.size", {"size": {"width": 100, "height": 64}}).problems
    assert problem.path == "/size/width"
    assert "such as 96 or 104" in problem.message
    assert problem.fix == 104
