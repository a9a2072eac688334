"""The wire: frames in both directions, answers to the right request, and a clear end when the other side misbehaves."""

import json
import re
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from queue import SimpleQueue

import pytest

from impasto.engine import wire as wire_module
from impasto.engine.wire import Message, Wire
from impasto.errors import MessageTooLargeError, SecretInDataError, ServerError, UnreadableImageError, WireError
from impasto_sdk.errors import ImageNotFoundError, SecretNotFoundError, TensorNotFoundError


@dataclass
class End:
    """One end of a connection, with all that arrives at it."""

    connection: socket.socket
    respond: Callable[[Wire, Message], None] | None = None
    messages: SimpleQueue[Message] = field(default_factory=SimpleQueue)
    closed: SimpleQueue[str] = field(default_factory=SimpleQueue)

    def __post_init__(self) -> None:
        self.wire = Wire(self.connection, "cpu-0", self._take, self.closed.put)
        self.wire.start()

    def _take(self, message: Message) -> None:
        if self.respond is not None and message.request_id is not None:
            self.respond(self.wire, message)
        else:
            self.messages.put(message)


@pytest.fixture
def ends() -> Iterator[tuple[End, End]]:
    left, right = (End(one) for one in socket.socketpair())
    yield left, right
    for end in (left, right):
        end.wire.close()
        end.wire.join(10)


@pytest.fixture
def raw() -> Iterator[tuple[End, socket.socket]]:
    """An end, and the naked socket opposite."""
    ours, theirs = socket.socketpair()
    end = End(ours)
    yield end, theirs
    theirs.close()
    end.wire.join(10)


def frame(header: bytes, *parts: bytes, magic: bytes = b"imp1") -> bytes:
    return struct.pack("!4sIQ", magic, len(header), sum(map(len, parts))) + header + b"".join(parts)


def test_messages_travel_in_both_directions_in_order(ends: tuple[End, End]):
    left, right = ends
    for number in range(100):
        left.wire.send("count", {"n": number})
    right.wire.send("hello", {"ü": [1, None, 2.5]})
    assert [right.messages.get(timeout=10).body["n"] for _ in range(100)] == list(range(100))
    assert left.messages.get(timeout=10) == Message(kind="hello", body={"ü": [1, None, 2.5]})


def test_parts_arrive_byte_for_byte(ends: tuple[End, End]):
    left, right = ends
    parts = (b"", bytes(range(256)), b"x" * 1_000_000)
    left.wire.send("picture", {}, parts)
    assert right.messages.get(timeout=10).parts == parts


