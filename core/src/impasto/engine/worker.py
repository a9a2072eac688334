"""The worker process: ``python -m impasto.engine.worker FD``, started by the supervisor with one end of a socket pair.

It loads the plugins' code, finds its device, says so, and then runs the sessions it is given. It opens no database and
no port. When the server is gone it ends at once: nobody is left to report to.
"""

import argparse
import faulthandler
import gc
import logging
import os
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from queue import SimpleQueue

from impasto.cache import InvocationCache
from impasto.engine.access.progress import ProgressSender
from impasto.engine.access.settings import PluginSettings
from impasto.engine.cache_reporter import CacheReporter
from impasto.engine.context import WorkerTools
from impasto.engine.control import RunControl
from impasto.engine.invoker import NodeInvoker
from impasto.engine.lanes import Lanes
from impasto.engine.oom_score import offer_first
from impasto.engine.protocol import (
    PROTOCOL_VERSION,
    CacheOrder,
    Outcome,
    Request,
    RunEnding,
    RunError,
    RunOrder,
    ToServer,
    ToWorker,
    WorkerConfig,
    WorkerFacts,
)
from impasto.engine.references import References
from impasto.engine.reporter import RunReporter, WireReporter
from impasto.engine.run_journal import RunJournal
from impasto.engine.runner import SessionRunner
from impasto.engine.standard_streams import StandardStreams
from impasto.engine.step import StepEnd
from impasto.engine.wire import Message, Wire
from impasto.engine.wire_log import WireLogHandler
from impasto.errors import NoDeviceError, WireError
from impasto.graph import Graph
from impasto.graph.lanes import first_on_lanes
from impasto.host import PluginHost
from impasto.models.cache import ModelCache
from impasto.scheduler import GraphExecutionState
from impasto_sdk.models import DeviceInfo
from impasto_sdk.node import Lane

__all__ = ["Worker", "main"]

logger = logging.getLogger(__name__)

#: What nodes are told of in a worker without a device: where their own code runs, and a model that they load.
_NO_DEVICE = DeviceInfo(
    name="cpu",
    kind="cpu",
    requested="none",
    notes=("This worker has no device; sessions that need one run elsewhere.",),
)


@dataclass(frozen=True, slots=True)
class _Job:
    order: RunOrder
    journal: RunJournal
    control: RunControl


