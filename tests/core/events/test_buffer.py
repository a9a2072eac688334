"""What waits for one reader: bounded, in order, and progress is what goes."""

from impasto.events.buffer import TRANSIENT_LIMIT, EventBuffer
from impasto.events.envelope import Envelope
from impasto_sdk.events import Event, QueueClearedEvent


class Progress(Event):
    name = "progress"
    durable = False


def durable(number: int) -> Envelope:
    return Envelope(number, QueueClearedEvent(queue_id="default"))


def progress(number: int) -> Envelope:
    return Envelope(number, Progress())


def taken(buffer: EventBuffer) -> list[tuple[int, bool]]:
    return [(one.id, one.event.durable) for one in (buffer.take() for _ in range(len(buffer)))]


def test_progress_comes_after_the_durable_event_whose_id_it_has() -> None:
    buffer = EventBuffer(10)
    for envelope in (progress(0), durable(1), progress(1), progress(1), durable(4), durable(6), progress(6)):
        assert buffer.put(envelope)
    assert taken(buffer) == [(0, False), (1, True), (1, False), (1, False), (4, True), (6, True), (6, False)]


def test_the_oldest_progress_goes_first_when_there_is_no_room() -> None:
    buffer = EventBuffer(3)
    for envelope in (progress(0), durable(1), progress(1), durable(2), progress(2)):
        assert buffer.put(envelope)
    assert taken(buffer) == [(1, True), (2, True), (2, False)]
    assert buffer.dropped == 2


def test_durable_events_alone_are_refused_when_there_is_no_room_and_progress_is_let_go() -> None:
    buffer = EventBuffer(2)
    assert buffer.put(durable(1))
    assert buffer.put(durable(2))
    assert buffer.put(progress(2))
    assert not buffer.put(durable(3))
    assert taken(buffer) == [(1, True), (2, True)]
    assert buffer.dropped == 1


def test_only_the_newest_progress_waits_however_large_the_buffer() -> None:
    buffer = EventBuffer(10_000)
    for number in range(1_000):
        buffer.put(progress(number))
    assert taken(buffer) == [(number, False) for number in range(1_000 - TRANSIENT_LIMIT, 1_000)]


def test_what_is_not_wanted_any_more_is_let_go() -> None:
    buffer = EventBuffer(10)
    for envelope in (durable(1), progress(1), durable(2)):
        buffer.put(envelope)
    buffer.keep(lambda envelope: envelope.id != 1)
    assert taken(buffer) == [(2, True)]


def test_a_cleared_buffer_counts_the_progress_that_it_held() -> None:
    buffer = EventBuffer(10)
    for envelope in (durable(1), progress(1), progress(1)):
        buffer.put(envelope)
    buffer.clear()
    assert (len(buffer), buffer.dropped) == (0, 2)
