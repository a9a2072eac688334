"""Nodes that yield, led by the runner: item by item, written down as they come, closed when nobody wants more."""

import contextvars
import threading
from collections.abc import Callable, Generator, Iterator
from typing import Any

import pytest
from support.engine_room import graph, node
from support.session_runs import SessionRig
from support.toy_control_flow import ToyCollect, ToyIterate

from impasto.engine.protocol import Outcome, item_key
from impasto_sdk.context import InvocationContext
from impasto_sdk.errors import InvocationError
from impasto_sdk.fields import (
    BaseInvocationOutput,
    InputField,
    IntegerCollectionOutput,
    IntegerOutput,
    OutputField,
    invocation_output,
)
from impasto_sdk.node import BaseInvocation, Lane, invocation

PATIENCE_S = 60.0

MODE: contextvars.ContextVar[str] = contextvars.ContextVar("MODE", default="none")


@invocation_output("toy_numbers_and_last")
class NumbersAndLast(BaseInvocationOutput):
    """Numbers, and the last of them once more."""

    collection: list[int] = OutputField()
    last: int = OutputField()


@invocation("wrong", use_cache=False)
class Wrong(BaseInvocation):
    """Yields 0, 1, 2, and then does something that it may not."""

    how: str = InputField("")

    def invoke(self, context: InvocationContext) -> Generator[int, None, IntegerCollectionOutput]:
        for place in range(3):
            yield "two" if self.how == "text" and place == 2 else place  # type: ignore[misc]
        answers: dict[str, Any] = {
            "nothing": None,
            "short": IntegerCollectionOutput(collection=[0, 1]),
            "long": IntegerCollectionOutput(collection=[0, 1, 2, 3]),
            "other": IntegerCollectionOutput(collection=[0, 7, 2]),
            "output": IntegerOutput(value=3),
        }
        return answers[self.how]


class Stage:
    """What happened to generators, and what they and their readers wait for."""

    def __init__(self) -> None:
        self.events: dict[str, threading.Event] = {}
        self.begun = 0
        self.closed: list[int] = []
        #: Modes that readers found.
        self.modes: set[str] = set()
        #: Threads that the generators' own code ran on, and those of their readers.
        self.threads: set[int] = set()
        self.readers: set[int] = set()

    def event(self, name: str) -> threading.Event:
        return self.events.setdefault(name, threading.Event())

    def expect(self, name: str) -> None:
        assert self.event(name).wait(PATIENCE_S), f"{name!r} never happened"


def dear_node(stage: Stage) -> type[BaseInvocation]:
    @invocation("dear")
    class Dear(BaseInvocation):
        """Three numbers, each of which it makes once, however often it is begun."""

        def invoke(self, context: InvocationContext) -> Generator[int, None, IntegerCollectionOutput]:
            given: list[int] = list(context.earlier_items)
            yield from given
            while len(given) < 3:
                stage.begun += 1
                given.append(10 + len(given))
                yield given[-1]
            return IntegerCollectionOutput(collection=given)

    return Dear


def nodes_of(stage: Stage, lane: Lane = Lane.CPU) -> list[type[BaseInvocation]]:
    @invocation("stream", lane=lane)
    class Stream(BaseInvocation):
        """`size` numbers from `start`; each but the first only when the one before it has been used."""

        start: int = InputField(0)
        size: int = InputField(3)
        waits: bool = InputField(False)

        def invoke(self, context: InvocationContext) -> Generator[int, None, NumbersAndLast]:
            stage.begun += 1
            given: list[int] = []
            MODE.set("mine")
            try:
                for place in range(self.size):
                    stage.threads.add(threading.get_ident())
                    if self.waits and place:
                        stage.expect(f"{self.start + place - 1} was used")
                    given.append(self.start + place)
                    yield self.start + place
            finally:
                stage.threads.add(threading.get_ident())
                stage.closed.append(len(given))
            return NumbersAndLast(collection=given, last=given[-1])

    @invocation("use", lane=lane, use_cache=False)
    class Use(BaseInvocation):
        """Ten times a number."""

        value: int = InputField(0)
        how: str = InputField("")

        def invoke(self, context: InvocationContext) -> IntegerOutput:
            stage.readers.add(threading.get_ident())
            stage.modes.add(MODE.get())
            stage.event(f"{self.value} was used").set()
            if self.how == "fail":
                raise InvocationError("no use")
            while self.how == "wait":
                context.raise_if_cancelled()
                stage.event("never").wait(0.001)
            return IntegerOutput(value=10 * self.value)

    @invocation("clings", use_cache=False)
    class Clings(BaseInvocation):
        """Does not let itself be closed at once."""

        def invoke(self, context: InvocationContext) -> Generator[int, None, IntegerCollectionOutput]:
            try:
                while True:
                    yield 1
            finally:
                stage.closed.append(1)
                yield 2

    return [Stream, Use, dear_node(stage), Wrong, Clings, ToyIterate, ToyCollect]


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.fixture
def rig(stage: Stage) -> Iterator[SessionRig]:
    with SessionRig(nodes_of(stage), cache_bytes=10**6) as rig:
        yield rig


