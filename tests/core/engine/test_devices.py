"""One worker for each device; what is wrong with one is said of it, and the others go on."""

import logging
from collections.abc import Callable

import pytest
from support.engine_room import EngineRoom, graph, node

from impasto.errors import WorkerError

OpenRoom = Callable[..., EngineRoom]


def test_each_device_has_its_workers(open_room: OpenRoom):
    room = open_room(devices=["cpu", "auto"], workers_per_device=2)
    room.engine.wait_until_ready(60)
    workers = room.engine.workers()
    assert [worker.worker_id for worker in workers] == ["cpu-0", "cpu-1", "auto-0", "auto-1"]
    assert [worker.device.requested for worker in workers if worker.device] == ["cpu", "cpu", "auto", "auto"]


def test_a_device_that_is_named_twice_has_one_worker_and_it_is_said(
    open_room: OpenRoom, caplog: pytest.LogCaptureFixture
):
    room = open_room(devices=["cpu", "cpu"])
    room.engine.wait_until_ready(60)
    assert [worker.worker_id for worker in room.engine.workers()] == ["cpu-0"]
    assert "`devices` names 'cpu' more than once" in caplog.text
    assert "`workers_per_device`" in caplog.text


def test_two_names_of_one_device_are_told_of(open_room: OpenRoom, caplog: pytest.LogCaptureFixture):
    room = open_room(devices=["cpu", "auto"])
    room.engine.wait_until_ready(60)
    (told,) = [record.getMessage() for record in caplog.records if "are one device" in record.getMessage()]
    assert "'cpu' and 'auto'" in told or "'auto' and 'cpu'" in told
    assert len(room.engine.workers()) == 2


def test_workers_of_one_name_are_no_mistake(open_room: OpenRoom, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.WARNING)
    room = open_room(workers_per_device=2)
    room.engine.wait_until_ready(60)
    assert "one device" not in caplog.text


def test_a_device_that_there_is_not_keeps_no_other_from_working(open_room: OpenRoom):
    room = open_room(devices=["nothing", "cpu"])
    item = room.run(graph([node("a", "add")]))
    assert item.status == "completed"
    with pytest.raises(WorkerError, match="'nothing-0': DeviceError: device 'nothing': there is no such device"):
        room.engine.wait_until_ready(60)
    working = room.engine.workers()[1]
    assert (working.worker_id, working.status in ("ready", "busy")) == ("cpu-0", True)


def test_how_long_a_worker_waits_until_it_is_tried_again_is_said_in_its_status(open_room: OpenRoom):
    room = open_room(devices=["nothing"])
    reasons = [room.until(lambda e: e.name == "worker_status_changed" and e.status == "lost").reason for _ in range(3)]
    assert [reason.partition("; it is started again")[2] for reason in reasons] == ["", " in 0.5 s", " in 1 s"]
    assert all("device 'nothing': there is no such device" in reason for reason in reasons)
