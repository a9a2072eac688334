"""Panels of external providers: there while their provider has a key, and recalled whole when it has none any more."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.easel import EaselImageGeneration
from support.panel_house import PanelHouse, panel_house
from support.panels import TOY_PANEL
from support.providers import KEY

from impasto_sdk.errors import NotFoundError, PanelValuesError
from impasto_sdk.providers import image_panel

VALUES = {
    "prompt": "a fox",
    "model": {"key": "easel.oils-1"},
    "size": {"width": 96, "height": 48},
    "seed": {"mode": "fixed", "value": 7},
    "glaze": "gloss",
}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[PanelHouse]:
    with panel_house(tmp_path) as house:
        yield house


def test_the_panel_of_a_provider_is_there_while_that_has_a_key(house: PanelHouse) -> None:
    service = house.service([image_panel(EaselImageGeneration), TOY_PANEL])

    def shown() -> list[str]:
        return [panel["id"] for panel in service.document()["panels"]]

    without = service.document()["revision"]
    assert shown() == ["toy.sum"]
    house.providers.configure("easel", api_key=KEY)
    assert shown() == ["toy.sum", "easel.image"]
    assert service.document()["revision"] != without
    house.providers.reset("easel")
    assert service.document()["revision"] == without


def test_values_of_a_picture_whose_provider_has_no_key_any_more_are_whole_and_say_which_key_is_missing(
    house: PanelHouse,
) -> None:
    service = house.service([image_panel(EaselImageGeneration)])
    house.providers.configure("easel", api_key=KEY)
    before = service.check("easel.image", VALUES)
    assert before.ok, before.problems
    house.providers.reset("easel")

    verdict = service.check("easel.image", VALUES)
    [problem] = verdict.problems
    assert problem.path == "/model"
    assert "no API key is set for Easel; set one with `impasto providers set easel`" in problem.message
    assert (verdict.values, verdict.hidden) == (before.values, before.hidden)
    assert verdict.values["glaze"] == "gloss"
    with pytest.raises(PanelValuesError, match="impasto providers set easel"):
        service.graph("easel.image", VALUES)
    with pytest.raises(PanelValuesError, match="impasto providers set easel"):
        service.enqueue("default", "easel.image", VALUES)


def test_what_else_is_wrong_with_the_values_is_said_beside_the_missing_key(house: PanelHouse) -> None:
    service = house.service([image_panel(EaselImageGeneration)])
    verdict = service.check("easel.image", {**VALUES, "prompt": "", "size": {"width": 64, "height": 48}})
    assert [problem.path.split("/")[1] for problem in verdict.problems] == ["model", "prompt", "size"]


def test_a_panel_of_a_provider_that_there_is_not_is_not_shown(house: PanelHouse) -> None:
    lost = image_panel(EaselImageGeneration).model_copy(update={"provider": "lost"})
    service = house.service([lost])
    assert service.document()["panels"] == []
    with pytest.raises(NotFoundError, match="no external provider 'lost'"):
        service.check("easel.image", VALUES)


def test_a_key_makes_the_graph_of_the_panel(house: PanelHouse) -> None:
    service = house.service([image_panel(EaselImageGeneration)])
    house.providers.configure("easel", api_key=KEY)
    [node] = service.graph("easel.image", VALUES).graph["nodes"].values()
    assert (node["type"], node["glaze"], node["width"], node["seed"]) == ("easel_image_generation", "gloss", 96, 7)