def loop(source: dict[str, Any], **use: Any) -> dict[str, Any]:
    """A generator, gone through, each item used, the uses collected."""
    return graph(
        [source, node("each", "toy_iterate"), node("use", "use", **use), node("all", "toy_collect")],
        [
            f"{source['id']}.collection each.collection",
            "each.item use.value",
            "use.value all.item",
        ],
    )


def collected(rig: SessionRig) -> Any:
    return rig.report.journal["all"]["collection"]


def in_the_meantime(work: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=work)
    thread.start()
    return thread


def test_an_item_is_used_before_the_next_one_is_made(rig: SessionRig) -> None:
    ending = rig.run(loop(node("g", "stream", size=5, waits=True)))
    assert ending.outcome is Outcome.COMPLETED
    assert collected(rig) == [0, 10, 20, 30, 40]
    assert rig.report.told.index(("completed", "use[3]")) < rig.report.told.index(("completed", "g"))


def test_items_are_written_down_as_they_come_and_the_node_is_told_of_once(rig: SessionRig) -> None:
    rig.run(loop(node("g", "stream", size=2)))
    assert [told for told in rig.report.told if told[1] == "g"] == [
        ("started", "g"),
        ("item", "g"),
        ("item", "g"),
        ("completed", "g"),
    ]
    assert [rig.report.journal[item_key("g", index)] for index in range(2)] == [{"item": 0}, {"item": 1}]
    assert rig.report.journal["g"] == {"type": "toy_numbers_and_last", "collection": [0, 1], "last": 1}


def test_a_generator_has_a_thread_and_a_context_of_its_own(rig: SessionRig, stage: Stage) -> None:
    rig.run(loop(node("g", "stream", size=4)))
    assert len(stage.threads) == 1
    assert not stage.threads & (stage.readers | {threading.get_ident()})
    assert stage.modes == {"none"}


def test_between_two_items_a_generator_leaves_its_lane_to_others(stage: Stage) -> None:
    with SessionRig(nodes_of(stage, Lane.DEVICE)) as rig:
        assert rig.run(loop(node("g", "stream", waits=True))).outcome is Outcome.COMPLETED
    assert collected(rig) == [0, 10, 20]


def test_generators_inside_a_loop_are_open_beside_one_another(rig: SessionRig, stage: Stage) -> None:
    document = graph(
        [
            node("outer", "stream", size=4),
            node("each", "toy_iterate"),
            node("inner", "stream", size=3),
            node("each_in", "toy_iterate"),
            node("use", "use"),
            node("all_in", "toy_collect"),
            node("all", "toy_collect"),
        ],
        [
            "outer.collection each.collection",
            "each.item inner.start",
            "inner.collection each_in.collection",
            "each_in.item use.value",
            "use.value all_in.item",
            "all_in.collection all.item",
        ],
    )
    assert rig.run(document).outcome is Outcome.COMPLETED
    assert collected(rig) == [[10 * (outer + place) for place in range(3)] for outer in range(4)]
    assert sorted(stage.closed) == [3, 3, 3, 3, 4]


@pytest.mark.parametrize(
    ("how", "error_type", "message"),
    [
        ("nothing", "OutputTypeError", "gives IntegerCollectionOutput, and gave NoneType; return the output after"),
        ("output", "OutputTypeError", "gives IntegerCollectionOutput, and gave IntegerOutput"),
        ("short", "YieldedItemsError", "node 'g' (wrong) yielded 3 items and returned 2 as `collection`; return exact"),
        ("long", "YieldedItemsError", "node 'g' (wrong) yielded 3 items and returned 4 as `collection`; return exact"),
        ("other", "YieldedItemsError", "returned 3 as `collection`; item 1 differs: yielded 1, returned 7; return"),
        ("text", "YieldedItemsError", "node 'g' (wrong) yielded 'two' as item 2: Input should be a valid integer"),
    ],
)
def test_what_a_node_yields_and_returns_is_held_to_what_it_declares(
    rig: SessionRig, how: str, error_type: str, message: str
) -> None:
    error = rig.run(loop(node("g", "wrong", how=how))).error
    assert error is not None
    assert (error.type, error.execution_id) == (error_type, "g")
    assert message in error.message
    assert "g" not in rig.report.all("completed")


