"""`ProgressSender`: how far nodes are, sent no faster than the operator wants, the last report always.

A report that comes too soon is kept, the newest only, and sent by a thread of its own when it is due, so that a node
which reports and then falls silent is still shown where it stands. `NodeProgress` is what one node calls.
"""

import logging
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from impasto.engine.protocol import ToServer
from impasto.engine.wire import Wire
from impasto.errors import WireError
from impasto.storage.pictures import encode_preview

if TYPE_CHECKING:  # it enters the core by way of storage only
    from PIL.Image import Image

__all__ = ["NodeProgress", "ProgressSender"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Report:
    execution_id: str
    fraction: float | None
    message: str
    preview: "Image | None"


class ProgressSender:
    """Sends reports of one worker. `per_s` is the most of one node in a second; `previews`: whether with pictures."""

    def __init__(self, wire: Wire, *, per_s: float, previews: bool) -> None:
        self._wire = wire
        self._interval_s = 1 / per_s
        self._previews = previews
        self._changed = threading.Condition()
        #: By node, the newest report that came too soon.
        self._kept: dict[NodeProgress, _Report] = {}
        self._thread: threading.Thread | None = None

    def of(self, execution_id: str) -> "NodeProgress":
        """What one node reports with."""
        return NodeProgress(self, execution_id)

    def report(self, node: "NodeProgress", fraction: float | None, message: str, preview: "Image | None") -> None:
        """Send a report now, or keep it until the next one of its node is due."""
        with self._changed:
            if time.monotonic() >= node.due_at:
                self._send(node, _Report(node.execution_id, fraction, message, preview))
                return
            # copied, because the node may go on drawing in it
            kept = preview.copy() if preview is not None and self._previews else None
            self._kept[node] = _Report(node.execution_id, fraction, message, kept)
            if self._thread is None:
                self._thread = threading.Thread(target=self._send_when_due, name="impasto-progress", daemon=True)
                self._thread.start()
            self._changed.notify()

    def flush(self, node: "NodeProgress") -> None:
        """Send what is kept of a node; called when it ends, so that nothing of it comes after its end."""
        with self._changed:
            if (kept := self._kept.get(node)) is not None:
                self._send(node, kept)

    def _send_when_due(self) -> None:
        with self._changed:
            while True:
                while not self._kept:
                    self._changed.wait()
                node = min(self._kept, key=lambda node: node.due_at)
                left_s = node.due_at - time.monotonic()
                if left_s > 0:
                    self._changed.wait(left_s)
                    continue
                try:
                    self._send(node, self._kept[node])
                except WireError:
                    return  # the server is gone, and this process with it

    def _send(self, node: "NodeProgress", report: _Report) -> None:
        self._kept.pop(node, None)
        node.due_at = time.monotonic() + self._interval_s
        body = {"execution_id": report.execution_id, "fraction": report.fraction, "message": report.message}
        if report.preview is None or not self._previews:
            self._wire.send(ToServer.PROGRESS, body)
            return
        try:
            preview = encode_preview(report.preview)
        except Exception:  # a picture that cannot be shown is no reason to fail the node, or to stop this thread
            fields = {"node_id": report.execution_id}
            logger.warning("the preview of %s cannot be shown", report.execution_id, exc_info=True, extra=fields)
            self._wire.send(ToServer.PROGRESS, body)
            return
        body |= {"width": report.preview.width, "height": report.preview.height}
        self._wire.send(ToServer.PROGRESS, body, [preview])


class NodeProgress:
    """A `ProgressReporter` of one running node."""

    def __init__(self, sender: ProgressSender, execution_id: str) -> None:
        self._sender = sender
        self.execution_id = execution_id
        #: When its next report may be sent, as a monotonic time. Kept by the sender.
        self.due_at = 0.0

    def __call__(self, fraction: float | None, message: str = "", preview: "Image | None" = None) -> None:
        """See `ProgressReporter`."""
        bounded = None if fraction is None else min(max(float(fraction), 0.0), 1.0)
        self._sender.report(self, bounded, message, preview)

    def flush(self) -> None:
        """Send what is kept of the node."""
        self._sender.flush(self)
