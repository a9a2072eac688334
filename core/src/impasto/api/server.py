"""`Server`: an `Impasto` behind HTTP, in the foreground (`serve`) or on a thread (`Server.start_in_thread`).

A root folder has one server. It is claimed before anything is opened in it, and the claim tells who holds it.
"""

import asyncio
import contextlib
import logging
import signal
import socket
import threading
from collections.abc import Callable, Generator
from types import FrameType, TracebackType
from typing import Self

import uvicorn

from impasto.api.factory import create_api
from impasto.app import Impasto
from impasto.errors import ServerError
from impasto.storage.root_claim import RootClaim

__all__ = ["Server", "serve"]

logger = logging.getLogger(__name__)

#: Seconds that open requests have to end when the server stops.
SHUTDOWN_TIMEOUT_S = 5
#: Seconds a server on a thread has to begin to listen.
START_TIMEOUT_S = 60.0


def serve(
    app: Impasto,
    host: str | None = None,
    port: int | None = None,
    *,
    on_ready: Callable[[str], object] = lambda url: None,
) -> None:
    """Serve `app` until Ctrl-C or SIGTERM, then stop it cleanly. Starts it; call it on the main thread.

    `host` and `port` (0: any free one) default to the settings. `on_ready` is called with the server's address once it
    answers. Raises `ServerError` when another server holds the root folder or the port is taken.
    """
    Server(app, host, port).run(on_ready)


class Server:
    """One HTTP server for one `Impasto`, which it starts and stops."""

    def __init__(self, app: Impasto, host: str | None = None, port: int | None = None, *, work: bool = True) -> None:
        """`work=False`: no workers are started, so nothing that is queued runs."""
        self._app = app
        self._work = work
        self._host = app.settings.host if host is None else host
        self._port = app.settings.port if port is None else port
        self._thread: threading.Thread | None = None
        self._uvicorn: _Uvicorn | None = None
        #: What came of the server's thread: its address, then what went wrong.
        self._outcome: list[str | BaseException] = []

    def __enter__(self) -> Self:
        self.start_in_thread()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def run(self, on_ready: Callable[[str], object] = lambda url: None) -> None:
        """Serve until a signal or `stop`. Raises `ServerError` when it cannot start."""
        with RootClaim(self._app.settings.root) as claim, _bound(self._host, self._port) as listener:
            url = _address(self._host, listener.getsockname()[1])

            def announce() -> None:
                claim.publish(url)
                logger.info("Impasto is at %s", url)
                on_ready(url)

            with self._started():
                api = create_api(self._app)
                self._uvicorn = _Uvicorn(
                    uvicorn.Config(
                        api,
                        log_config=None,
                        log_level="warning",
                        access_log=False,
                        lifespan="off",
                        timeout_graceful_shutdown=SHUTDOWN_TIMEOUT_S,
                        # one that does not read answers no ping, and is to be waited for; one that is gone does not
                        # acknowledge it, which the operating system notices
                        ws_ping_timeout=None,
                        # it would compress each event anew for each client, and keep 64 KiB and more for each
                        ws_per_message_deflate=False,
                    ),
                    on_started=announce,
                    drain=self._app.drain,
                    on_stopping=api.state.event_streams.close,
                )
                self._uvicorn.run(sockets=[listener])

    @contextlib.contextmanager
    def _started(self) -> Generator[None, None, None]:
        self._app.start(work=self._work)
        try:
            yield
        finally:
            self._app.stop()

    def start_in_thread(self) -> str:
        """Serve on a thread of its own and give the address, once it answers. End it with `stop`.

        Raises `ServerError` when it cannot start.
        """
        ready = threading.Event()
        outcome = self._outcome = []

        def on_ready(url: str) -> None:
            outcome.append(url)
            ready.set()

        def run() -> None:
            try:
                self.run(on_ready)
            except BaseException as error:  # noqa: BLE001  raised again below, on the thread that asked
                outcome.append(error)
            finally:
                ready.set()

        self._thread = threading.Thread(target=run, name="impasto-server", daemon=True)
        self._thread.start()
        if not ready.wait(START_TIMEOUT_S):
            raise ServerError(f"the server did not answer within {START_TIMEOUT_S:g} s")
        first = outcome[0] if outcome else ServerError("the server ended before it answered; its log says why")
        if isinstance(first, BaseException):
            raise first
        return first

    def stop(self) -> None:
        """End a server on a thread, and wait until everything is closed. Raises what went wrong after the start."""
        if self._uvicorn is not None:
            self._uvicorn.should_exit = True
        if self._thread is not None:
            self._thread.join()
        for failure in self._outcome[1:]:
            if isinstance(failure, BaseException):
                raise failure


class _Uvicorn(uvicorn.Server):
    """uvicorn, which tells when it answers and when it stops, and leaves cleaning up to us after a signal.

    When it is to stop it goes on answering while `drain` runs, so that whoever watches sees why, and what becomes of
    what was running. `on_stopping` is called after that, before connections are closed.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        on_started: Callable[[], object],
        drain: Callable[[], object],
        on_stopping: Callable[[], object],
    ) -> None:
        super().__init__(config)
        self._on_started = on_started
        self._drain = drain
        self._on_stopping = on_stopping

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_started()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        logger.info("Impasto stops: it takes no more work, and waits for what is in hand")
        try:
            await asyncio.to_thread(self._drain)
        finally:
            self._on_stopping()
            await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        # uvicorn raises the signal again when it is done; SIGTERM would then end us before workers and files are closed
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        caught = (signal.SIGINT, signal.SIGTERM)
        before = {number: signal.signal(number, self._on_signal) for number in caught}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.handle_exit(number, frame)


@contextlib.contextmanager
def _bound(host: str, port: int) -> Generator[socket.socket, None, None]:
    """A listening socket. Bound here, so that the port is known and a taken one is refused before anything starts."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise ServerError(f"cannot listen on {host!r}: {error.strerror or error}; set another `host`") from error
    with listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(address)
        except OSError as error:
            raise ServerError(
                f"cannot listen on {host}:{port}: {error.strerror}; set another `port`, or 0 for any free one"
            ) from error
        yield listener


def _address(host: str, port: int) -> str:
    """Where a client on this machine finds the server."""
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104  not bound here
    return f"http://[{reachable}]:{port}" if ":" in reachable else f"http://{reachable}:{port}"
