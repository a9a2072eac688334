"""Several nodes of one session in flight: what may run beside what, and that nothing else comes of it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from support.engine_room import graph, node
from support.session_runs import SessionRig

from impasto.engine.protocol import Outcome
from impasto_sdk.context import InvocationContext
from impasto_sdk.errors import CanceledError, InvocationError
from impasto_sdk.fields import InputField, IntegerOutput
from impasto_sdk.node import BaseInvocation, Lane, invocation

PATIENCE_S = 60.0


class Stage:
    """Where the nodes of a test meet: who is on at once, and on which thread each was."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.on: list[str] = []
        #: How many nodes of each type were on at once at most.
        self.most: dict[str, int] = {}
        self.threads: dict[str, int] = {}
        self.barriers: dict[str, threading.Barrier] = {}
        self.events: dict[str, threading.Event] = {}

    @contextmanager
    def entered(self, execution_id: str, node_type: str) -> Iterator[None]:
        with self._lock:
            self.threads[execution_id] = threading.get_ident()
            self.on.append(node_type)
            self.most[node_type] = max(self.most.get(node_type, 0), self.on.count(node_type))
        try:
            yield
        finally:
            with self._lock:
                self.on.remove(node_type)

    def meet(self, name: str) -> None:
        if name:
            self.barriers[name].wait(PATIENCE_S)

    def expect(self, name: str) -> None:
        if name:
            assert self.event(name).wait(PATIENCE_S), f"{name!r} never happened"

    def event(self, name: str) -> threading.Event:
        with self._lock:
            return self.events.setdefault(name, threading.Event())


def nodes_of(stage: Stage) -> list[type[BaseInvocation]]:
    """A node for each lane that meets others, one that fails, one that stops when told, one that gives up."""

    class Meet(BaseInvocation):
        """Meets others, waits for something, and says when it is done."""

        a: int = InputField(0)
        at: str = InputField("")
        after: str = InputField("")
        says: str = InputField("")

        def invoke(self, context: InvocationContext) -> IntegerOutput:
            with stage.entered(self.id, self.spec.type):
                stage.event(f"{self.id} is on").set()
                stage.meet(self.at)
                stage.expect(self.after)
            if self.says:
                stage.event(self.says).set()
            return IntegerOutput(value=self.a + 1)

    class Fail(BaseInvocation):
        """Fails once something has happened."""

        a: int = InputField(0)
        after: str = InputField("")
        says: str = InputField("it is broken")

        def invoke(self, context: InvocationContext) -> IntegerOutput:
            stage.event(f"{self.id} is on").set()
            stage.expect(self.after)
            raise CanceledError if self.says == "cancel" else InvocationError(self.says)

    class Polite(BaseInvocation):
        """Works until it is told that it need not."""

        a: int = InputField(0)

        def invoke(self, context: InvocationContext) -> IntegerOutput:
            stage.event(f"{self.id} is on").set()
            try:
                while not stage.event("never").wait(0.001):
                    context.raise_if_cancelled()
                raise AssertionError
            finally:
                stage.event(f"{self.id} was told").set()

    def on(lane: Lane) -> type[BaseInvocation]:
        declare = invocation(f"meet_{lane.value}", lane=lane, use_cache=False)
        return declare(type(f"Meet{lane.value}", (Meet,), {"__doc__": Meet.__doc__}))

    return [
        *(on(lane) for lane in Lane),
        invocation("remembered", lane=Lane.IO)(Meet),
        invocation("fail", lane=Lane.IO, use_cache=False)(Fail),
        invocation("polite", lane=Lane.IO, use_cache=False)(Polite),
    ]


@pytest.fixture
def stage() -> Stage:
    return Stage()


def meeting(stage: Stage, lane: str, count: int, at_once: int) -> dict[str, Any]:
    """Nodes with nothing between them, which can only end in groups of `at_once`."""
    stage.barriers["here"] = threading.Barrier(at_once)
    return graph([node(f"n{place}", f"meet_{lane}", at="here") for place in range(count)])


def test_nodes_that_wait_for_something_outside_wait_together(stage: Stage) -> None:
    with SessionRig(nodes_of(stage)) as rig:
        assert rig.run(meeting(stage, "io", 16, 16)).outcome is Outcome.COMPLETED
    assert stage.most == {"meet_io": 16}


@pytest.mark.parametrize("lane", ["cpu", "io"])
def test_no_more_run_at_once_than_the_lane_has_room_for(stage: Stage, lane: str) -> None:
    with SessionRig(nodes_of(stage), cpu=3, io=3) as rig:
        assert rig.run(meeting(stage, lane, 12, 3)).outcome is Outcome.COMPLETED
    assert stage.most == {f"meet_{lane}": 3}


