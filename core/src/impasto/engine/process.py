"""`WorkerProcess`: one worker process from its birth to its end, with the server's end of its wire.

What it does is not known here; when it starts again, and what it is given to do, is for the supervisor.
"""

import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial

from impasto.engine.mailbox import Mailbox
from impasto.engine.memory_watch import MemoryWatch
from impasto.engine.protocol import PROTOCOL_VERSION, ToServer, ToWorker, WorkerConfig, WorkerFacts
from impasto.engine.session_server import SessionServer
from impasto.engine.wire import Message, Wire
from impasto.engine.wire_log import relay_log
from impasto.engine.worker_output import WorkerOutput
from impasto.errors import WireError, WorkerError
from impasto.host.secrets import SECRET_PREFIX
from impasto_sdk.fields import JsonValue

__all__ = ["WorkerProcess"]

logger = logging.getLogger(__name__)

#: What a worker is given unless the operator's environment says otherwise. Threads of numeric libraries that wait for
#: one another sleep instead of spinning: on a machine with other work to do, spinning costs a node ten times its time.
_ENVIRONMENT = {"OMP_WAIT_POLICY": "PASSIVE"}
#: How long a worker may take in nothing of what it is sent, in seconds. Its wire is read by a thread of its own, so one
#: that does not is stopped or hangs whole, and whoever sends must not hang with it.
_SEND_S = 30.0
#: How long messages of an ended worker may still be read, in seconds.
_LAST_WORDS_S = 5.0


