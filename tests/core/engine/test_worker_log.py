"""Log lines of workers: whoever wrote them, the server's log knows which session and node they are about."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from support.engine_room import EngineRoom, graph, node
from support.plugins import make_plugin

from impasto.engine.log_fields import fields_of
from impasto.engine.wire_log import relay_log
from impasto.queue.records import QueueItem

CHATTY = '''
"""Nodes that log in every way that a node may, itself or a library that it uses."""

import logging
import threading
import warnings
from collections.abc import Generator

from impasto_sdk import BaseInvocation, InputField, IntegerOutput, InvocationContext, hookimpl, invocation
from impasto_sdk.fields import IntegerCollectionOutput
from impasto_sdk.node import Lane

library = logging.getLogger("some.library")


def say(how, context):
    if how == "library":
        library.warning("the library says %s", "something")
    elif how == "warning":
        warnings.warn("use something newer")
    elif how == "exception":
        try:
            raise KeyError("gone")
        except KeyError:
            library.exception("it did not work")
    elif how == "thread":
        thread = threading.Thread(target=library.warning, args=("from afar",))
        thread.start()
        thread.join()
    elif how == "own":
        thread = threading.Thread(target=context.logger.warning, args=("of the node",), kwargs={"extra": {"seed": 1}})
        thread.start()
        thread.join()
    elif how == "unprintable":
        library.warning("%d steps", "many")


@invocation("chatty", use_cache=False)
class Chatty(BaseInvocation):
    """Log in one way."""

    how: str = InputField("library", description="The way")

    def invoke(self, context: InvocationContext) -> IntegerOutput:
        say(self.how, context)
        return IntegerOutput(value=1)


@invocation("chatty_group", use_cache=False, lane=Lane.DEVICE, max_batch=8)
class ChattyGroup(BaseInvocation):
    """Log as several nodes that run as one call."""

    def batch_key(self):
        return "all"

    def invoke(self, context: InvocationContext) -> IntegerOutput:
        return IntegerOutput(value=1)

    @classmethod
    def invoke_batch(cls, nodes, contexts):
        library.warning("together")
        contexts[1].logger.warning("one of us")
        return [IntegerOutput(value=1) for node in nodes]


@invocation("chatty_stream", use_cache=False)
class ChattyStream(BaseInvocation):
    """Log between items."""

    def invoke(self, context: InvocationContext) -> Generator[int, None, IntegerCollectionOutput]:
        yield 1
        library.warning("in between")
        yield 2
        return IntegerCollectionOutput(collection=[1, 2])


@hookimpl
def register_invocations():
    return [Chatty, ChattyGroup, ChattyStream]
'''


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineRoom]:
    folder = tmp_path_factory.mktemp("plugins")
    make_plugin(folder, "chatty", CHATTY)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(folder))
        with EngineRoom(tmp_path_factory.mktemp("room")) as room:
            yield room


def said(
    room: EngineRoom, caplog: pytest.LogCaptureFixture, *nodes: dict[str, Any]
) -> tuple[QueueItem, list[logging.LogRecord]]:
    """What nodes of one session say, and its item."""
    with caplog.at_level(logging.WARNING):
        item = room.run(graph(nodes))
    assert item.status == "completed", item.error_message
    return item, [record for record in caplog.records if "worker_id" in record.__dict__]


def session_of(item: QueueItem) -> dict[str, object]:
    return {
        "worker_id": "cpu-0",
        "queue_id": "default",
        "batch_id": item.batch_id,
        "item_id": item.item_id,
        "session_id": item.session_id,
    }


@pytest.mark.parametrize(
    ("how", "logger", "message"),
    [
        ("library", "some.library", "the library says something"),
        ("warning", "py.warnings", "use something newer"),
        ("own", "impasto.node.chatty", "of the node"),
    ],
)
def test_a_line_is_of_the_node_that_runs(
    room: EngineRoom, caplog: pytest.LogCaptureFixture, how: str, logger: str, message: str
) -> None:
    item, (record,) = said(room, caplog, node("n", "chatty", how=how))
    assert record.name == logger
    assert message in record.getMessage()
    assert fields_of(record) == {**session_of(item), "node_id": "n", "node_type": "chatty"}
    assert "seed" not in record.__dict__


def test_a_line_of_a_librarys_own_thread_is_of_the_session(room: EngineRoom, caplog: pytest.LogCaptureFixture) -> None:
    item, (record,) = said(room, caplog, node("n", "chatty", how="thread"))
    assert fields_of(record) == session_of(item)


def test_a_line_of_a_call_of_several_nodes_names_them_all(room: EngineRoom, caplog: pytest.LogCaptureFixture) -> None:
    item, records = said(room, caplog, node("a", "chatty_group"), node("b", "chatty_group"))
    by_message = {record.getMessage(): fields_of(record) for record in records}
    assert by_message == {
        "together": {**session_of(item), "node_id": "a, b", "node_type": "chatty_group"},
        "one of us": {**session_of(item), "node_id": "b", "node_type": "chatty_group"},
    }


def test_a_line_between_two_items_is_of_the_node_that_yields(
    room: EngineRoom, caplog: pytest.LogCaptureFixture
) -> None:
    item, (record,) = said(room, caplog, node("n", "chatty_stream"))
    assert fields_of(record) == {**session_of(item), "node_id": "n", "node_type": "chatty_stream"}


def test_a_traceback_travels_as_text(room: EngineRoom, caplog: pytest.LogCaptureFixture) -> None:
    _, (record,) = said(room, caplog, node("n", "chatty", how="exception"))
    assert record.getMessage() == "it did not work"
    assert (record.exc_text or "").endswith("KeyError: 'gone'")


def test_a_line_that_cannot_be_written_harms_nobody(room: EngineRoom, caplog: pytest.LogCaptureFixture) -> None:
    _, records = said(room, caplog, node("n", "chatty", how="unprintable"))
    assert [record for record in records if record.name == "some.library"] == []


def test_a_relayed_line_is_of_the_moment_at_which_it_was_written(caplog: pytest.LogCaptureFixture) -> None:
    body = {
        "level": logging.WARNING,
        "logger": "some.library",
        "created": 1_700_000_000.25,
        "message": "100% done",
        "exception": None,
        "fields": {"item_id": 7, "levelno": 0, "msg": "forged"},
    }
    relay_log("cpu-0", body)
    (record,) = caplog.records
    assert (record.created, record.msecs, record.levelno) == (1_700_000_000.25, 250, logging.WARNING)
    assert record.getMessage() == "100% done"
    assert fields_of(record) == {"worker_id": "cpu-0", "item_id": 7}


def test_a_line_below_the_level_of_the_servers_log_is_let_go(caplog: pytest.LogCaptureFixture) -> None:
    body = {"level": logging.DEBUG, "logger": "some.library", "created": 0.0, "message": "", "exception": None}
    with caplog.at_level(logging.INFO):
        relay_log("cpu-0", {**body, "fields": {}})
    assert caplog.records == []