class Worker:
    """One worker's end of the wire: its reading thread takes orders, the calling thread carries them out."""

    def __init__(self, connection: socket.socket) -> None:
        self._wire = Wire(connection, "server", self._take, self._server_gone)
        self._config: SimpleQueue[WorkerConfig] = SimpleQueue()
        #: Runs to do; None: stop.
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._current: _Job | None = None
        #: What earlier attempts at an item wrote down, as far as it has come.
        self._journal: tuple[int, RunJournal] = (0, RunJournal())
        #: Of no bytes until the server has said how many it may take.
        self._cache = InvocationCache(0)
        self._stopping = threading.Event()

    def serve(self) -> None:
        """Run sessions until the server says stop."""
        os.register_at_fork(after_in_child=self._wire.disown)
        self._wire.start()
        self._wire.send(ToServer.HELLO, {"protocol": PROTOCOL_VERSION, "pid": os.getpid()})
        config = self._config.get()
        log = _log_to(self._wire, config.log_level)
        self._cache = InvocationCache(config.invocation_cache_bytes)
        try:
            host = PluginHost.load(disabled=config.disabled_plugins)
            device = None if config.device is None else _find_device(host, config.device, config.precision)
            tools, reporter = _tools(self._wire, host, device or _NO_DEVICE, config)
            runner = _build_runner(tools, host, config, self._cache, reporter)
        except Exception as error:
            logger.exception("the worker cannot start")
            self._wire.send(ToServer.UNUSABLE, {"reason": f"{type(error).__name__}: {error}"})
            return
        # what start-up made, torch among it, lives as long as the worker: no collection need look through it again
        gc.freeze()
        facts = WorkerFacts(device=device, node_types=len(host.catalogue))
        self._wire.send(ToServer.READY, facts.model_dump(mode="json"))
        beating = threading.Thread(target=self._beat, args=[config.beat_s], name="impasto-beat", daemon=True)
        beating.start()
        caches, streams = CacheReporter(self._wire, self._cache, tools.models), StandardStreams()
        while (job := self._jobs.get()) is not None:
            with log.during(job.order):
                ending = _run_guarded(runner, job)
            streams.restore()
            caches.report()
            self._wire.send(ToServer.ENDED, ending.model_dump(mode="json"))

    def _take(self, message: Message) -> None:
        match message.kind:
            case ToWorker.WELCOME:
                self._config.put(WorkerConfig.model_validate(message.body))
            case ToWorker.JOURNAL:
                self._journal_of(message.body["item_id"]).add(message.body["lines"])
            case ToWorker.RUN:
                # made here, before any message that follows it is read: a cancel must find it
                order = RunOrder.model_validate(message.body)
                self._current = _Job(order, self._journal_of(order.item_id), RunControl())
                self._journal = (0, RunJournal())
                self._jobs.put(self._current)
            case ToWorker.CANCEL:
                job = self._current
                if job is not None and job.order.item_id == message.body["item_id"]:
                    job.control.cancel()
            case ToWorker.CACHE:
                _carry_out(CacheOrder(message.body["order"]), self._cache)
            case ToWorker.STOP:
                self._stopping.set()
                if self._current is not None:
                    self._current.control.interrupt()
                self._jobs.put(None)

    def _journal_of(self, item_id: int) -> RunJournal:
        """What has come for an item; that of another, which then was not run after all, is forgotten."""
        if self._journal[0] != item_id:
            self._journal = (item_id, RunJournal())
        return self._journal[1]

    def _beat(self, every_s: float) -> None:
        with suppress(WireError):  # the server is gone, and this process with it
            while True:
                time.sleep(every_s)
                self._wire.send(ToServer.BEAT)

    def _server_gone(self, reason: str) -> None:
        # no exit handlers: a node that hangs must not keep an orphan and its device alive
        os._exit(0 if self._stopping.is_set() else 1)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a worker on the socket whose file descriptor is the only argument; gives the exit status."""
    parser = argparse.ArgumentParser(prog="python -m impasto.engine.worker", description=__doc__)
    parser.add_argument("fd", type=int, help="file descriptor of a connected stream socket")
    fd = parser.parse_args(arguments).fd
    os.set_inheritable(fd, False)  # programs that a node starts must not keep the connection open
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the server's to handle, which then drains its workers
    faulthandler.enable()
    offer_first()
    Worker(socket.socket(fileno=fd)).serve()
    return 0


def _log_to(wire: Wire, level: str) -> WireLogHandler:
    root, handler = logging.getLogger(), WireLogHandler(wire)
    root.setLevel(logging.WARNING)  # as in the server, which would let go of more
    logging.getLogger("impasto").setLevel(level.upper())
    root.addHandler(handler)
    logging.captureWarnings(True)
    return handler


def _carry_out(order: CacheOrder, cache: InvocationCache) -> None:
    match order:
        case CacheOrder.CLEAR:
            cache.clear()
        case CacheOrder.ENABLE:
            cache.enable()
        case CacheOrder.DISABLE:
            cache.disable()


def _find_device(host: PluginHost, wanted: str, precision: str) -> DeviceInfo:
    found = host.find_device(wanted, precision)
    if found is not None:
        return found
    return DeviceInfo(
        name="cpu",
        kind="cpu",
        requested=wanted,
        notes=("No installed plugin looks for devices, so nodes run on the CPU.",),
    )


def _tools(wire: Wire, host: PluginHost, device: DeviceInfo, config: WorkerConfig) -> tuple[WorkerTools, WireReporter]:
    """What the contexts of all nodes share, and who tells the server of them."""
    offered, reporter = host.contributions, WireReporter(wire)
    models = ModelCache(
        [loader.value for loader in offered.model_loaders],
        device,
        ram_bytes=config.model_cache_ram_bytes,
        device_bytes=config.model_cache_device_bytes,
        listener=reporter,
    )
    tools = WorkerTools(
        wire=wire,
        device=device,
        models=models,
        progress=ProgressSender(wire, per_s=config.progress_events_per_s, previews=config.previews),
        settings=PluginSettings((declared.value for declared in offered.settings), config.plugins),
        extensions={factory.value.field_type: factory.value for factory in offered.denoise_extensions},
    )
    return tools, reporter


def _build_runner(
    tools: WorkerTools, host: PluginHost, config: WorkerConfig, cache: InvocationCache, reporter: RunReporter
) -> SessionRunner:
    def all_exist(references: References) -> bool:
        asked = {"images": list(references.images), "files": list(references.files)}
        return bool(tools.wire.request(Request.EXIST, asked).body["all"])

    def open_state(graph: Graph, session_id: str) -> GraphExecutionState:
        if config.device is None and (node := first_on_lanes(graph, host.catalogue).get(Lane.DEVICE)) is not None:
            raise NoDeviceError(config.worker_id, node.node_id, node.node_type)
        return GraphExecutionState(
            graph,
            host.catalogue,
            session_id=session_id,
            ready_order=config.ready_order,
            class_caps=config.class_caps,
            window=config.iteration_window,
        )

    invoker = NodeInvoker(host.catalogue, cache, all_exist)
    lanes: Lanes[Sequence[StepEnd]] = Lanes({Lane.DEVICE: 1, Lane.CPU: config.cpu_lane, Lane.IO: config.io_lane})
    return SessionRunner(open_state, invoker, tools, reporter, lanes)


def _run_guarded(runner: SessionRunner, job: _Job) -> RunEnding:
    try:
        return runner.run(job.order, job.journal, job.control)
    except (
        Exception
    ) as error:  # our own mistake, or a scheduler's: the item is to end with a reason, the worker to go on
        logger.exception("item %d could not be run", job.order.item_id)
        problem = RunError(type=type(error).__name__, message=str(error), traceback=traceback.format_exc())
        return RunEnding(item_id=job.order.item_id, outcome=Outcome.FAILED, error=problem)


if __name__ == "__main__":
    sys.exit(main())