class WorkerProcess:
    """A worker process that was started.

    `listeners` are called with the bodies of messages of their kinds, on the wire's thread; `on_end` once when it is
    gone, on a thread of its own. `memory_bytes`: the most that it and what it starts may take; 0: as much as there is.
    """

    def __init__(
        self,
        worker_id: str,
        server: SessionServer,
        listeners: Mapping[str, Callable[[Mapping[str, JsonValue]], None]],
        on_end: Callable[[], None],
        *,
        memory_bytes: int = 0,
    ) -> None:
        """Start the process. Raises `WorkerError` when the operating system refuses."""
        self.worker_id = worker_id
        #: What it sends, but for requests, log lines and what listeners are called with.
        self.mailbox = Mailbox()
        #: How many messages have come from it …
        self.heard = 0
        #: … and whether one is being dealt with, behind which others may wait.
        self.taking = False
        self._server = server
        self._listeners = listeners
        self._on_end = on_end
        #: Why it was ended, where somebody has said so.
        self._why: str | None = None
        self._exited = threading.Event()
        ours, theirs = socket.socketpair()
        try:
            # `-P`: what lies in the working folder must not be taken for a module.  A session of its own: Ctrl-C is
            # for the server, and a node's own processes can be ended together with the worker.
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [sys.executable, "-P", "-m", "impasto.engine.worker", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=_environment(),
                start_new_session=True,
            )
        except OSError as error:
            ours.close()
            raise WorkerError(worker_id, f"its process cannot be started: {error}") from error
        finally:
            theirs.close()
        self._wire = Wire(ours, worker_id, self._take, self.mailbox.close, send_timeout_s=_SEND_S)
        self._wire.start()
        assert self._process.stdout is not None
        self._output = WorkerOutput(worker_id, self._process.stdout, server.mask)
        self._output.start()
        self._memory = MemoryWatch(self.pid, memory_bytes, partial(self._end_for_memory, memory_bytes))
        if memory_bytes:
            self._memory.start()
        self._watcher = threading.Thread(target=self._watch, name=f"impasto-watch-{worker_id}", daemon=True)
        self._watcher.start()

    @property
    def pid(self) -> int:
        """Its number in the operating system."""
        return self._process.pid

    @property
    def lost(self) -> bool:
        """Whether it has ended, or can no longer be talked to."""
        return self.mailbox.closed is not None

    def greet(self, config: WorkerConfig, timeout_s: float, stopping: Callable[[], bool]) -> WorkerFacts:
        """Tell the process what it is to be, and wait until it can run sessions.

        Raises `WorkerError` when it cannot, ends, takes too long or `stopping` says so (ring the mailbox then), and
        `WireError` when it speaks another version of the protocol. The process may still be there after an error.
        """
        deadline = time.monotonic() + timeout_s
        hello = self._expect(ToServer.HELLO, deadline, stopping)
        if hello.get("protocol") != PROTOCOL_VERSION:
            raise WireError(
                self.worker_id,
                f"it speaks version {hello.get('protocol')} of the protocol, the server version {PROTOCOL_VERSION}; "
                f"both must run the same installation",
            )
        self.send(ToWorker.WELCOME, config.model_dump(mode="json"))
        return WorkerFacts.model_validate(self._expect(ToServer.READY, deadline, stopping))

    def send(self, kind: ToWorker, body: Mapping[str, JsonValue] | None = None) -> None:
        """Send a message. Raises `WireError` when the process is gone."""
        self._wire.send(kind, body)

    def kill(self) -> None:
        """End the process, and what it started, without asking. Harmless when it has ended."""
        if self._exited.is_set():
            return  # its number may be another's by now
        self._kill_group()

    def end_because(self, reason: str) -> None:
        """End the process like `kill`, if it is still there; `end` gives this reason then, the first of several."""
        if not self._exited.is_set():
            self._why = self._why or reason
            self.kill()

    def _end_for_memory(self, limit_bytes: int, taken_bytes: int) -> None:
        self.end_because(
            f"it was ended: it took {taken_bytes:,} bytes of memory, and `worker_memory_bytes` allows {limit_bytes:,}"
        )

    def _kill_group(self) -> None:
        with suppress(ProcessLookupError, PermissionError):  # it was faster
            os.killpg(self._process.pid, signal.SIGKILL)

    def end(self, timeout_s: float) -> str:
        """Wait for the process to end, and end it when it takes longer; gives how it ended, in words."""
        if not self._exited.wait(max(timeout_s, 0.0)):
            fields = {"worker_id": self.worker_id}
            logger.warning("worker %s does not end by itself, so it is ended", self.worker_id, extra=fields)
            self.kill()
        self._watcher.join()
        return self._describe_end()

    def _describe_end(self) -> str:
        status = self._process.returncode
        if self._why is not None:
            return self._why
        if status < 0:
            try:
                how = f"it was ended by signal {-status} ({signal.Signals(-status).name})"
            except ValueError:
                how = f"it was ended by signal {-status}"
        else:
            how = f"it exited with status {status}"
        last = self._output.last_line
        return f"{how}; its last output: {last}" if last else how

    def _expect(self, kind: ToServer, deadline: float, stopping: Callable[[], bool]) -> Mapping[str, JsonValue]:
        while not stopping():
            messages = self.mailbox.take(max(0.0, deadline - time.monotonic()))
            if messages:
                # a worker says nothing on its own between the steps of the handshake
                (message, *_) = messages
                if message.kind == ToServer.UNUSABLE:
                    raise WorkerError(self.worker_id, str(message.body["reason"]))
                if message.kind != kind:
                    raise WireError(self.worker_id, f"it sent {message.kind!r} where {kind.value!r} was due")
                return message.body
            if self.mailbox.closed is not None:
                raise WorkerError(self.worker_id, f"it ended while it started: {self.end(_LAST_WORDS_S)}")
            if time.monotonic() >= deadline:
                raise WorkerError(self.worker_id, "it did not start in time; see `worker_start_timeout_s`")
        raise WorkerError(self.worker_id, "the server stops")

    def _take(self, message: Message) -> None:
        """On the wire's thread."""
        self.heard += 1
        self.taking = True
        try:
            self._deal_with(message)
        finally:
            self.taking = False

    def _deal_with(self, message: Message) -> None:
        if message.request_id is not None:
            self._answer(message)
        elif message.kind == ToServer.LOG:
            relay_log(self.worker_id, message.body)
        elif (listener := self._listeners.get(message.kind)) is not None:
            listener(message.body)
        elif message.kind != ToServer.BEAT:
            self.mailbox.put(message)

    def _answer(self, request: Message) -> None:
        try:
            answer = self._server.answer(request)
        except Exception as error:  # whatever it is, the node that asked is to know
            fields = {"worker_id": self.worker_id}
            logger.debug("worker %s: %s was refused", self.worker_id, request.kind, exc_info=True, extra=fields)
            self._wire.refuse(request, error)
        else:
            self._wire.answer(request, answer.body, answer.parts)

    def _watch(self) -> None:
        self._process.wait()
        self._memory.stop()
        self._kill_group()  # what it has left behind
        self._exited.set()
        # all that it sent before its end is still to be read
        self._wire.join(_LAST_WORDS_S)
        self._wire.close()
        self.mailbox.close("the process is gone")  # where nobody takes any more, the wire's thread may wait to put
        self._wire.join(_LAST_WORDS_S)
        self._output.finish(_LAST_WORDS_S)
        self._on_end()


def _environment() -> dict[str, str]:
    """This process's, but for the secrets: neither plugins nor programs that a node starts find them there."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith(SECRET_PREFIX)}
    return {**_ENVIRONMENT, **ours, "PYTHONUNBUFFERED": "1"}
