"""What `build_graph` is given, and what becomes of values of older versions."""

import pytest
from support.panels import NOISE_SECTION, TOY_PANEL

from impasto_sdk.errors import PanelValuesError
from impasto_sdk.fields import ColorField, ImageField
from impasto_sdk.panels import Contribution, PanelValues, PluginReference, contribute, upgrade_values

FOX = {"image_name": "fox.png"}
VALUES = PanelValues(
    "toy.sum",
    {
        "prompt": "a fox", "steps": 3, "scale": 1, "on": True, "size": {"width": 64, "height": 32},
        "seed": {"mode": "fixed", "value": 7}, "random": {"mode": "random"}, "model": {"key": "small"}, "image": FOX,
        "images": [FOX], "off": None, "red": "#ff0000", "clear": "#ff000080", "items.a": [{"n": 1}, {"n": 2}],
        "one.b": {"n": 3},
    },
)  # fmt: skip


def test_getters_give_values_of_the_type_they_are_named_after():
    assert VALUES.text("prompt") == "a fox"
    assert VALUES.integer("steps") == 3
    assert isinstance(VALUES.number("scale"), float)
    assert VALUES.boolean("on") is True
    assert VALUES.size("size") == (64, 32)
    assert VALUES.seed("seed") == 7
    assert VALUES.model("model").key == "small"
    assert VALUES.image("image") == ImageField(image_name="fox.png")
    assert VALUES.images("images") == [ImageField(image_name="fox.png")]
    assert VALUES.colour("red") == ColorField(r=255, g=0, b=0, a=255)
    assert VALUES.colour("clear").a == 128


def test_what_is_absent_or_off_is_empty_for_getters_that_allow_it():
    for key in ("off", "gone"):
        assert VALUES.text(key) == ""
        assert VALUES.boolean(key) is False
        assert VALUES.image_or_none(key) is None
        assert VALUES.model_or_none(key) is None
        assert VALUES.images(key) == []
        assert VALUES.items_of(key) == []
        assert dict(VALUES.section(key)) == {}


def test_a_getter_that_needs_a_value_names_panel_and_key():
    with pytest.raises(PanelValuesError, match=r"panel 'toy\.sum': /gone: there is no value"):
        VALUES.integer("gone")
    with pytest.raises(PanelValuesError, match="/random: the seed has no value yet"):
        VALUES.seed("random")


def test_items_and_sections_are_values_of_their_own():
    assert [item.integer("n") for item in VALUES.items_of("items.a")] == [1, 2]
    assert VALUES.section("one.b").integer("n") == 3
    with pytest.raises(PanelValuesError) as caught:
        VALUES.items_of("items.a")[1].number("x")
    assert caught.value.problems[0].path == "/items.a/1/x"


def test_values_are_a_mapping_that_cannot_be_changed():
    assert VALUES["steps"] == 3
    assert "steps" in VALUES
    assert len(VALUES) == len(list(VALUES))
    with pytest.raises(TypeError):
        VALUES["steps"] = 4


def test_older_values_go_through_the_panels_upgrade_and_then_take_new_names():
    given = {"steps": 3, "prompt": "a fox"}
    upgraded = upgrade_values(TOY_PANEL, TOY_PANEL.upgrade, 1, given)
    assert upgraded.values == {"steps": 30, "prompt": "a fox"}
    assert given == {"steps": 3, "prompt": "a fox"}
    renamed = upgrade_values(TOY_PANEL, TOY_PANEL.upgrade, 2, {"iterations": 5})
    assert renamed.values == {"steps": 5}
    assert renamed.notes == ("'iterations' is called 'steps' now.",)


def test_a_new_name_that_is_there_already_wins_over_the_old_one():
    assert upgrade_values(TOY_PANEL, None, 2, {"iterations": 5, "steps": 6}).values == {"steps": 6}


def test_values_of_this_version_are_given_back_as_they_are():
    assert upgrade_values(TOY_PANEL, TOY_PANEL.upgrade, 3, {"steps": 3}).to_document() == {
        "values": {"steps": 3},
        "notes": [],
    }


def test_values_of_a_newer_version_are_given_back_with_a_note():
    upgraded = upgrade_values(TOY_PANEL, TOY_PANEL.upgrade, 9, {"iterations": 3})
    assert upgraded.values == {"iterations": 3}
    assert "version 9 of this form; this installation has 3" in upgraded.notes[0]


def test_items_of_contributed_sections_survive_an_upgrade():
    noise = Contribution(NOISE_SECTION, PluginReference(name="impasto-noise", version="1"))
    form = contribute(TOY_PANEL, [noise])
    values = {"noise.parts": [{"amount": 1}, "nonsense"]}
    assert upgrade_values(form, None, 1, values).values == values