def test_the_device_has_one_node_at_a_time_while_others_go_on_beside_it(stage: Stage) -> None:
    stage.barriers["pair"] = threading.Barrier(2)
    nodes = [node(f"{lane}{place}", f"meet_{lane}", at="pair") for lane in ("device", "io") for place in range(4)]
    with SessionRig(nodes_of(stage), io=1) as rig:
        assert rig.run(graph(nodes)).outcome is Outcome.COMPLETED
    assert stage.most == {"meet_device": 1, "meet_io": 1}


def test_lanes_do_not_take_room_from_one_another(stage: Stage) -> None:
    stage.barriers["all"] = threading.Barrier(3)
    with SessionRig(nodes_of(stage), cpu=1, io=1) as rig:
        ending = rig.run(graph([node(lane.value, f"meet_{lane.value}", at="all") for lane in Lane]))
    assert ending.outcome is Outcome.COMPLETED


def test_a_chain_is_run_where_the_runner_is(stage: Stage) -> None:
    nodes = [node(name, f"meet_{lane}") for name, lane in (("a", "io"), ("b", "cpu"), ("c", "device"))]
    with SessionRig(nodes_of(stage)) as rig:
        rig.run(graph(nodes, ["a.value b.a", "b.value c.a"]))
    assert set(stage.threads.values()) == {threading.get_ident()}
    assert list(rig.report.journal.values()) == [{"type": "integer_output", "value": value} for value in (1, 2, 3)]


def test_nodes_that_run_beside_others_leave_the_runner_free(stage: Stage) -> None:
    stage.barriers["here"] = threading.Barrier(2)
    with SessionRig(nodes_of(stage)) as rig:
        rig.run(graph([node("a", "meet_io", at="here"), node("b", "meet_io", at="here")]))
    assert threading.get_ident() not in stage.threads.values()
    assert len(set(stage.threads.values())) == 2


