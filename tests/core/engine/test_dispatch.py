"""Moments between the queue and a worker that a real run hits once in a thousand times."""

import threading
from collections.abc import Callable

import pytest
from support.engine_room import SHIPPED, EngineRoom, graph, node

from impasto.engine import dispatcher as dispatcher_module
from impasto.engine import engine as engine_module
from impasto.engine import process as process_module
from impasto.engine import wire as wire_module
from impasto.engine.protocol import PROTOCOL_VERSION
from impasto.errors import StorageUnavailableError, WorkerError
from impasto.queue import SessionQueue
from impasto.storage.timestamps import timestamp

OpenRoom = Callable[..., EngineRoom]


def test_an_item_cancelled_while_it_is_claimed_ends_at_once(open_room: OpenRoom, monkeypatch: pytest.MonkeyPatch):
    claim = SessionQueue.claim

    def claim_and_cancel(queue: SessionQueue, worker_id: str, **wishes: object):
        item = claim(queue, worker_id, **wishes)
        if item is not None and item.graph["nodes"].get("p"):
            queue.cancel(item.queue_id, item.item_id)
        return item

    monkeypatch.setattr(SessionQueue, "claim", claim_and_cancel)
    room = open_room(cancel_grace_s=60)
    item_id = room.enqueue(graph([node("p", "polite")]))
    assert room.wait(item_id).status == "canceled"
    assert room.run(graph([node("a", "add")])).status == "completed"
    assert room.worker().starts == 1


def test_an_item_taken_from_its_worker_is_cancelled_there_and_runs_again(open_room: OpenRoom):
    room = open_room(cancel_grace_s=60)
    gate = room.gate("gate")
    item_id = room.enqueue(graph([node("g", "gate", path=str(gate)), node("p", "polite")], ["g.value p.steps"]))
    room.until_started("g")
    room.queue.give_back(item_id, "its lease ran out", excused=True)
    # the journal refuses what the gate gives now: were the run not cancelled, the node after it would work for ever
    room.let_go(gate)
    room.until_started("g")
    assert room.worker().starts == 1
    room.queue.cancel("default", item_id)
    room.let_go(gate)
    assert room.run(graph([node("a", "add")])).status == "completed"
    assert room.worker().starts == 1


def test_an_error_of_the_server_costs_the_worker_and_not_the_item(
    open_room: OpenRoom, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    complete, failed = SessionQueue.complete, []

    def fail_once(queue: SessionQueue, *args, **kwargs):
        if not failed:
            failed.append(True)
            raise OSError("disk full")
        return complete(queue, *args, **kwargs)

    monkeypatch.setattr(SessionQueue, "complete", fail_once)
    room = open_room()
    item = room.run(graph([node("a", "add", a=1)]))
    assert (item.status, item.attempts) == ("completed", 2)
    assert "its supervision failed" in caplog.text


def test_a_worker_that_can_take_no_item_since_the_disk_is_full_stays(
    open_room: OpenRoom, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr(dispatcher_module, "_RETRY_S", 0.01)
    claim, refused = SessionQueue.claim, []

    def refuse_three_times(queue: SessionQueue, *args, **kwargs):
        if queue.status("default").pending and len(refused) < 3:
            refused.append(True)
            raise StorageUnavailableError("impasto.db", "written", "database or disk is full")
        return claim(queue, *args, **kwargs)

    room = open_room()
    room.engine.wait_until_ready(60)
    monkeypatch.setattr(SessionQueue, "claim", refuse_three_times)
    item = room.run(graph([node("a", "add", a=1)]))
    assert (item.status, item.attempts) == ("completed", 1)
    assert room.worker().starts == 1
    assert caplog.text.count("can take no item: impasto.db cannot be written: database or disk is full") == 3


def test_a_worker_of_another_installation_is_refused(open_room: OpenRoom, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(process_module, "PROTOCOL_VERSION", 99)
    room = open_room()
    with pytest.raises(WorkerError, match=f"version {PROTOCOL_VERSION} of the protocol, the server version 99"):
        room.engine.wait_until_ready(60)


def test_without_a_plugin_for_devices_nodes_run_on_the_cpu(open_room: OpenRoom):
    room = open_room(devices=["auto"], disabled_plugins=[*SHIPPED, "engine-toys"])
    room.engine.wait_until_ready(60)
    (device,) = room.engine.devices()
    assert (device.name, device.kind, device.requested) == ("cpu", "cpu", "auto")
    assert device.notes == ("No installed plugin looks for devices, so nodes run on the CPU.",)


def test_a_run_too_large_to_be_sent_fails_alone(open_room: OpenRoom, monkeypatch: pytest.MonkeyPatch):
    room = open_room()
    room.engine.wait_until_ready(60)
    monkeypatch.setattr(wire_module, "MAX_HEADER_BYTES", 2_000)  # in the server only
    item = room.run(graph([node("a", "add", diary="x" * 2_000)]))
    assert (item.status, item.error_type) == ("failed", "MessageTooLargeError")
    assert room.run(graph([node("a", "add")])).status == "completed"
    assert room.worker().starts == 1


def test_a_node_that_runs_longer_than_a_lease_keeps_its_item(open_room: OpenRoom, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(engine_module, "_BEAT_S", 0.01)
    monkeypatch.setattr(dispatcher_module, "_LEASE_BEAT_S", 0.05)
    monkeypatch.setattr(dispatcher_module, "_SILENT_BEATS", 1_000)  # the machine may be busy
    monkeypatch.setattr(dispatcher_module, "_LOOK_S", 0.01)
    beats = threading.Semaphore(0)
    extend, expired = SessionQueue.extend_lease, []

    def noting(queue: SessionQueue, *args, **kwargs) -> bool:
        beats.release()
        return extend(queue, *args, **kwargs)

    def expire(queue: SessionQueue) -> list[int]:
        expired.extend(look(queue))
        return []

    look = SessionQueue.expire_leases
    monkeypatch.setattr(SessionQueue, "extend_lease", noting)
    monkeypatch.setattr(SessionQueue, "expire_leases", expire)
    room = open_room()
    room.queue._lease_s = 1.0
    gate = room.gate("gate")
    item_id = room.enqueue(graph([node("g", "gate", path=str(gate))]))
    with room.waiting_at(gate):
        claimed = room.queue.get("default", item_id).updated_at
        while timestamp(plus_s=-2.0) < claimed:  # twice as long as a lease
            assert beats.acquire(timeout=60)
    item = room.wait(item_id)
    assert (item.status, item.attempts, expired) == ("completed", 1, [])


def test_an_item_removed_while_its_node_runs_is_noticed_without_a_word_of_the_node(
    open_room: OpenRoom, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(engine_module, "_BEAT_S", 0.01)
    monkeypatch.setattr(dispatcher_module, "_LEASE_BEAT_S", 0.05)
    monkeypatch.setattr(dispatcher_module, "_SILENT_BEATS", 1_000)
    room = open_room(cancel_grace_s=60)
    item_id = room.enqueue(graph([node("p", "polite")]))
    room.until(lambda e: e.name == "invocation_progress")
    room.queue._store.finish(
        item_id, "canceled", tell=lambda change: ()
    )  # as another server on the same database would
    assert room.run(graph([node("a", "add")])).status == "completed"
    assert room.worker().starts == 1