def test_an_answer_reaches_the_request_it_belongs_to(ends: tuple[End, End]):
    left, right = ends
    held: list[Message] = []

    def answer_backwards(wire: Wire, message: Message) -> None:
        held.append(message)
        if len(held) == 2:
            for request in reversed(held):
                wire.answer(request, {"twice": request.body["n"] * 2}, [request.parts[0] * 2])

    right.respond = answer_backwards
    got: dict[int, Message] = {}

    def ask(number: int) -> None:
        got[number] = left.wire.request("double", {"n": number}, [b"%d" % number])

    threads = [threading.Thread(target=ask, args=(number,)) for number in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert (got[1].body, got[1].parts) == ({"twice": 2}, (b"11",))
    assert (got[2].body, got[2].parts) == ({"twice": 4}, (b"22",))


@pytest.mark.parametrize(
    ("raised", "kind", "text"),
    [
        (ImageNotFoundError("a.png", "deleted"), ImageNotFoundError, "no image 'a.png': deleted"),
        (TensorNotFoundError("t"), TensorNotFoundError, "no tensor 't'"),
        (UnreadableImageError("no picture"), UnreadableImageError, "no picture; PNG"),
        (OSError("disk full"), ServerError, "OSError: disk full"),
        (KeyError("SystemExit"), ServerError, "KeyError: 'SystemExit'"),
    ],
)
def test_errors_of_the_other_end_are_raised_where_it_was_asked(
    ends: tuple[End, End], raised: Exception, kind: type[Exception], text: str
):
    left, right = ends
    right.respond = lambda wire, message: wire.refuse(message, raised)
    with pytest.raises(kind, match=text) as caught:
        left.wire.request("images.load", {"name": "a.png"})
    if isinstance(raised, ImageNotFoundError):
        assert isinstance(caught.value, ImageNotFoundError)
        assert (caught.value.name, caught.value.hint) == ("a.png", "deleted")


def test_a_request_ends_when_the_connection_does(ends: tuple[End, End]):
    left, right = ends
    right.respond = lambda wire, message: wire.close()
    with pytest.raises(WireError, match="no answer came: the connection") as caught:
        left.wire.request("anything")
    assert caught.value.worker_id == "cpu-0"
    assert left.closed.get(timeout=10)
    with pytest.raises(WireError):
        left.wire.request("anything")
    with pytest.raises(WireError, match="cannot send 'note'"):
        left.wire.send("note")


def test_both_ends_are_told_of_the_end_once(ends: tuple[End, End]):
    left, right = ends
    left.wire.close()
    assert left.closed.get(timeout=10) == "the connection was closed"
    assert right.closed.get(timeout=10) == "the connection was closed"
    left.wire.close()
    left.wire.join(10)
    assert left.closed.empty()


def test_what_was_sent_before_the_end_still_arrives(ends: tuple[End, End]):
    left, right = ends
    for number in range(50):
        left.wire.send("count", {"n": number}, [b"x" * 1000])
    left.wire.close()
    assert [right.messages.get(timeout=10).body["n"] for _ in range(50)] == list(range(50))
    assert right.closed.get(timeout=10)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (frame(b"{}", magic=b"HTTP"), "begins with b'HTTP'"),
        (frame(b"not json"), "unreadable header"),
        (frame(b"[1]"), "unreadable header"),
        (frame(b'{"kind":"x","body":{},"parts":[5]}', b"abc"), r"parts of \[5\] bytes, 3 together"),
        (frame(b'{"kind":"x","body":{},"parts":[-1,4]}', b"abc"), "parts of"),
        (frame(b'{"kind":"x","body":{},"parts":"abc"}', b"abc"), "unreadable header"),
        (frame(b'{"kind":7,"body":{}}'), "neither an answer nor"),
        (frame(b'{"kind":"x"}'), "neither an answer nor"),
        (struct.pack("!4sIQ", b"imp1", 2**31, 0), "too large"),
        (struct.pack("!4sIQ", b"imp1", 2, 2**40), "too large"),
    ],
)
def test_a_broken_frame_ends_the_connection_and_says_why(raw: tuple[End, socket.socket], data: bytes, reason: str):
    end, theirs = raw
    theirs.sendall(data)
    closed = end.closed.get(timeout=10)
    assert re.search(reason, closed), closed
    assert theirs.recv(1) == b""


def test_a_connection_that_ends_inside_a_message_says_so(raw: tuple[End, socket.socket]):
    end, theirs = raw
    theirs.sendall(frame(b'{"kind":"x","body":{}}')[:-3])
    theirs.close()
    assert end.closed.get(timeout=10) == "the connection ended inside a message"


def test_an_answer_nobody_waits_for_is_let_go(raw: tuple[End, socket.socket]):
    end, theirs = raw
    theirs.sendall(frame(json.dumps({"answer": 99, "body": {}}).encode()))
    theirs.sendall(frame(json.dumps({"kind": "x", "body": {}}).encode()))
    assert end.messages.get(timeout=10).kind == "x"


def test_a_message_that_cannot_be_handled_ends_the_connection(caplog: pytest.LogCaptureFixture):
    ours, theirs = socket.socketpair()
    closed: SimpleQueue[str] = SimpleQueue()

    def fail(message: Message) -> None:
        raise KeyError("item_id")

    end = Wire(ours, "cpu-0", fail, closed.put)
    end.start()
    theirs.sendall(frame(b'{"kind":"x","body":{}}'))
    assert closed.get(timeout=10) == "a message could not be taken: KeyError: 'item_id'"
    assert "a message of cpu-0 could not be taken" in caplog.text
    theirs.close()


def test_a_message_too_large_to_send_is_refused_before_anything_leaves(
    ends: tuple[End, End], monkeypatch: pytest.MonkeyPatch
):
    left, right = ends
    monkeypatch.setattr(wire_module, "MAX_PARTS_BYTES", 10)
    with pytest.raises(MessageTooLargeError, match=r"'tensor' of \d+ bytes and 11 bytes of parts is too large"):
        left.wire.send("tensor", {}, [b"x" * 11])
    left.wire.send("tensor", {}, [b"x" * 10])
    assert right.messages.get(timeout=10).parts == (b"x" * 10,)


