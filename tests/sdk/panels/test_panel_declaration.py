"""What a panel's constructor refuses, and how it says so."""

import pytest

from impasto_sdk.draft import GraphDraft
from impasto_sdk.errors import PanelDeclarationError
from impasto_sdk.panels import (
    Action,
    Canvas,
    Choice,
    Choices,
    Image,
    Integer,
    List,
    Mask,
    Model,
    Number,
    Option,
    OptionSource,
    Panel,
    PanelSection,
    Preset,
    Prompt,
    Repeat,
    Section,
    Size,
    Submit,
    Text,
    TokenCount,
    fact,
    same_as,
    when,
)

MODEL = Model(id="model", title="Model")


def declare(*fields, sections=(), **others) -> Panel:
    main = Section(id="main", title="Main", fields=fields)
    return Panel(
        id="toy.panel", title="T", build_graph=lambda values: GraphDraft(), sections=[main, *sections], **others
    )


def section(*fields, id="toy.items", **others) -> Section:
    return Section(id=id, title="Items", repeat=Repeat(), fields=fields, **others)


def refused(*fields, **others) -> PanelDeclarationError:
    with pytest.raises(PanelDeclarationError) as caught:
        declare(*fields, **others)
    return caught.value


def test_an_unknown_name_in_a_condition_is_refused_with_the_name_that_was_meant():
    error = refused(MODEL, Text(id="text", title="T", visible_when=when("modle").is_set()))
    assert (error.panel, error.path) == ("toy.panel", "text.visible_when")
    assert error.problem == "there is no field 'modle'; is 'model' meant?"
    assert str(error) == "panel 'toy.panel', text.visible_when: there is no field 'modle'; is 'model' meant?"