def test_a_node_type_that_is_always_quick_is_not_handed_over(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("impasto.engine.runner._QUICK_S", 60.0)
    monkeypatch.setattr("impasto.engine.runner._QUICK_TIMES", 2)
    nodes = [
        node("slow", "meet_io", after="done"),
        node("before", "meet_io", after="slow is on"),
        node("first", "meet_cpu"),
        node("last", "meet_cpu", says="done"),
    ]
    with SessionRig(nodes_of(stage)) as rig:
        rig.run(graph([node("one", "meet_cpu"), node("two", "meet_cpu")], ["one.value two.a"]))
        assert rig.run(graph(nodes, ["before.value first.a", "first.value last.a"])).outcome is Outcome.COMPLETED
    assert stage.threads["first"] == stage.threads["last"] == threading.get_ident() != stage.threads["slow"]


def test_a_node_type_that_was_slow_once_is_handed_over(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("impasto.engine.runner._QUICK_TIMES", 1)
    with SessionRig(nodes_of(stage)) as rig:
        for quick_s in (60.0, 0.0):
            monkeypatch.setattr("impasto.engine.runner._QUICK_S", quick_s)
            rig.run(graph([node("before", "meet_cpu")]))
        assert rig.run(meeting(stage, "cpu", 2, 2)).outcome is Outcome.COMPLETED


def test_what_is_ready_starts_as_soon_as_a_node_makes_room(stage: Stage) -> None:
    nodes = [node("slow", "meet_io", after="done"), *(node(f"n{place}", "meet_io") for place in range(5))]
    nodes.append(node("last", "meet_io", says="done"))
    with SessionRig(nodes_of(stage), io=2) as rig:
        ending = rig.run(graph(nodes, [f"n{place}.value last.a" for place in range(1)]))
    assert ending.outcome is Outcome.COMPLETED
    assert rig.report.all("completed")[-1] == "slow"


def test_equal_nodes_are_run_once_as_they_are_one_after_the_other(stage: Stage) -> None:
    nodes = [node(f"n{place}", "remembered", a=7) for place in range(5)] + [node("other", "remembered", a=8)]
    with SessionRig(nodes_of(stage), cache_bytes=10**6) as rig:
        assert rig.run(graph(nodes)).outcome is Outcome.COMPLETED
    assert sorted(stage.threads) == ["n0", "other"]
    assert rig.report.cached == ["n1", "n2", "n3", "n4"]


def test_without_a_cache_equal_nodes_run_together(stage: Stage) -> None:
    stage.barriers["here"] = threading.Barrier(3)
    with SessionRig(nodes_of(stage)) as rig:
        ending = rig.run(graph([node(f"n{place}", "remembered", at="here") for place in range(3)]))
    assert ending.outcome is Outcome.COMPLETED


def test_the_first_failure_is_told_to_the_others_before_they_are_waited_for(stage: Stage) -> None:
    nodes = [node("bad", "fail", after="good is on"), node("good", "polite"), node("next", "meet_io")]
    with SessionRig(nodes_of(stage)) as rig:
        ending = rig.run(graph(nodes, ["good.value next.a"]))
    assert (ending.outcome, ending.error and ending.error.message) == (Outcome.FAILED, "it is broken")
    assert ending.error is not None
    assert (ending.error.execution_id, ending.error.traceback) == ("bad", "")
    assert stage.event("good was told").is_set()
    assert rig.report.told[-1] == ("ending", "failed")
    assert rig.report.all("started") == ["bad", "good"]
    assert rig.report.journal == {}


def test_what_others_give_after_the_first_failure_does_not_count(stage: Stage) -> None:
    nodes = [
        node("bad", "fail", after="late is on"),
        node("late", "meet_io", after="it was told"),
        node("worse", "fail", after="it was told", says="another one"),
        node("next", "meet_io"),
    ]
    with SessionRig(nodes_of(stage)) as rig:
        rig.report.listener = lambda what, which: what == "ending" and stage.event("it was told").set()
        ending = rig.run(graph(nodes, ["late.value next.a"]))
    assert ending.error is not None
    assert ending.error.message == "it is broken"
    assert rig.report.all("completed") == []
    assert rig.report.all("ending") == ["failed"]


def test_a_runner_has_all_its_room_after_a_failure(stage: Stage) -> None:
    nodes = [node("bad", "fail", after="good is on"), node("good", "polite")]
    with SessionRig(nodes_of(stage), io=2) as rig:
        assert rig.run(graph(nodes)).outcome is Outcome.FAILED
        rig.control = type(rig.control)()
        assert rig.run(meeting(stage, "io", 2, 2)).outcome is Outcome.COMPLETED


def test_a_cancelled_run_ends_when_all_its_nodes_have(stage: Stage) -> None:
    nodes = [node(f"n{place}", "polite") for place in range(3)]
    with SessionRig(nodes_of(stage)) as rig:
        canceling = threading.Thread(
            target=lambda: [stage.expect(f"n{place} is on") for place in range(3)] and rig.control.cancel()
        )
        canceling.start()
        assert rig.run(graph(nodes)).outcome is Outcome.CANCELED
        canceling.join(PATIENCE_S)
    assert all(stage.event(f"n{place} was told").is_set() for place in range(3))
    assert rig.report.all("ending") == []  # who cancels a run need not be told of it


def test_a_node_that_gives_up_takes_the_others_with_it(stage: Stage) -> None:
    nodes = [node("tired", "fail", after="good is on", says="cancel"), node("good", "polite")]
    with SessionRig(nodes_of(stage)) as rig:
        ending = rig.run(graph(nodes))
    assert (ending.outcome, ending.error) == (Outcome.CANCELED, None)
    assert rig.report.told[-1] == ("ending", "canceled")


def test_a_stopped_run_finishes_what_is_in_hand_and_begins_nothing_more(stage: Stage) -> None:
    stage.barriers["here"] = threading.Barrier(3)
    nodes = [node(f"n{place}", "meet_io", after="stopped") for place in range(2)]
    nodes += [node(f"after{place}", "meet_io") for place in range(2)]
    with SessionRig(nodes_of(stage)) as rig:

        def stop() -> None:
            stage.expect("n0 is on")
            stage.expect("n1 is on")
            rig.control.interrupt()
            stage.event("stopped").set()

        stopping = threading.Thread(target=stop)
        stopping.start()
        ending = rig.run(graph(nodes, ["n0.value after0.a", "n1.value after1.a"]))
        stopping.join(PATIENCE_S)
    assert ending.outcome is Outcome.INTERRUPTED
    assert sorted(rig.report.journal) == ["n0", "n1"]
    assert sorted(rig.report.all("started")) == ["n0", "n1"]


def test_a_run_that_is_stopped_with_its_last_node_in_hand_is_complete(stage: Stage) -> None:
    with SessionRig(nodes_of(stage)) as rig:
        rig.report.listener = lambda what, which: what == "started" and rig.control.interrupt()
        assert rig.run(graph([node("only", "meet_io")])).outcome is Outcome.COMPLETED


def test_nodes_in_the_journal_are_not_run_again(stage: Stage) -> None:
    nodes = [node("a", "meet_io"), node("b", "meet_io"), node("c", "meet_io")]
    with SessionRig(nodes_of(stage)) as rig:
        ending = rig.run(graph(nodes, ["a.value c.a", "b.value c.a"][:1]), {"a": {"value": 41}, "b": {"value": 0}})
    assert ending.outcome is Outcome.COMPLETED
    assert sorted(stage.threads) == ["c"]
    assert rig.report.journal["c"] == {"type": "integer_output", "value": 42}
