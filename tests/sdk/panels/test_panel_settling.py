"""Whatever declaration is accepted, its visibility settles, for every draft."""

from functools import reduce
from operator import and_, or_

from hypothesis import given, settings
from hypothesis import strategies as st

from impasto_sdk.panels import (
    Choice,
    Option,
    PanelForm,
    Repeat,
    Section,
    World,
    check_form,
    effective,
    fact,
    when,
)

NAMES = [f"f{number}" for number in range(5)]
VALUES = ["a", "b", ""]


OPTIONS = [Option(value="a", facts={"next": "b"}), Option(value="b", facts={"next": "a"}), ""]


@st.composite
def conditions(draw, names):
    tests = []
    for _ in range(draw(st.integers(1, 3))):
        about = when(draw(st.sampled_from(names)))
        about = about.fact("next") if draw(st.booleans()) else about
        test = draw(st.sampled_from([about.is_set(), about.is_empty(), about.is_("a"), about.is_one_of("a", "b")]))
        tests.append(~test if draw(st.booleans()) else test)
    return reduce(and_ if draw(st.booleans()) else or_, tests)


@st.composite
def field_lists(draw):
    """Fields that look at fields before them in some order, or show only while they are set: all are accepted."""
    order = draw(st.permutations(NAMES))
    fields = {}
    for place, name in enumerate(order):
        said = {}
        if draw(st.integers(0, 5)) == 0:
            said["visible_when"] = when(name).is_set()
        elif place and draw(st.booleans()):
            said["visible_when"] = draw(conditions(order[:place]))
        if place and said.get("visible_when") != when(name).is_set() and draw(st.booleans()):
            default = draw(st.sampled_from([*VALUES, None, *order[:place]]))
            said["default"] = fact(default, "next") if default in NAMES else default
        fields[name] = Choice(id=name, title=name, options=OPTIONS, **said)
    return [fields[name] for name in NAMES]


@st.composite
def forms(draw):
    sections = [
        Section(id="main", title="M", fields=draw(field_lists())),
        Section(id="toy.items", title="I", repeat=Repeat(), fields=draw(field_lists())),
    ]
    return PanelForm(id="toy.any", title="Any", values_version=1, sections=sections)


DRAFTS = st.dictionaries(st.sampled_from(NAMES), st.sampled_from([*VALUES, None]))


@given(forms(), DRAFTS, st.lists(DRAFTS, max_size=2))
@settings(max_examples=100, deadline=None)
def test_an_accepted_form_settles_and_its_values_come_to_themselves(form, draft, items):
    check_form(form)
    outcome = effective(form, {**draft, "toy.items": items}, World())
    assert not outcome.hidden & outcome.values.keys()
    again = effective(form, outcome.values, World())
    assert (again.values, again.hidden) == (outcome.values, outcome.hidden)
