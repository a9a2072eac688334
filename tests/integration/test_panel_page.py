"""The page on panels is true: its panel, its section and its checks run as they are printed."""

import types

import pytest
from support.documentation import code_blocks, named_files
from support.sources import WORKSPACE

from impasto.app.panel_build import build_draft
from impasto.app.panel_catalogue import OfferedPanel, PanelCatalogue
from impasto.graph import Graph
from impasto.host import PluginHost
from impasto.host.contributions import Contributions, Registered
from impasto.host.plugin import PluginInfo, PluginState
from impasto_sdk.errors import PanelValuesError
from impasto_sdk.panels import World, check

PAGE = WORKSPACE / "docs" / "authors" / "panels.md"
FOX = {"image_name": "fox.png"}


@pytest.fixture(scope="module")
def words() -> dict:
    """What the page defines, and `register_panels`."""
    module = types.ModuleType("paper")
    files = named_files(PAGE)
    exec(files["panels.py"], vars(module))
    exec(files["sections.py"], vars(module))
    hook = next(code for code in code_blocks(PAGE, "python") if "@hookimpl" in code)
    exec(hook, vars(module))
    return vars(module)


@pytest.fixture(scope="module")
def offered(words) -> OfferedPanel:
    """The page's panel with the page's section, as the server would offer it."""
    paper, soft = (
        PluginInfo(name=name, version="1.0.0", entry_point=name, state=PluginState.ACTIVE)
        for name in ("impasto-paper", "impasto-soft")
    )
    (panel,) = words["register_panels"]()
    contributions = Contributions(panels=[Registered(panel, paper)], panel_sections=[Registered(words["BLUR"], soft)])
    return PanelCatalogue(contributions)["paper.sheet"]


def build(offered: OfferedPanel, **values) -> dict:
    verdict = check(offered.form, values, World())
    assert verdict.problems == ()
    return build_draft(offered, verdict.values).to_document()


def test_the_graphs_of_the_page_are_valid_with_the_shipped_nodes(offered):
    catalogue = PluginHost.load().catalogue
    for values in ({}, {"picture": FOX}, {"paper": "newsprint", "soft.blur": [{}, {"radius": 2}]}):
        assert Graph.from_document(build(offered, **values)).problems(catalogue) == []


def test_the_defaults_follow_the_paper(offered):
    assert build(offered)["nodes"]["blank_image"]["width"] == 640
    assert build(offered, paper="newsprint")["nodes"]["blank_image"]["width"] == 400
    assert build(offered, paper="newsprint", picture=FOX)["nodes"]["img_paste"]["x"] == 40


def test_the_section_of_the_page_goes_between_the_sheet_and_the_file(offered):
    graph = build(offered, **{"soft.blur": [{}, {"_on": False}, {"radius": 2}]})
    ways = [(edge["source"]["node_id"], edge["destination"]["node_id"]) for edge in graph["edges"]]
    assert set(ways) == {("blank_image", "img_blur"), ("img_blur", "img_blur_2"), ("img_blur_2", "save_image")}


def test_the_panel_of_the_page_refuses_margins_that_meet(offered):
    with pytest.raises(PanelValuesError, match="the margins meet in the middle"):
        build(offered, picture=FOX, margin=300)


def test_the_check_of_the_page_holds(words):
    example = next(code for code in code_blocks(PAGE, "python") if "verdict = check(" in code)
    exec(example, dict(words))