def test_items_of_an_earlier_attempt_are_given_again_as_they_were(rig: SessionRig, stage: Stage) -> None:
    # told apart from what this attempt yields, so that it can be seen whose they are
    known = {item_key("g", 0): {"item": 100, "images": []}, item_key("g", 1): {"item": 200, "images": []}}
    ending = rig.run(loop(node("g", "stream", size=4)), known)
    assert ending.outcome is Outcome.COMPLETED
    assert collected(rig) == [1000, 2000, 20, 30]
    assert rig.report.journal["g"] == {"type": "toy_numbers_and_last", "collection": [100, 200, 2, 3], "last": 3}
    assert rig.report.all("item") == ["g", "g"]
    assert item_key("g", 1) not in rig.report.journal
    assert stage.begun == 1


def test_a_node_is_told_what_it_has_yielded_so_that_it_need_not_make_it_twice(rig: SessionRig, stage: Stage) -> None:
    known = {item_key("g", 0): {"item": 10, "images": []}, item_key("g", 1): {"item": 11, "images": []}}
    assert rig.run(loop(node("g", "dear")), known).outcome is Outcome.COMPLETED
    assert collected(rig) == [100, 110, 120]
    assert stage.begun == 1, "the last one was all that was missing"


def test_items_that_are_known_are_used_before_the_generator_begins_anew(rig: SessionRig, stage: Stage) -> None:
    known = {item_key("g", index): {"item": index, "images": []} for index in range(2)}
    document = loop(node("g", "stream", size=3, waits=True))
    assert rig.run(document, known).outcome is Outcome.COMPLETED
    assert rig.report.told.index(("completed", "use[0]")) < rig.report.told.index(("item", "g"))


def test_an_item_that_no_longer_fits_its_plugin_is_made_again_with_those_after_it(rig: SessionRig) -> None:
    items = [100, "two hundred", 300]
    known = {item_key("g", index): {"item": item, "images": []} for index, item in enumerate(items)}
    rig.run(loop(node("g", "stream", size=3)), known)
    assert collected(rig) == [1000, 10, 20]


def test_a_generator_that_has_finished_before_is_not_begun_again(rig: SessionRig, stage: Stage) -> None:
    lines = {item_key("g", 0): {"item": 1, "images": []}, "g": {"collection": [1, 2], "last": 2}}
    assert rig.run(loop(node("g", "stream")), lines).outcome is Outcome.COMPLETED
    assert (collected(rig), stage.begun) == ([10, 20], 0)


def test_a_generators_output_comes_from_the_cache_at_once(rig: SessionRig, stage: Stage) -> None:
    for _ in range(2):
        rig.report.journal.clear()
        assert rig.run(loop(node("g", "stream"))).outcome is Outcome.COMPLETED
    assert (collected(rig), stage.begun, rig.report.cached) == ([0, 10, 20], 1, ["g"])


def test_the_cache_is_no_substitute_for_items_that_are_known(rig: SessionRig, stage: Stage) -> None:
    rig.run(loop(node("g", "stream")))
    rig.report.journal.clear()
    rig.run(loop(node("g", "stream")), {item_key("g", 0): {"item": 100, "images": []}})
    assert (collected(rig), stage.begun) == ([1000, 10, 20], 2)


def test_an_open_generator_is_closed_when_its_run_is_cancelled(rig: SessionRig, stage: Stage) -> None:
    canceling = in_the_meantime(lambda: (stage.expect("0 was used"), rig.control.cancel()))
    assert rig.run(loop(node("g", "stream", size=100), how="wait")).outcome is Outcome.CANCELED
    canceling.join(PATIENCE_S)
    assert len(stage.closed) == 1
    assert stage.closed[0] < 100
    assert len(stage.threads) == 1


def test_an_open_generator_is_closed_when_another_node_fails(rig: SessionRig, stage: Stage) -> None:
    ending = rig.run(loop(node("g", "stream", size=100), how="fail"))
    assert ending.error is not None
    assert ending.error.message == "no use"
    assert len(stage.closed) == 1
    assert stage.closed[0] < 100


def test_an_open_generator_is_closed_when_its_worker_stops(rig: SessionRig, stage: Stage) -> None:
    rig.report.listener = lambda what, which: what == "item" and rig.control.interrupt()
    ending = rig.run(loop(node("g", "stream", size=100)))
    assert (ending.outcome, stage.closed, rig.report.all("item")) == (Outcome.INTERRUPTED, [1], ["g"])


def test_one_that_does_not_let_itself_be_closed_is_named_and_ends_no_other_way(
    rig: SessionRig, stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    ending = rig.run(loop(node("g", "clings"), how="fail"))
    assert ending.error is not None
    assert ending.error.message == "no use"
    assert stage.closed
    assert "g did not end cleanly: RuntimeError: generator ignored GeneratorExit" in caplog.text


def test_no_thread_of_a_generator_is_left(rig: SessionRig) -> None:
    rig.run(loop(node("g", "stream")))
    rig.run(loop(node("g", "stream", start=5), how="fail"))
    for thread in threading.enumerate():
        if thread.name.startswith("impasto-g"):
            thread.join(PATIENCE_S)
            assert not thread.is_alive()
