"""The page for client developers is true: its requests, sent one after the other, are answered as it says."""

from pathlib import Path

import pytest
from support.documentation import exchanges, resembles
from support.http_servers import http_server
from support.sources import WORKSPACE

from impasto.api.factory import create_api

PAGE = WORKSPACE / "docs" / "clients" / "queue.md"


def test_every_example_is_answered_as_it_is_printed(tmp_path: Path) -> None:
    shown = exchanges(PAGE)
    assert len(shown) > 15
    with http_server(tmp_path) as server:
        for one in shown:
            headers = {"Content-Type": "application/json", **one.headers}
            answer = server.client.request(one.method, one.path, content=one.body, headers=headers)
            what = f"{one.method} {one.path}: {answer.status_code} {answer.text[:600]}"
            if isinstance(one.answer, dict) and "type" in one.answer:
                assert answer.status_code == one.answer["status"], what
            else:
                assert answer.is_success, what
            assert one.answer is None or resembles(one.answer, answer.json()), what


@pytest.mark.parametrize(
    ("shown", "real", "expected"),
    [
        ("…", {"a": 1}, True),
        ({"a": 1}, {"a": 1, "b": 2}, True),
        ({"a": 1}, {"a": 2}, False),
        ({"a": None}, {}, False),
        ([{"a": 1}], [{"a": 1, "b": 2}], True),
        ([{"a": 1}], [{"a": 1}, {"a": 1}], False),
        ([1, 2], [2, 1], False),
    ],
)
def test_what_is_shown_is_compared_with_what_is_there(shown: object, real: object, expected: bool) -> None:
    assert resembles(shown, real) is expected


def test_every_route_that_the_page_names_is_there(tmp_path: Path) -> None:
    with http_server(tmp_path) as server:
        routes = set(create_api(server.app).openapi()["paths"])
    names = ("cancel_by_destination", "cancel_by_origin", "cancel_all", "cancel_all_except_current", "clear")
    names += ("delete_all_except_current", "processor/pause", "processor/resume", "d/{destination}", "current")
    text = PAGE.read_text("utf-8")
    assert [name for name in names if name.split("/")[-1].strip("{}") not in text] == []
    assert {f"/api/v1/queue/{{queue_id}}/{name}" for name in names} - routes == set()