def test_threads_that_send_at_once_do_not_mix_their_frames(ends: tuple[End, End]):
    left, right = ends

    def send(mark: int) -> None:
        for _ in range(50):
            left.wire.send("x", {"mark": mark}, [bytes([mark]) * 70_000])

    threads = [threading.Thread(target=send, args=(mark,)) for mark in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(200):
        message = right.messages.get(timeout=10)
        assert message.parts[0] == bytes([message.body["mark"]]) * 70_000
    for thread in threads:
        thread.join()


def test_a_peer_that_takes_nothing_in_is_given_up():
    ours, theirs = socket.socketpair()
    closed: SimpleQueue[str] = SimpleQueue()
    wire = Wire(ours, "cpu-0", lambda message: None, closed.put, send_timeout_s=0.01)
    wire.start()
    with theirs, pytest.raises(WireError, match="cannot send 'picture'"):
        wire.send("picture", {}, [b"x" * 10_000_000])
    assert closed.get(timeout=10)
    wire.join(10)


def test_what_a_destructor_sends_in_the_middle_of_a_frame_follows_it():
    ours, theirs = socket.socketpair()

    class Interrupted(socket.socket):
        """Has its thread send something else whenever it sends: as a destructor may that logs."""

        busy = False

        def sendall(self, data: bytes, flags: int = 0) -> None:  # type: ignore[override]
            if not self.busy:
                self.busy = True
                wire.send("log", {"message": "gone"})
            super().sendall(data, flags)

    wire = Wire(Interrupted(fileno=ours.detach()), "server", lambda message: None, lambda reason: None)
    wire.start()
    other = End(theirs)
    wire.send("picture", {}, [b"x" * 100_000])
    assert other.messages.get(timeout=10).parts == (b"x" * 100_000,)
    assert other.messages.get(timeout=10).kind == "log"
    wire.send("picture", {}, [b"y" * 100_000])
    assert other.messages.get(timeout=10).kind == "picture"
    wire.close()
    wire.join(10)
    other.wire.join(10)


def test_both_ends_may_write_more_than_the_socket_holds_at_once(ends: tuple[End, End]):
    picture = b"x" * 5_000_000
    left, right = ends  # requests go one way, as from a worker to the server; pictures go both
    right.respond = lambda wire, message: wire.answer(message, {}, message.parts)
    got: list[bytes] = []

    def ask() -> None:
        got.append(left.wire.request("echo", {}, [picture]).parts[0])

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert got == [picture] * 4


KEY = "sk-wire-0123456789"


def test_what_was_given_in_confidence_is_not_sent_back(ends: tuple[End, End]):
    left, right = ends
    left.wire.mask.add(KEY)
    body = {"message": f"key {KEY}", "output": {f"k{KEY}": [f"?key={KEY}&", {"deep": json.dumps(KEY)}]}, "count": 3}
    left.wire.send("log", body)
    arrived = right.messages.get(timeout=10)
    assert arrived.body == {"message": "key ***", "output": {"k***": ["?key=***&", {"deep": '"***"'}]}, "count": 3}
    assert KEY in str(body), "the sender's own is as it was"
    right.wire.send("journal", body)
    assert left.messages.get(timeout=10).body == body, "the other end hides nothing"


def test_a_secret_that_looks_like_the_rest_of_an_escape_breaks_no_message(ends: tuple[End, End]):
    left, right = ends
    left.wire.mask.add("n1234567")
    left.wire.send("log", {"message": "one\n1234567 n1234567"})
    assert right.messages.get(timeout=10).body == {"message": "one\n1234567 ***"}


def test_what_the_protocol_says_stays_whatever_a_secret_is(ends: tuple[End, End]):
    left, right = ends
    left.wire.mask.add("message1", "request1")
    left.wire.send("request1", {"message1": "request1", "kind": "request1"})
    arrived = right.messages.get(timeout=10)
    assert (arrived.kind, arrived.body) == ("request1", {"message1": "***", "kind": "***"})


def test_bytes_that_hold_a_secret_are_not_sent(ends: tuple[End, End]):
    left, right = ends
    left.wire.mask.add(KEY)
    with pytest.raises(SecretInDataError, match="holds a key of this server") as caught:
        left.wire.request("images.save", {}, [b"\x89PNG", b"tEXt" + KEY.encode()])
    assert KEY not in str(caught.value)
    right.respond = lambda wire, message: wire.answer(message, {"parts": len(message.parts)})
    assert left.wire.request("images.save", {}, [b"\x89PNG"]).body == {"parts": 1}


def test_a_secret_that_is_not_there_is_so_at_the_other_end_too(ends: tuple[End, End]):
    left, right = ends
    right.respond = lambda wire, message: wire.refuse(message, SecretNotFoundError("a_key", "set it"))
    with pytest.raises(SecretNotFoundError, match="no secret 'a_key': set it") as caught:
        left.wire.request("secrets.get", {})
    assert (caught.value.name, caught.value.hint) == ("a_key", "set it")
