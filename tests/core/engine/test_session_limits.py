"""A session that takes too long fails, with its nodes in hand named; a server that stops gives what it is told to."""

from collections.abc import Callable

import psutil
from support.engine_room import EngineRoom, graph, node

OpenRoom = Callable[..., EngineRoom]

QUICK = graph([node("a", "add", use_cache=False)])


def test_a_session_that_listens_fails_when_its_time_is_up_and_its_worker_stays(open_room: OpenRoom):
    room = open_room(session_timeout_s=2, cancel_grace_s=60)
    item = room.run(graph([node("p", "polite"), node("after", "add")], ["p.value after.a"]))
    assert (item.status, item.error_type, item.attempts) == ("failed", "SessionTimeoutError", 1)
    assert item.error_message == (
        "node 'p' (polite) was not done after 2 s, which is all that a session has; see the setting `session_timeout_s`"
    )
    assert room.run(QUICK).status == "completed"
    assert room.worker().starts == 1


def test_one_that_does_not_listen_costs_its_worker_and_is_not_tried_again(open_room: OpenRoom):
    room = open_room(session_timeout_s=2, cancel_grace_s=0.1)
    item = room.run(graph([node("s", "misbehave", how="sleep")]))
    assert (item.status, item.error_type, item.attempts) == ("failed", "SessionTimeoutError", 1)
    assert (item.error_message or "").startswith("node 's' (misbehave) was not done after 2 s")
    assert room.run(QUICK).status == "completed"
    assert room.worker().starts == 2


def test_each_session_has_the_whole_time(open_room: OpenRoom):
    room = open_room(session_timeout_s=60)
    assert [room.run(QUICK).status for _ in range(20)] == ["completed"] * 20


def test_a_session_that_is_cancelled_before_its_time_is_up_is_cancelled(open_room: OpenRoom):
    room = open_room(session_timeout_s=60, cancel_grace_s=0.1)
    item_id = room.enqueue(graph([node("s", "misbehave", how="sleep")]))
    room.until_started("s")
    room.queue.cancel("default", item_id)
    assert room.wait(item_id).status == "canceled"
    assert room.run(QUICK).status == "completed"
    assert (room.queue.get("default", item_id).status, room.worker().starts) == ("canceled", 2)


def test_a_session_that_failed_by_itself_keeps_its_own_reason_however_long_its_other_nodes_take(open_room: OpenRoom):
    room = open_room(session_timeout_s=3, cancel_grace_s=5, cpu_lane=2)
    item = room.run(graph([node("s", "misbehave", how="sleep"), node("bad", "raises")]))
    assert (item.status, item.error_type) == ("failed", "ValueError")


def test_the_settings_say_how_long_nodes_in_hand_have_when_the_server_stops(open_room: OpenRoom):
    room = open_room(drain_timeout_s=0.1)
    item_id = room.enqueue(graph([node("s", "misbehave", how="sleep")]))
    room.until_started("s")
    worker = psutil.Process(room.worker().pid)
    room.engine.stop()
    assert not worker.is_running()
    item = room.queue.get("default", item_id)
    assert (item.status, item.error_type) == ("pending", None)