@pytest.mark.parametrize(
    ("field", "path"),
    [
        (Integer(id="n", title="N", default=fact("gone", "x")), "n.default"),
        (Integer(id="n", title="N", max=fact("gone", "x")), "n.max"),
        (Number(id="n", title="N", soft_min=fact("/gone", "x")), "n.soft_min"),
        (Size(id="n", title="N", presets=fact("gone", "x")), "n.presets"),
        (Choice(id="n", title="N", options=fact("gone", "x")), "n.options"),
        (
            Choice(id="n", title="N", options=[Option(value=1, enabled_when=when("gone").is_set())]),
            "n.options.1.enabled_when",
        ),
        (
            Choice(id="n", title="N", options_from=OptionSource(source="plugin", depends_on=["gone"])),
            "n.options_from.depends_on",
        ),
        (Text(id="n", title="N", enabled_when=when("gone").is_(1)), "n.enabled_when"),
        (Text(id="n", title="N", visible_when=when("n").same_as("gone#x")), "n.visible_when"),
        (Prompt(id="n", title="N", tokens=TokenCount(model="gone")), "n.tokens.model"),
        (Model(id="n", title="N", where={"base": same_as("gone#base")}), "n.where.base"),
        (Mask(id="n", title="N", of="gone"), "n.of"),
        (Image(id="n", title="N", actions=[Action(id="go", title="Go", fills="gone")]), "n.actions.go.fills"),
        (List(id="n", title="N", item=Integer(id="m", title="M", max=fact("gone", "x"))), "n.item.m.max"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_an_unknown_name_is_refused_wherever_it_stands(field, path):
    error = refused(field)
    assert error.path == path
    assert "'gone'" in error.problem or "'/gone'" in error.problem


def test_an_unknown_name_in_a_sections_condition_is_refused():
    assert refused(sections=[section(visible_when=when("gone").is_set())]).path == "toy.items.visible_when"


def test_an_items_condition_may_name_its_own_fields_and_the_panels():
    own = Text(id="own", title="Own")
    seen = Text(
        id="seen", title="S", visible_when=when("own").is_set() & when("model").is_set() & when("/model").is_set()
    )
    assert declare(MODEL, sections=[section(own, seen)])


def test_a_slash_skips_the_items_own_field():
    error = refused(
        sections=[section(Text(id="own", title="O"), Text(id="b", title="B", visible_when=when("/own").is_set()))]
    )
    assert error.path == "b.visible_when"


@pytest.mark.parametrize(
    "source",
    [
        Text(id="source", title="S"),
        Integer(id="source", title="S"),
        Choice(id="source", title="S", options=["a", "b"]),
        Choices(id="source", title="S", options=[Option(value="a", facts={"x": 1})]),
    ],
    ids=lambda field: f"{field.kind} {type(field.options).__name__ if hasattr(field, 'options') else ''}",
)
def test_a_fact_of_what_has_no_facts_is_refused(source):
    error = refused(source, Integer(id="n", title="N", default=fact("source", "x")))
    assert error.path == "n.default"
    assert "for the fact 'x'" in error.problem


@pytest.mark.parametrize(
    "source",
    [
        Model(id="source", title="S"),
        Image(id="source", title="S"),
        Choice(id="source", title="S", options=["a", Option(value="b", facts={"x": 1})]),
        Choice(id="source", title="S", options_from=OptionSource(source="plugin")),
    ],
    ids=lambda field: field.kind,
)
def test_a_fact_of_what_can_have_facts_is_taken(source):
    assert declare(source, Integer(id="n", title="N", default=fact("source", "x")))


def test_two_fields_that_show_each_other_are_refused_with_the_way_round():
    error = refused(
        Text(id="a", title="A", visible_when=when("b").is_set()),
        Text(id="b", title="B", visible_when=when("c").is_set()),
        Text(id="c", title="C", visible_when=when("a").is_set()),
    )
    assert error.problem.endswith("a → b → c → a")


def test_a_circle_over_a_default_and_a_condition_is_refused():
    chosen = Choice(
        id="a", title="A", options=[Option(value="x", facts={"y": 1})], visible_when=when("b").is_(1), default="x"
    )
    assert "follows from itself" in refused(chosen, Integer(id="b", title="B", default=fact("a", "y"))).problem


def test_a_circle_inside_an_item_is_refused():
    items = section(
        Text(id="a", title="A", visible_when=when("b").is_set()),
        Text(id="b", title="B", visible_when=when("a").is_set()),
    )
    assert "a → b → a" in refused(sections=[items]).problem


def test_a_field_may_be_shown_while_it_is_set_but_not_while_it_is_empty():
    assert declare(Text(id="a", title="A", visible_when=when("a").is_set()))
    assert "follows from itself" in refused(Text(id="a", title="A", visible_when=when("a").is_empty())).problem


def test_a_field_that_is_shown_while_it_is_set_has_no_default():
    error = refused(Text(id="a", title="A", default="x", visible_when=when("a").is_set()))
    assert error.problem == "it is shown only while it is set, so it can have no default"


@pytest.mark.parametrize("condition", [~when("a").is_set(), when("a").is_empty(), ~~when("a").is_empty()])
def test_a_field_that_would_vanish_once_it_is_set_is_refused(condition):
    assert "follows from itself" in refused(Text(id="a", title="A", visible_when=condition)).problem
    assert declare(Text(id="a", title="A", visible_when=~condition))


def test_a_default_may_be_an_option_that_other_values_enable():
    options = ["x", Option(value="y", enabled_when=when("n").gte(2))]
    assert declare(Integer(id="n", title="N", default=2), Choice(id="c", title="C", default="y", options=options))


def test_a_chain_that_visibility_could_not_follow_is_refused():
    def chain(length):
        links = [Text(id=f"f{n}", title="F", visible_when=when(f"f{n - 1}").is_set()) for n in range(1, length)]
        return Text(id="f0", title="F"), *links

    assert declare(*chain(8))
    assert "8 fields follow one another" in refused(*chain(9)).problem


def test_a_required_field_that_comes_and_goes_needs_a_default():
    shown = {"visible_when": when("model").is_set(), "required": True}
    assert refused(MODEL, Text(id="text", title="T", **shown)).path == "text"
    assert declare(MODEL, Text(id="text", title="T", default="x", **shown))


def test_required_and_optional_exclude_each_other():
    assert "required and optional" in refused(Text(id="text", title="T", required=True, optional=True)).problem


def test_an_id_that_is_used_twice_is_refused():
    assert "'model'" in refused(MODEL, MODEL).problem
    assert "'toy.items'" in refused(sections=[section(), section()]).problem
    assert refused(MODEL, sections=[section(id="model")]).path == "model"


def test_two_sections_may_have_fields_of_one_id_when_their_values_are_apart():
    assert declare(MODEL, sections=[section(MODEL), section(MODEL, id="toy.others")])


@pytest.mark.parametrize(
    ("default", "problem"),
    [(0, "at least 1"), (12, "at most 10"), (1.5, "a whole number"), ("3", "a whole number"), (True, "a whole number")],
)
def test_a_default_that_its_field_does_not_take_is_refused(default, problem):
    error = refused(Integer(id="n", title="N", default=default, min=1, max=10))
    assert error.path == "n.default"
    assert problem in error.problem


def test_a_choice_has_options_or_a_source_of_options():
    assert "either options or options_from" in refused(Choice(id="c", title="C")).problem


def test_submit_counts_with_an_integer_field():
    assert refused(Text(id="n", title="N"), submit=Submit(count="n")).path == "submit.count"
    assert refused(submit=Submit(count="n")).path == "submit.count"
    assert declare(Integer(id="n", title="N"), submit=Submit(count="n"))


def test_a_canvas_is_boxed_by_a_size_field():
    assert refused(Text(id="size", title="S"), canvas=Canvas(box="size")).path == "canvas.box"


def test_a_preset_sets_fields_that_there_are():
    error = refused(MODEL, presets=[Preset(id="quick", title="Q", values={"stepz": 1})])
    assert (error.path, error.problem) == ("presets.quick", "there is no field 'stepz'")


def test_an_id_with_capitals_or_a_field_id_with_dots_is_refused():
    with pytest.raises(PanelDeclarationError, match="Section 'Main'"):
        Section(id="Main", title="M", fields=[])
    with pytest.raises(PanelDeclarationError, match=r"Text 'a\.b'"):
        Text(id="a.b", title="T")


def test_a_contributed_section_begins_with_its_plugins_prefix():
    with pytest.raises(PanelDeclarationError, match=r"section 'loras': .* e\.g\. 'lora\.loras'"):
        PanelSection(section=section(id="loras"), needs=("unet",), apply=lambda items, draft, values: None)


def test_a_contributed_section_is_checked_as_far_as_it_is_known():
    def contribute(*fields):
        return PanelSection(section=section(*fields), needs=("unet",), apply=lambda items, draft, values: None)

    assert contribute(Integer(id="n", title="N", max=fact("/model", "x"), visible_when=when("elsewhere").is_set()))
    with pytest.raises(PanelDeclarationError, match="for the fact 'x'"):
        contribute(Text(id="text", title="T"), Integer(id="n", title="N", max=fact("text", "x")))
    with pytest.raises(PanelDeclarationError, match="a → a"):
        contribute(Text(id="a", title="A", visible_when=when("a").is_("x")))
