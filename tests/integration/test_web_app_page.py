"""The page on web apps is true: its plugin is served by a real server, and makes a picture there."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from support.documentation import named_files
from support.plugins import make_plugin
from support.servers import RunningServer, running_server
from support.sources import WORKSPACE

PAGE = WORKSPACE / "docs" / "authors" / "web-apps.md"
#: A panel that needs no model, so that the picture is there at once.
PAINTER = """
from impasto_sdk import GraphDraft, Panel, hookimpl
from impasto_sdk.panels import Section, Text


def build_graph(values):
    draft = GraphDraft()
    draft.add("blank_image", id="it", width=8, height=8, use_cache=False)
    return draft


@hookimpl
def register_panels():
    section = Section(id="all", title="All", fields=[Text(id="words", title="Words", required=True)])
    return [Panel(id="painter.blank", title="Blank", makes="image", sections=[section], build_graph=build_graph)]
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    site: Path = tmp_path_factory.mktemp("site")
    make_plugin(site, "impasto-postcard", named_files(PAGE)["impasto_postcard.py"])
    make_plugin(site, "painter", PAINTER)
    environment = {"IMPASTO_PLUGINS__POSTCARD__GREETING": "Wish you were here"}
    with running_server(tmp_path_factory.mktemp("root"), environment=environment, python_path=site) as running:
        yield running


def test_the_page_shows_a_new_picture_and_what_the_operator_chose(server: RunningServer) -> None:
    with server.client() as client:
        page = client.post("/postcard", params={"panel": "painter.blank", "words": "none"}).raise_for_status().text
        assert page.endswith("<p>Wish you were here</p>")
        picture = client.get(page.split('"')[1]).raise_for_status()
        assert picture.headers["content-type"] == "image/png"


def test_a_refusal_of_the_api_is_the_apps_own_to_answer(server: RunningServer) -> None:
    with server.client() as client:
        answer: httpx.Response = client.post("/postcard", params={"panel": "painter.blank"})
        assert answer.status_code == 500
        assert answer.json()["type"] == "urn:impasto:problem:internal-error"


def test_a_page_of_another_origin_can_have_nothing_made(server: RunningServer) -> None:
    query = {"panel": "painter.blank", "words": "none"}
    with server.client() as client:
        before = client.get("/api/v1/queue/default/status").json()["queue"]["total"]
        assert "<button>" in client.get("/postcard", params=query).raise_for_status().text
        posted = client.post("/postcard", params=query, headers={"origin": "http://elsewhere.example"})
        assert posted.status_code == 403
        assert client.get("/api/v1/queue/default/status").json()["queue"]["total"] == before
