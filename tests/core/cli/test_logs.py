"""Lines of the log: for people and for programs, with the ids that are known, and without secrets."""

import json
import logging
import re
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from impasto.cli.json_lines import JsonLines
from impasto.cli.logs import log_to_file
from impasto.cli.text_lines import TextLines
from impasto.engine.log_fields import request_id, running_node
from impasto.host.mask import Mask
from impasto_sdk.context import InvocationIdentity

NODE = InvocationIdentity(
    queue_id="default", item_id=7, batch_id="b", session_id="s", node_id="c[0]", source_id="c", node_type="compel"
)


def record(message: object = "done", *arguments: object, **extra: object) -> logging.LogRecord:
    made = logging.LogRecord("impasto.x", logging.WARNING, __file__, 1, message, arguments, None)
    made.__dict__.update(extra)
    return made


def failed() -> logging.LogRecord:
    try:
        raise ValueError("it broke")
    except ValueError:
        made = record("oh")
        made.exc_info = sys.exc_info()
        return made


def as_json(made: logging.LogRecord, *secrets: str) -> dict[str, Any]:
    line = JsonLines(Mask(secrets)).format(made)
    assert "\n" not in line
    document: dict[str, Any] = json.loads(line)
    return document


@pytest.fixture
def in_a_node() -> Iterator[None]:
    token = running_node.set(NODE)
    yield
    running_node.reset(token)


def test_a_json_line_says_when_how_grave_who_and_what() -> None:
    document = as_json(record("item %d", 7))
    assert list(document) == ["timestamp", "level", "logger", "message"]
    assert (document["level"], document["logger"], document["message"]) == ("warning", "impasto.x", "item 7")
    assert datetime.fromisoformat(document["timestamp"]).utcoffset() == timedelta(0)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", document["timestamp"])  # as in the database


def test_a_json_line_has_the_ids_that_are_known(in_a_node: None) -> None:
    document = as_json(record(worker_id="cpu-0"))
    assert {name: document[name] for name in sorted(document)[:3]} == {
        "batch_id": "b",
        "item_id": 7,
        "level": "warning",
    }
    assert document["worker_id"] == "cpu-0"
    assert (document["session_id"], document["node_id"], document["node_type"]) == ("s", "c[0]", "compel")


def test_what_a_line_says_of_itself_goes_before_where_it_is_written(in_a_node: None) -> None:
    assert as_json(record(node_id="another"))["node_id"] == "another"


def test_an_exception_is_a_field_of_its_line() -> None:
    assert "ValueError: it broke" in as_json(failed())["exception"]
    far = record("oh", exc_text="Traceback: far away")
    assert as_json(far)["exception"] == "Traceback: far away"


def test_a_line_may_hold_anything() -> None:
    assert as_json(record("half \ud800 of a pair\n\x00"))["message"] == "half \ud800 of a pair\n\x00"
    assert as_json(record({"a": Path("/x")}))["a"] == "/x"


@pytest.mark.parametrize("secret", ["hunter22", 'with "quotes" \\ and ünicode'])
def test_a_secret_is_in_no_line(secret: str) -> None:
    made = record("key %s", secret, exc_text=f"KeyError: {secret}")
    line = JsonLines(Mask([secret])).format(made)
    assert secret not in str(json.loads(line))
    assert json.loads(line)["message"] == "key ***"
    text = TextLines(None, Mask([secret])).format(made)
    assert secret not in text
    assert "key ***" in text


def test_a_secret_that_looks_like_the_rest_of_an_escape_breaks_no_line() -> None:
    document = as_json(record("one\n1234567 and n1234567"), "n1234567")
    assert document["message"] == "one\n1234567 and ***"


def test_a_secret_that_is_learned_of_later_is_hidden_from_then_on(tmp_path: Path) -> None:
    with log_to_file(tmp_path / "a.log", "info") as mask:
        mask.add("learned-later-1")
        logging.getLogger("impasto.test").info("key learned-later-1")
    assert "key ***" in (tmp_path / "a.log").read_text("utf-8")


def test_a_line_of_text_ends_with_the_ids_that_a_person_looks_for(in_a_node: None) -> None:
    assert TextLines().format(record(worker_id="cpu-0")).endswith("WARNING impasto.x: done [cpu-0, item 7, node c[0]]")
    token = request_id.set("r1")
    try:
        assert TextLines().format(record()).endswith("[item 7, node c[0], request r1]")
    finally:
        request_id.reset(token)


def test_a_line_of_text_that_is_about_nothing_in_particular_ends_with_its_message() -> None:
    assert TextLines().format(record()).endswith("impasto.x: done")
    first, *_, last = TextLines().format(failed()).splitlines()
    assert first.endswith("impasto.x: oh")
    assert last == "ValueError: it broke"


def test_a_log_file_takes_either_form_and_is_let_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMPASTO_SECRET_KEY", "hunter22")
    before = list(logging.getLogger().handlers)
    with log_to_file(tmp_path / "a.log", "info", "json"):
        logging.getLogger("impasto.test").info("key hunter22", extra={"item_id": 7})
        logging.getLogger("sqlalchemy").warning("slow")
    ours, theirs = (json.loads(line) for line in (tmp_path / "a.log").read_text("utf-8").splitlines())
    assert (ours["message"], ours["item_id"]) == ("key ***", 7)
    assert theirs["logger"] == "sqlalchemy"
    assert logging.getLogger().handlers == before
