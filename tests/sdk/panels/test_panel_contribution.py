"""Sections that plugins add to the panels of others."""

import pytest
from support.panels import NOISE_SECTION, TOY_PANEL

from impasto_sdk.errors import PanelDeclarationError
from impasto_sdk.panels import (
    Contribution,
    Integer,
    PanelSection,
    PluginReference,
    Section,
    contribute,
    fact,
    missing_from,
    plugin_prefix,
    when,
)

NOISE = PluginReference(name="impasto-noise", version="2.0")


def section(*fields, id="noise.more", needs=("sum",), order=None) -> PanelSection:
    inner = Section(id=id, title="More", fields=fields, **({} if order is None else {"order": order}))
    return PanelSection(section=inner, needs=needs, apply=lambda own, draft, values: None)


def test_a_section_joins_a_panel_that_has_what_it_needs():
    form = contribute(TOY_PANEL, [Contribution(NOISE_SECTION, NOISE)])
    assert [one.id for one in form.sections] == ["main", "noise.parts"]
    assert form.sections[-1].plugin == NOISE
    assert [one.id for one in TOY_PANEL.sections] == ["main"]


def test_a_section_says_what_a_panel_lacks():
    demanding = section(Integer(id="n", title="N", max=fact("/width", "x")), needs=("unet", "sum"))
    assert missing_from(TOY_PANEL, demanding) == ["the anchor 'unet'", "the field 'width'"]
    assert contribute(TOY_PANEL, [Contribution(demanding, NOISE)]) is TOY_PANEL


def test_sections_stand_in_their_order_and_own_ones_first():
    late, early = section(id="noise.late", order=50), section(id="noise.early", order=3)
    form = contribute(TOY_PANEL, [Contribution(late, NOISE), Contribution(early, NOISE)])
    assert [one.id for one in form.sections] == ["main", "noise.early", "noise.late"]


def test_a_section_that_asks_a_field_for_a_fact_it_cannot_have_is_refused():
    wrong = section(Integer(id="n", title="N", visible_when=when("/prompt").fact("x").is_set()))
    with pytest.raises(PanelDeclarationError, match="for the fact 'x'"):
        contribute(TOY_PANEL, [Contribution(wrong, NOISE)])


def test_a_section_with_another_plugins_prefix_is_refused():
    with pytest.raises(PanelDeclarationError, match=r"it is of impasto-lora, so its id begins with 'lora\.'"):
        Contribution(NOISE_SECTION, PluginReference(name="impasto-lora", version="1"))


@pytest.mark.parametrize(
    ("distribution", "prefix"),
    [("impasto-lora", "lora"), ("impasto_lora", "lora"), ("my-great.plugin", "my_great_plugin"), ("Noise", "noise")],
)
def test_the_prefix_is_the_distributions_name(distribution, prefix):
    assert plugin_prefix(distribution) == prefix


def test_a_contributed_section_is_known_by_its_sections_id():
    assert NOISE_SECTION.id == "noise.parts"
