"""`Wire`: framed messages between the server and a worker, in both directions, over one stream socket.

A frame is a fixed prefix, a small JSON header, and binary parts apart from it, so that a picture is never written as
text. It knows nothing of what messages mean. Both ends use this class: the supervisor's side and the worker's.
"""

import itertools
import json
import logging
import os
import socket
import struct
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from impasto.engine.remote_error import decode_error, encode_error
from impasto.errors import MessageTooLargeError, SecretInDataError, WireError
from impasto.host.mask import Mask
from impasto_sdk.fields import JsonValue

__all__ = ["MAX_HEADER_BYTES", "MAX_PARTS_BYTES", "Message", "Wire"]

#: Largest header, in bytes; a graph of 100,000 nodes fits.
MAX_HEADER_BYTES = 128 * 2**20
#: Largest sum of a frame's binary parts, in bytes.
MAX_PARTS_BYTES = 2**31

logger = logging.getLogger(__name__)

_MAGIC = b"imp1"
#: Magic, length of the header, sum of the lengths of the parts.
_PREFIX = struct.Struct("!4sIQ")
#: Frames up to this size leave in one call; larger parts are not copied together first.
_JOIN_BYTES = 64 * 2**10
#: How the operating system is told a time: seconds and microseconds.
_TIMEVAL = struct.Struct("@ll")


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message as it arrived."""

    #: What it is, e.g. ``images.save``; empty for an answer.
    kind: str
    body: dict[str, JsonValue] = field(default_factory=dict)
    parts: tuple[bytes, ...] = ()
    #: Set when the other end waits for an answer to it.
    request_id: int | None = None


class Wire:
    """One end of a connection. A thread of its own reads; any thread may send.

    `on_message` is called on the reading thread with every message that is not an answer; requests among them must be
    given to `answer` or `refuse`. `on_close` is called once, on the reading thread, with the reason in words.
    """

    def __init__(
        self,
        connection: socket.socket,
        peer: str,
        on_message: Callable[[Message], None],
        on_close: Callable[[str], None],
        *,
        send_timeout_s: float | None = None,
    ) -> None:
        """`peer` is the worker's id, for errors.

        `send_timeout_s`: a peer that takes in nothing for so long is given up; None: it is waited for.
        """
        if send_timeout_s is not None:  # of the socket itself, since Python's own would hold for reading too
            seconds, rest = divmod(send_timeout_s, 1)
            limit = _TIMEVAL.pack(int(seconds), int(rest * 1e6))
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
        self._socket = connection
        self._stream = connection.makefile("rb", buffering=_JOIN_BYTES)
        self._peer = peer
        self._on_message = on_message
        self._on_close = on_close
        self._sending = threading.Lock()
        #: The thread that sends, and what it was made to send meanwhile.
        self._sender: int | None = None
        self._delayed: deque[list[bytes]] = deque()
        self._numbers = itertools.count(1)
        self._pending: dict[int, Future[Message]] = {}
        self._closed: str | None = None
        #: What this end does not tell the other: the secrets that it was given. Empty at the server's end.
        self.mask = Mask()
        #: Whether the connection is another process's; see `disown`.
        self.disowned = False
        self._reader = threading.Thread(target=self._read, name=f"impasto-wire-{peer}", daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._reader.start()

    @property
    def closed(self) -> str | None:
        """Why the connection is over; None while it is not."""
        return self._closed

    def send(self, kind: str, body: Mapping[str, JsonValue] | None = None, parts: Sequence[bytes] = ()) -> None:
        """Send a message that nobody answers.

        Raises `MessageTooLargeError`, and `WireError` when the other end is gone.
        """
        self._send({"kind": kind, "body": body or {}}, parts)

    def request(self, kind: str, body: Mapping[str, JsonValue] | None = None, parts: Sequence[bytes] = ()) -> Message:
        """Send a message and wait for its answer.

        Raises what the other end raised, where it is an error of the sdk, else `ServerError` with its message;
        `WireError` when the connection ends first, and `SecretInDataError` for parts that hold what the mask hides.
        """
        if self.mask and any(self.mask.is_in(part) for part in parts):
            raise SecretInDataError
        number = next(self._numbers)
        answer: Future[Message] = Future()
        self._pending[number] = answer
        if self._closed is not None:  # looked at after the line above, so that no request is left without an end
            self._pending.pop(number, None)
            raise WireError(self._peer, f"no answer to {kind}: {self._closed}")
        try:
            self._send({"kind": kind, "body": body or {}, "request": number}, parts)
            return answer.result()
        finally:
            self._pending.pop(number, None)

    def answer(
        self, request: Message, body: Mapping[str, JsonValue] | None = None, parts: Sequence[bytes] = ()
    ) -> None:
        """Answer a request."""
        self._send({"answer": request.request_id, "body": body or {}}, parts)

    def refuse(self, request: Message, error: Exception) -> None:
        """Answer a request with an error, which `request` raises at the other end."""
        self._send({"answer": request.request_id, "error": encode_error(error)}, ())

    def close(self) -> None:
        """End the connection; both ends are told. Harmless when it is over."""
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # the other end was faster

    def disown(self) -> None:
        """Let go of the connection in a process that was forked from this one, and stays the parent's.

        Nothing can be sent after this: what two processes write at once nobody can read. The parent's end is as it was.
        """
        self.disowned = True
        self._closed = "this process was forked from the one whose connection it is"
        self._sending, self._sender = threading.Lock(), None  # whoever held it is not here
        self._delayed.clear()
        os.close(self._socket.detach())

    def join(self, timeout_s: float) -> None:
        """Wait until `on_close` has returned."""
        if self._reader.is_alive() and self._reader is not threading.current_thread():
            self._reader.join(timeout_s)

    def _send(self, header: Mapping[str, JsonValue], parts: Sequence[bytes]) -> None:
        lengths = [len(part) for part in parts]
        total = sum(lengths)
        header = {**header, "parts": lengths} if parts else header
        text = _dump(header)
        if self.mask and self.mask.may_be_in(text):
            text = _dump({name: self._masked(value) for name, value in header.items()})
        if len(text) > MAX_HEADER_BYTES or total > MAX_PARTS_BYTES:
            raise MessageTooLargeError(
                self._peer,
                f"a message {header.get('kind', 'answer')!r} of {len(text)} bytes and {total} bytes of parts is too "
                f"large; at most {MAX_HEADER_BYTES} and {MAX_PARTS_BYTES} travel",
            )
        prefix = _PREFIX.pack(_MAGIC, len(text), total)
        blocks = [b"".join((prefix, text, *parts))] if total <= _JOIN_BYTES else [prefix + text, *parts]
        if self._sender == threading.get_ident():
            # a destructor that ran in the middle of a frame logs: it must neither wait for itself nor break in
            self._delayed.append(blocks)
            return
        try:
            with self._sending:
                self._sender = threading.get_ident()
                try:
                    self._write(blocks)
                    while self._delayed:
                        self._write(self._delayed.popleft())
                finally:
                    self._sender = None
        except OSError as error:
            self.close()  # a frame may have been cut off in the middle, and nothing that follows could be read
            raise WireError(self._peer, f"cannot send {header.get('kind', 'answer')!r}: {error}") from error

    def _masked(self, value: JsonValue) -> JsonValue:
        """A part of a header without secrets; what the protocol itself says stays as it is."""
        return {name: self.mask.document(each) for name, each in value.items()} if isinstance(value, dict) else value

    def _write(self, blocks: Sequence[bytes]) -> None:
        for block in blocks:
            self._socket.sendall(block)

    def _read(self) -> None:
        reason = "the connection was closed"
        try:
            while (frame := self._read_frame()) is not None:
                self._deliver(*frame)
        except WireError as error:
            reason = error.problem
        except OSError as error:
            reason = f"the connection broke: {error}"
        except Exception as error:  # the other end may be a plugin's victim: what it sends must not end this process
            logger.exception("a message of %s could not be taken", self._peer)
            reason = f"a message could not be taken: {type(error).__name__}: {error}"
        finally:
            self._finish(reason)

    def _read_frame(self) -> tuple[dict[str, JsonValue], tuple[bytes, ...]] | None:
        prefix = self._stream.read(_PREFIX.size)
        if not prefix:
            return None
        if len(prefix) < _PREFIX.size:
            raise WireError(self._peer, "the connection ended inside a message")
        magic, header_bytes, parts_bytes = _PREFIX.unpack(prefix)
        if magic != _MAGIC:
            raise WireError(self._peer, f"a message begins with {magic!r} instead of {_MAGIC!r}")
        if header_bytes > MAX_HEADER_BYTES or parts_bytes > MAX_PARTS_BYTES:
            raise WireError(self._peer, f"a message announces {header_bytes} and {parts_bytes} bytes: too large")
        try:
            header = json.loads(self._exactly(header_bytes))
            lengths = header.get("parts", ())
            fits = sum(lengths) == parts_bytes and all(length >= 0 for length in lengths)
        except (ValueError, TypeError, AttributeError) as error:
            raise WireError(self._peer, f"a message has an unreadable header: {error}") from error
        if not fits:
            raise WireError(self._peer, f"a message announces parts of {lengths} bytes, {parts_bytes} together")
        return header, tuple(self._exactly(length) for length in lengths)

    def _exactly(self, size_bytes: int) -> bytes:
        data: bytes = self._stream.read(size_bytes)
        if len(data) < size_bytes:
            raise WireError(self._peer, "the connection ended inside a message")
        return data

    def _deliver(self, header: dict[str, JsonValue], parts: tuple[bytes, ...]) -> None:
        if (number := header.get("answer")) is not None:
            pending = self._pending.pop(number, None)
            if pending is None:
                return  # nobody waits for it any more
            if (error := header.get("error")) is not None:
                pending.set_exception(decode_error(error))
            else:
                pending.set_result(Message(kind="", body=header.get("body") or {}, parts=parts))
            return
        kind, body = header.get("kind"), header.get("body")
        if not isinstance(kind, str) or not isinstance(body, dict):
            raise WireError(self._peer, f"a message is neither an answer nor has a kind and a body: {list(header)}")
        self._on_message(Message(kind=kind, body=body, parts=parts, request_id=header.get("request")))

    def _finish(self, reason: str) -> None:
        self._closed = reason
        for pending in list(self._pending.values()):
            pending.set_exception(WireError(self._peer, f"no answer came: {reason}"))
        self.close()  # wakes a sender, so that the lock below is given up
        with self._sending:
            self._stream.close()
            self._socket.close()
        self._on_close(reason)


def _dump(header: Mapping[str, JsonValue]) -> bytes:
    return json.dumps(header, separators=(",", ":")).encode()
