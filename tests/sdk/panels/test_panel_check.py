"""What `check` finds in values: where, in which words, and with which way out."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.panels import NOISE_SECTION, TOY_PANEL, toy_values

from impasto_sdk.errors import PanelProblem
from impasto_sdk.panels import (
    Boolean,
    Choice,
    Choices,
    Colour,
    Contribution,
    Image,
    Images,
    Integer,
    List,
    Model,
    Number,
    Option,
    PanelForm,
    PluginReference,
    Range,
    Repeat,
    Section,
    Seed,
    Size,
    SizePreset,
    Text,
    World,
    check,
    contribute,
    effective,
    fact,
    same_as,
    when,
)

SMALL = {"key": "small", "hash": "h1", "name": "Small", "base": "a", "type": "main", "supports": ["noise"]}
LARGE = {**SMALL, "key": "large", "hash": "h2", "name": "Large", "base": "b", "max_steps": 8, "defaults": {"steps": 6}}
HISS = {"key": "hiss", "hash": "h3", "name": "Hiss", "base": "a", "type": "noise", "amount": 4}
WORLD = World(
    models={"small": SMALL, "large": LARGE, "hiss": HISS},
    images={"fox.png": {"mime_type": "image/png", "bytes": 900}, "owl.gif": {"mime_type": "image/gif"}},
)
SUM = contribute(TOY_PANEL, [Contribution(NOISE_SECTION, PluginReference(name="impasto-noise", version="1.0"))])
IDENTIFIER = {"key": "small", "hash": "h1", "name": "Small", "base": "a", "type": "main"}


def form_of(*fields, **others):
    return PanelForm(
        id="toy.one", title="One", values_version=1, sections=[Section(id="s", title="S", fields=fields)], **others
    )


def problems_of(field, value, world=WORLD) -> list[PanelProblem]:
    return list(check(form_of(field), {field.id: value}, world).problems)


def only(field, value, world=WORLD) -> PanelProblem:
    (problem,) = problems_of(field, value, world)
    return problem


def test_good_values_have_no_problems_and_whole_identifiers():
    verdict = check(SUM, toy_values(count=2.0), WORLD)
    assert verdict.ok
    assert verdict.values["model"] == IDENTIFIER
    assert (verdict.values["count"], type(verdict.values["count"])) == (2, int)
    assert verdict.values["steps"] == 3
    assert verdict.notices == ()


def test_what_is_required_and_missing_is_named_by_its_title():
    verdict = check(SUM, {"model": {"key": "small"}}, WORLD)
    assert verdict.problems == (PanelProblem("/prompt", "Prompt is needed"),)


def test_a_missing_model_is_mended_with_the_only_one_that_fits():
    world = World(models={"small": SMALL, "hiss": HISS})
    (problem,) = check(SUM, {"prompt": "x"}, world).problems
    assert (problem.path, problem.fix) == ("/model", IDENTIFIER)
    (problem,) = check(SUM, {"prompt": "x"}, WORLD).problems
    assert problem.fix is None


def test_every_problem_is_found_at_once():
    verdict = check(SUM, {"prompt": 3, "model": {"key": "gone"}, "steps": 0, "seed": {"mode": "wild"}}, WORLD)
    assert [problem.path for problem in verdict.problems] == ["/prompt", "/model", "/steps", "/seed/mode"]


def test_a_bound_follows_the_chosen_model():
    (problem,) = check(SUM, toy_values(model={"key": "large"}, steps=20), WORLD).problems
    assert problem == PanelProblem("/steps", "Steps: 20 is given, at most 8 is taken", 8)
    assert check(SUM, toy_values(steps=20), WORLD).ok


def test_problems_of_an_item_point_to_where_it_was_given():
    items = [{"_id": "a", "_on": False, "amount": -5}, {"_id": "b", "amount": -1}]
    verdict = check(SUM, toy_values(**{"noise.parts": items}), WORLD)
    assert [problem.path for problem in verdict.problems] == ["/noise.parts/1/amount"]


def test_an_items_model_must_fit_the_panels_model():
    values = toy_values(model={"key": "large"}, **{"noise.parts": [{"model": {"key": "hiss"}}]})
    (problem,) = check(SUM, values, WORLD).problems
    assert problem.path == "/noise.parts/0/model"
    assert problem.message == "Source: the model 'Hiss' does not fit: its base is 'a', needed is 'b'"
    assert check(SUM, {**values, "model": {"key": "small"}}, WORLD).ok


def test_a_tie_to_a_field_that_is_empty_asks_nothing():
    tied = Model(id="vae", title="VAE", where={"base": same_as("model#base")})
    assert check(form_of(Model(id="model", title="M"), tied), {"vae": {"key": "hiss"}}, WORLD).ok


def test_too_many_items_are_counted_without_those_that_are_off():
    items = [{}, {"_on": False}, {}]
    assert check(SUM, toy_values(**{"noise.parts": items}), WORLD).ok
    (problem,) = check(SUM, toy_values(**{"noise.parts": [*items, {}]}), WORLD).problems
    assert problem == PanelProblem("/noise.parts", "Noise: there are 3 items, at most 2 are taken")


@pytest.mark.parametrize(("given_", "path"), [("x", "/noise.parts"), ([3], "/noise.parts/0")])
def test_a_section_of_the_wrong_shape_is_a_problem(given_, path):
    (problem,) = check(SUM, toy_values(**{"noise.parts": given_}), WORLD).problems
    assert problem.path == path


def test_what_is_hidden_is_never_wrong():
    world = World(models={"small": {**SMALL, "supports": []}}, images={})
    assert check(SUM, toy_values(**{"noise.parts": "nonsense"}), world).ok


def test_an_unknown_key_is_a_notice_with_the_name_that_was_meant():
    verdict = check(SUM, toy_values(stepz=3, iterations=4, **{"noise.parts": [{"_id": "a", "amuont": 1}]}), WORLD)
    assert verdict.ok
    assert [(notice.path, notice.message.partition("; ")[2]) for notice in verdict.notices] == [
        ("/stepz", "is 'steps' meant?"),
        ("/iterations", "it is called 'steps' now"),
        ("/noise.parts/0/amuont", "is 'amount' meant?"),
    ]


def test_an_unknown_key_with_a_slash_is_escaped_in_its_path():
    assert [notice.path for notice in check(SUM, toy_values(**{"a/b~c": 1}), WORLD).notices] == ["/a~1b~0c"]


def test_more_images_than_the_panel_makes_are_too_many():
    (problem,) = check(SUM, toy_values(count=5), WORLD).problems
    assert problem == PanelProblem("/count", "5 is given, at most 4 is taken", 4)


@pytest.mark.parametrize(
    ("field", "value", "path", "words", "fix"),
    [
        (Text(id="f", title="F", max_length=3), "abcdef", "", "6 characters", "abc"),
        (Text(id="f", title="F"), 3, "", "a text is needed", None),
        (Integer(id="f", title="F"), 1.5, "", "a whole number", None),
        (Integer(id="f", title="F"), True, "", "a whole number", None),
        (Integer(id="f", title="F"), float("nan"), "", "a whole number", None),
        (Integer(id="f", title="F", multiple_of=8, min=1, max=60), 61, "", "at most 60", 56),
        (Integer(id="f", title="F", multiple_of=8), 21, "", "such as 16 or 24", 24),
        (Number(id="f", title="F", multiple_of=0.1), 0.25, "", "a multiple of 0.1", pytest.approx(0.3)),
        (Number(id="f", title="F", min=0, max=1), -0.5, "", "at least 0", 0),
        (Boolean(id="f", title="F"), 1, "", "true or false", None),
        (Range(id="f", title="F", min=0, max=1), [0.2, 3], "/1", "at most 1", 1),
        (Range(id="f", title="F", min_gap=0.1), [0.5, 0.55], "", "at least 0.1 above", None),
        (Range(id="f", title="F"), [1], "", "two numbers", None),
        (Choice(id="f", title="F", options=["a", "b"]), "c", "", "there are 'a', 'b'", "a"),
        (Choice(id="f", title="F", options=[1]), True, "", "is no option", 1),
        (Choice(id="f", title="F", options=["a"]), ["a"], "", "one option is needed", None),
        (Choices(id="f", title="F", options=["a", "b"]), ["b", "z"], "/1", "is no option", "a"),
        (Choices(id="f", title="F", options=["a", "b"]), ["b", "b"], "/1", "chosen twice", None),
        (Choices(id="f", title="F", options=["a"]), "a", "", "a list of options", None),
        (Seed(id="f", title="F"), {"mode": "fixed"}, "/value", "needs a value", None),
        (Seed(id="f", title="F", max=9), {"mode": "fixed", "value": 10}, "/value", "at most 9", 9),
        (Seed(id="f", title="F"), {"mode": "fixed", "value": 2**32}, "/value", "at most 4294967295", 2**32 - 1),
        (Seed(id="f", title="F"), {"mode": "fixed", "value": 1.5}, "/value", "a whole number", None),
        (Seed(id="f", title="F", modes=["fixed"]), {"mode": "random"}, "/mode", "there are fixed", "fixed"),
        (Seed(id="f", title="F"), 7, "", "an object", None),
        (Integer(id="f", title="F", max=60), 10**400, "", "a whole number is needed", None),
        (Number(id="f", title="F", max=5, multiple_of=0.5), 1e308, "", "at most 5", 5),
        (Size(id="f", title="F", multiple_of=8), {"width": 100, "height": 64}, "/width", "such as 96 or 104", 104),
        (Size(id="f", title="F", max=512), {"width": 64, "height": 600}, "/height", "at most 512", 512),
        (Size(id="f", title="F"), {"width": "64", "height": 64}, "", "whole numbers of pixels", None),
        (Size(id="f", title="F"), {"width": 0, "height": 64}, "", "whole numbers of pixels", None),
        (
            Size(
                id="f", title="F", presets_only=True,
                presets=[SizePreset(width=8, height=8), SizePreset(width=16, height=8)],
            ),
            {"width": 15, "height": 8}, "", "taken are 8×8, 16×8", {"width": 16, "height": 8},
        ),
        (Model(id="f", title="F"), "small", "", "a model's identifier", None),
        (Model(id="f", title="F"), {"key": "gone", "name": "Gone"}, "", "'Gone' is not installed", None),
        (Model(id="f", title="F"), {"key": "gone", "hash": "h1"}, "", "not installed", IDENTIFIER),
        (Model(id="f", title="F"), {"key": "gone", "name": "Small"}, "", "not installed", IDENTIFIER),
        (Model(id="f", title="F", where={"type": "noise"}), {"key": "small"}, "", "its type is 'main'", {
            "key": "hiss", "hash": "h3", "name": "Hiss", "base": "a", "type": "noise"}),
        (Model(id="f", title="F", where={"base": ["b", "c"]}), {"key": "small"}, "", "is 'a', needed is 'b' or 'c'", {
            "key": "large", "hash": "h2", "name": "Large", "base": "b", "type": "main"}),
        (Model(id="f", title="F", where={"supports": "x"}), {"key": "small"}, "", "its supports is ['noise']", None),
        (Image(id="f", title="F"), {"image_name": "gone.png"}, "", "no image 'gone.png' is stored", None),
        (Image(id="f", title="F"), "fox.png", "", "an image", None),
        (Image(id="f", title="F", accept=["image/png"]), {"image_name": "owl.gif"}, "", "is image/gif", None),
        (Image(id="f", title="F", max_bytes=800), {"image_name": "fox.png"}, "", "900 bytes", None),
        (Images(id="f", title="F", max_items=1), [{"image_name": "fox.png"}] * 2, "", "at most 1", None),
        (Images(id="f", title="F", min_items=1), [], "", "at least 1", None),
        (Images(id="f", title="F"), [{"image_name": "fox.png"}, {"image_name": "x"}], "/1", "no image 'x'", None),
        (Colour(id="f", title="F"), "red", "", "#rrggbb", None),
        (Colour(id="f", title="F"), "#11223344", "", "#rrggbb", None),
        (List(id="f", title="F", max_items=1, item=Integer(id="i", title="I")), [1, 2], "", "at most 1", None),
        (List(id="f", title="F", item=Integer(id="i", title="I", max=3)), [1, 5], "/1", "at most 3", 3),
    ],
)  # fmt: skip
def test_a_value_that_does_not_fit_is_named_with_a_way_out(field, value, path, words, fix):
    problem = only(field, value)
    assert problem.path == "/f" + path
    assert problem.message.startswith("F: ")
    assert words in problem.message
    assert problem.fix == fix
    if fix is not None and path == "":
        assert problems_of(field, problem.fix) == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (Text(id="f", title="F"), ""),
        (Integer(id="f", title="F", min=1), 1.0),
        (Number(id="f", title="F", multiple_of=0.1), 0.3),
        (Range(id="f", title="F", min=0, max=1, min_gap=0.1), [0, 0.1]),
        (Choice(id="f", title="F", options=["a"], free_text=True), "anything"),
        (Choice(id="f", title="F", options=fact("model", "unknown")), "anything"),
        (Choices(id="f", title="F", options=["a", "b"]), ["b", "a"]),
        (Seed(id="f", title="F"), {"mode": "random"}),
        (Seed(id="f", title="F"), {"mode": "increment", "value": 3}),
        (Size(id="f", title="F", multiple_of=8), {"width": 64, "height": 72}),
        (Size(id="f", title="F", auto="Any"), None),
        (Model(id="f", title="F", where={"supports": "noise", "base": ["a", "z"]}), {"key": "small"}),
        (Image(id="f", title="F", accept=["image/png"], max_bytes=900), {"image_name": "fox.png"}),
        (Colour(id="f", title="F", alpha=True), "#11223344"),
        (List(id="f", title="F", item=Text(id="i", title="I")), ["a"]),
    ],
    ids=lambda value: getattr(value, "kind", ""),
)
def test_a_value_that_fits_has_no_problems(field, value):
    form = form_of(Model(id="model", title="M"), field)
    assert check(form, {"f": value}, WORLD).problems == ()


def test_an_option_that_is_disabled_now_cannot_be_chosen():
    options = ["a", Option(value="b", enabled_when=when("n").gte(2))]
    form = form_of(Integer(id="n", title="N", default=1), Choice(id="c", title="C", options=options))
    (problem,) = check(form, {"c": "b"}, WORLD).problems
    assert problem.message == "C: 'b' cannot be chosen with these values; there are 'a'"
    assert check(form, {"c": "b", "n": 2}, WORLD).ok


def test_images_are_not_looked_for_when_they_are_not_known():
    assert problems_of(Image(id="f", title="F"), {"image_name": "gone.png"}, World()) == []


def test_switches_of_the_wrong_shape_are_a_problem():
    (problem,) = check(SUM, toy_values(_on=["noise"]), WORLD).problems
    assert problem.path == "/_on"


def test_a_contributed_section_that_does_not_repeat_must_be_an_object():
    nested = Section(
        id="x.y", title="N", plugin=PluginReference(name="x", version="1"), fields=[Integer(id="n", title="N")]
    )
    form = PanelForm(id="toy.one", title="One", values_version=1, sections=[nested])
    assert [problem.path for problem in check(form, {"x.y": [1]}, WORLD).problems] == ["/x.y"]
    assert [problem.path for problem in check(form, {"x.y": {"n": "a"}}, WORLD).problems] == ["/x.y/n"]
    assert [notice.path for notice in check(form, {"x.y": {"m": 1}}, WORLD).notices] == ["/x.y/m"]


def test_a_repeating_section_may_need_items():
    items = Section(id="toy.items", title="Items", repeat=Repeat(min=1), fields=[])
    form = PanelForm(id="toy.one", title="One", values_version=1, sections=[items])
    assert check(form, {}, WORLD).problems == (
        PanelProblem("/toy.items", "Items: there are 0 items, at least 1 are needed"),
    )


def test_a_verdict_is_a_document():
    document = check(SUM, toy_values(steps=0, x=1), WORLD).to_document()
    assert document["ok"] is False
    assert document["errors"] == [{"path": "/steps", "message": "Steps: 0 is given, at least 1 is needed", "fix": 1}]
    assert document["notices"][0]["level"] == "warning"
    assert json.loads(json.dumps(document)) == document


VECTORS = json.loads(Path(__file__).with_name("vectors.json").read_text("utf-8"))
FORMS = [PanelForm.model_validate(panel) for panel in VECTORS["panels"].values()] + [SUM]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 700) | st.floats() | st.text(max_size=3)
    | st.sampled_from(["small", "large", "random", "fixed", "fox.png"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["key", "mode", "value", "width", "height", "image_name", "_on", "_id", "model", "hires.fix"]),
        inner, max_size=4,
    ),
    max_leaves=8,
)  # fmt: skip


@st.composite
def drafts(draw):
    form = draw(st.sampled_from(FORMS))
    names = [*form.root_fields, *form.nested_sections, "_on", "unknown"]
    return form, draw(st.dictionaries(st.sampled_from(names), JSON, max_size=8))


@given(drafts())
@settings(max_examples=300, deadline=None)
def test_any_json_is_judged_and_never_raises(case):
    form, draft = case
    verdict = check(form, draft, WORLD)
    json.dumps(verdict.to_document())


@given(drafts())
@settings(max_examples=300, deadline=None)
def test_accepted_values_put_back_as_a_draft_come_to_themselves(case):
    form, draft = case
    verdict = check(form, draft, WORLD)
    if verdict.ok:
        assert check(form, verdict.values, WORLD).values == verdict.values
    outcome = effective(form, draft, WORLD)
    assert repr(effective(form, outcome.values, WORLD).values) == repr(outcome.values)
