"""The hand-over between the log and what comes live: nothing twice, nothing missing, in order, whatever meets what.

First step by step, in orders that hypothesis chooses: commits, hand-outs and reads of the log are single steps, and
others come in while a read is under way. Then with threads, all at once.
"""

import random
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.event_logs import open_bus

from impasto.events import Envelope, EventBus
from impasto.events.subscription import Subscription
from impasto.storage.database import Database
from impasto.storage.event_log import EventLog, EventPage, LoggedEvent
from impasto_sdk.events import Event, QueueClearedEvent

#: What may happen: an event is committed; the bus hands out the next one, or all, or some again that it has read from
#: the log, or says that they are there; there is progress; the reader takes one.
STEPS = st.sampled_from(["commit", "commit other", "hand out", "hand out all", "happen", "again", "skip", "progress"])
#: The same, and the reader takes what there is, which is when it reads the log.
READING = st.one_of(STEPS, st.just("take"))


class Progress(Event):
    name = "progress"
    durable = False


def wanted(event: Event) -> bool:
    return not isinstance(event, QueueClearedEvent) or event.queue_id == "mine"


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EventLog]:
    with Database(tmp_path_factory.mktemp("log") / "impasto.db") as database:
        log = EventLog(database)
        log.open()
        yield log


class InterruptedLog:
    """The real log, with `before` and `after` called around each read of it."""

    def __init__(self, log: EventLog, before: Callable[[], None], after: Callable[[], None]) -> None:
        self._log, self._before, self._after = log, before, after

    def read(self, after: int, limit: int) -> EventPage:
        self._before()
        page = self._log.read(after, limit)
        self._after()
        return page


@dataclass
class Run:
    """One reader, and what happens around it."""

    log: EventLog
    limit: int
    since: int
    newest: int
    interruptions: Sequence[Sequence[str]]
    committed: list[LoggedEvent] = field(default_factory=list)
    waiting: deque[LoggedEvent] = field(default_factory=deque)
    taken: list[tuple[int, bool]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.offered = self.newest
        self.steps = iter(self.interruptions)
        self.log.listen(self.note)
        log = InterruptedLog(self.log, self.interrupt, self.interrupt)
        self.reader = Subscription(
            log,  # type: ignore[arg-type]
            start=self.since,
            newest=self.newest,
            complete=True,
            limit=self.limit,
            accept=wanted,
            on_close=lambda subscription: None,
        )

    def note(self, logged: Sequence[LoggedEvent]) -> None:
        self.committed.extend(logged)
        self.waiting.extend(logged)

    def interrupt(self) -> None:
        for step in next(self.steps, ()):
            self.do(step)

    def do(self, step: str) -> None:
        if step.startswith("commit"):
            self.log.submit([QueueClearedEvent(queue_id="other" if "other" in step else "mine")]).result()
        elif step == "happen":
            self.do("commit")
            self.do("hand out all")
        elif step == "again":
            self.reader.offer([Envelope.logged(one) for one in self.committed if one.id <= self.offered][-3:])
        elif step == "progress":
            self.reader.offer([Envelope(self.offered, Progress())])
        elif step == "take":
            envelope = self.reader.get(0)
            if envelope is not None:
                self.taken.append((envelope.id, envelope.event.durable))
        elif self.waiting:
            count = 1 if step == "hand out" else len(self.waiting)
            envelopes = [Envelope.logged(self.waiting.popleft()) for _ in range(count)]
            self.offered = envelopes[-1].id
            if step == "skip":
                self.reader.skip(self.offered)
            else:
                self.reader.offer(envelopes)

    def finish(self) -> None:
        """Hand everything out, and read to the end."""
        self.steps = iter(())
        self.do("hand out all")
        while (envelope := self.reader.get(0)) is not None:
            self.taken.append((envelope.id, envelope.event.durable))


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    earlier=st.integers(0, 7),
    limit=st.integers(1, 4),
    steps=st.lists(READING, min_size=5, max_size=40),
    interruptions=st.lists(st.lists(STEPS, min_size=1, max_size=4), min_size=4, max_size=16),
)
def test_nothing_is_lost_or_doubled_in_whichever_order_things_happen(
    log: EventLog, earlier: int, limit: int, steps: list[str], interruptions: list[list[str]]
) -> None:
    log.listen(lambda logged: None)
    since = log.last_id
    before = [log.submit([QueueClearedEvent(queue_id="mine")]).result()[0].id for _ in range(earlier)]
    run = Run(log, limit, since, log.last_id, interruptions)
    for step in steps:
        run.do(step)
    run.finish()

    durable = [number for number, is_durable in run.taken if is_durable]
    assert durable == before + [one.id for one in run.committed if wanted(one.event)]
    places = [number for number, _ in run.taken]
    assert places == sorted(places), "whoever comes back with the id of progress misses nothing that was before it"
    assert not run.reader.behind
    assert run.reader.waiting == 0


@pytest.mark.parametrize("seed", range(8))
def test_readers_of_every_kind_get_every_durable_event_once_and_in_order(tmp_path: Path, seed: int) -> None:
    """Publishers as fast as they can; readers that are quick, slow, or leave and come back."""
    count, publishers = 400, 2
    rng = random.Random(seed)
    with open_bus(tmp_path, buffer=rng.choice([5, 50, 1_000])) as bus:

        def publish() -> None:
            own = random.Random(seed + 1)
            for _ in range(count):
                bus.publish(QueueClearedEvent(queue_id="mine"))
                for _ in range(own.randrange(3)):
                    bus.publish(Progress())

        plans = [(rng.randrange(1, 12), rng.choice([0.0, 0.0, 0.001, 0.003]), rng.random() < 0.3) for _ in range(6)]
        found: list[list[tuple[int, bool]]] = [[] for _ in plans]
        subscriptions = [bus.subscribe(since=0, limit=limit) for limit, _, _ in plans]
        readers = [
            threading.Thread(
                target=read, args=(bus, subscription, limit, pause_s, comes_back, heard, count * publishers)
            )
            for (limit, pause_s, comes_back), heard, subscription in zip(plans, found, subscriptions, strict=True)
        ]
        writers = [threading.Thread(target=publish) for _ in range(publishers)]
        for thread in (*readers, *writers):
            thread.start()
        for thread in (*writers, *readers):
            thread.join(120)
            assert not thread.is_alive()
        for heard in found:
            assert [number for number, durable in heard if durable] == list(range(1, count * publishers + 1))
            assert [number for number, _ in heard] == sorted(number for number, _ in heard)


def read(
    bus: EventBus,
    subscription: Subscription,
    limit: int,
    pause_s: float,
    comes_back: bool,
    heard: list[tuple[int, bool]],
    last: int,
) -> None:
    """Read until the event `last`, pausing now and then, and maybe leaving and coming back."""
    pause = threading.Event()
    while not heard or heard[-1][0] < last:
        envelope = subscription.get(30)
        assert envelope is not None
        heard.append((envelope.id, envelope.event.durable))
        if pause_s and len(heard) % 20 == 0:
            pause.wait(pause_s)
        if comes_back and len(heard) % 70 == 0:
            subscription.close()
            subscription = bus.subscribe(since=subscription.last_id, limit=limit)
            assert subscription.complete
    subscription.close()
