"""How a worker, its wire or a session on it is lost."""

from impasto.errors.root import CoreError

__all__ = ["MessageTooLargeError", "NoDeviceError", "SessionTimeoutError", "WireError", "WorkerError"]


class WorkerError(CoreError):
    """A worker process was lost or cannot start. `worker_id` names it."""

    def __init__(self, worker_id: str, problem: str) -> None:
        super().__init__(f"worker {worker_id!r}: {problem}")
        self.worker_id = worker_id
        self.problem = problem


class WireError(WorkerError):
    """The other end of a worker's wire broke the protocol, or is gone."""


class MessageTooLargeError(WireError):
    """A message that no wire carries: nothing of it was sent, and the connection goes on."""


class NoDeviceError(CoreError):
    """A session was queued as one that needs no device, and a node of it runs on one now.

    Its node type was changed in between. `node_id` has the ids of the calls that the node stands in before its own.
    """

    def __init__(self, worker_id: str, node_id: str, node_type: str) -> None:
        super().__init__(
            f"node {node_id!r} ({node_type}) runs on a device, and worker {worker_id!r} has none: the node type waited "
            "for something outside, or did not exist, when the graph was queued; queue the graph anew"
        )
        self.worker_id = worker_id
        self.node_id = node_id
        self.node_type = node_type


class SessionTimeoutError(CoreError):
    """A session ran longer than `timeout_s` seconds. `in_hand` names the nodes that were not done; it may be empty."""

    def __init__(self, timeout_s: float, in_hand: str) -> None:
        super().__init__(
            f"{in_hand or 'the session'} was not done after {timeout_s:g} s, which is all that a session has; see the "
            "setting `session_timeout_s`"
        )
        self.timeout_s = timeout_s
        self.in_hand = in_hand
