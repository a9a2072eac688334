"""The vectors that every implementation of panels passes: panel, draft and world to values and hidden."""

import json
from pathlib import Path

import pytest

from impasto_sdk.panels import PanelForm, World, check_form, effective

DOCUMENT = json.loads(Path(__file__).with_name("vectors.json").read_text("utf-8"))
FORMS = {name: PanelForm.model_validate(panel) for name, panel in DOCUMENT["panels"].items()}
WORLD = World(models=DOCUMENT["world"]["models"], images=DOCUMENT["world"]["images"])
VECTORS = [pytest.param(vector, id=vector["name"]) for vector in DOCUMENT["vectors"]]


@pytest.mark.parametrize("name", FORMS)
def test_a_panel_of_the_vectors_survives_being_read_and_written(name):
    assert FORMS[name].to_document() == DOCUMENT["panels"][name]


@pytest.mark.parametrize("name", FORMS)
def test_a_panel_of_the_vectors_is_declared_rightly(name):
    check_form(FORMS[name])


@pytest.mark.parametrize("vector", VECTORS)
def test_a_draft_comes_to_the_values_of_its_vector(vector):
    outcome = effective(FORMS[vector["panel"]], vector["draft"], WORLD)
    assert outcome.values == vector["values"]
    assert sorted(outcome.hidden) == vector["hidden"]


@pytest.mark.parametrize("vector", VECTORS)
def test_values_put_back_as_a_draft_come_to_the_same_values(vector):
    again = effective(FORMS[vector["panel"]], vector["values"], WORLD)
    assert again.values == vector["values"]
    assert sorted(again.hidden) == vector["hidden"]


def test_every_vector_has_a_name_of_its_own():
    names = [vector["name"] for vector in DOCUMENT["vectors"]]
    assert len(set(names)) == len(names) >= 40
