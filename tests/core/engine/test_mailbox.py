"""The mailbox: everything at once, a bell, an end, and a bound that slows the sender down."""

import threading

import pytest

from impasto.engine import mailbox as mailbox_module
from impasto.engine.mailbox import Mailbox
from impasto.engine.wire import Message


def message(number: int) -> Message:
    return Message(kind="count", body={"n": number})


def numbers(taken: list[Message]) -> list[int]:
    return [one.body["n"] for one in taken]


def test_all_that_waits_is_taken_at_once_and_in_order():
    mailbox = Mailbox()
    for number in range(3):
        mailbox.put(message(number))
    assert numbers(mailbox.take(None)) == [0, 1, 2]
    assert mailbox.take(0) == []


def test_taking_waits_for_a_message():
    mailbox = Mailbox()
    sender = threading.Thread(target=mailbox.put, args=(message(1),))
    sender.start()
    assert numbers(mailbox.take(10)) == [1]
    sender.join()


def test_the_bell_wakes_once_even_when_it_rang_before():
    mailbox = Mailbox()
    mailbox.ring()
    assert mailbox.take(None) == []
    assert mailbox.take(0) == []


def test_what_came_before_the_end_can_be_taken_and_nothing_after():
    mailbox = Mailbox()
    mailbox.put(message(1))
    mailbox.close("the connection was closed")
    mailbox.close("for another reason")
    mailbox.put(message(2))
    assert mailbox.closed == "the connection was closed"
    assert numbers(mailbox.take(None)) == [1]
    assert mailbox.take(None) == []


def test_a_full_mailbox_makes_the_sender_wait(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(mailbox_module, "_LIMIT", 2)
    mailbox = Mailbox()
    done = threading.Event()

    def send() -> None:
        for number in range(5):
            mailbox.put(message(number))
        done.set()

    sender = threading.Thread(target=send)
    sender.start()
    taken: list[int] = []
    while len(taken) < 5:
        group = numbers(mailbox.take(10))
        assert len(group) <= 2
        taken += group
    assert taken == [0, 1, 2, 3, 4]
    assert done.wait(10)
    sender.join()


def test_the_end_frees_a_sender_that_waits(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(mailbox_module, "_LIMIT", 0)
    mailbox = Mailbox()
    sender = threading.Thread(target=mailbox.put, args=(message(1),))
    sender.start()
    mailbox.close("gone")
    sender.join(10)
    assert not sender.is_alive()
