"""The errors of the core, as leaves of the sdk's tree.

::

    impasto_sdk.ImpastoError
    └── CoreError
        ├── SettingsError             a settings file, variable or flag holds something unusable
        ├── GraphError                a graph is wrong (also a ValueError)
        │   ├── GraphValidationError  … in the ways its `problems` list
        │   │   └── WorkflowFormatError   … for it stands in a workflow, and that is malformed
        │   ├── DuplicateNodeIdError, NodeAlreadyInGraphError, NodeNotFoundError, NodeFieldNotFoundError,
        │   ├── NodeIdMismatchError, InvalidEdgeError, CyclicalGraphError, NodeInputError
        │   └── NodeAlreadyExecutedError
        ├── BatchError                a batch's data does not fit its graph
        ├── QueueError                the queue refuses
        │   ├── QueueFullError
        │   ├── QueueItemNotFoundError
        │   ├── QueueItemStatusError
        │   └── BatchNotFoundError
        ├── IdempotencyKeyError       an idempotency key was used for another request (also a ValueError)
        ├── CreationGoneError         what an idempotency key created was deleted since
        ├── StorageError              the database or a file cannot be used
        │   ├── StorageUnavailableError   … now: the disk is full, or the file is held or gone
        │   ├── DatabaseVersionError
        │   └── UnreadableImageError
        ├── SecretError               a secret cannot be set
        │   └── SecretFromEnvironmentError   … or removed, for a variable of the environment holds it
        ├── SecretInDataError         a node was about to store bytes that hold a secret (also an InvocationError)
        ├── PluginError               a plugin cannot be used
        ├── ModelRegistryError        a model cannot be registered
        │   └── ExternalModelError    … or changed: it is a service's, and follows its plugin
        ├── PanelNotFoundError        no plugin offers that panel (also a NotFoundError)
        ├── ExternalProviderNotFoundError  no plugin offers that external provider (also a NotFoundError)
        ├── ProviderConfigError       a key or an address of an external provider cannot be taken (also a ValueError)
        │   └── NewAddressError       … for the key that is stored would go to another place than it was given for
        ├── WorkflowNotFoundError     the library has no such workflow (also a NotFoundError)
        ├── SubscriptionEndedError    no more events come; the reader may come back with its last id
        ├── WorkerError               a worker process was lost or cannot start
        │   └── WireError             the other end of a worker's wire broke the protocol, or is gone
        │       └── MessageTooLargeError
        ├── NoDeviceError             a session needs a device, and came to a worker that has none
        ├── SessionTimeoutError       a session ran longer than the operator allows
        └── ServerError               the server cannot start, or cannot be reached

Graph errors keep InvokeAI's names. Each carries as attributes what its message names.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from impasto_sdk.errors import ImpastoError, InvocationError, NotFoundError

__all__ = [
    "BatchError",
    "BatchNotFoundError",
    "CoreError",
    "CreationGoneError",
    "CyclicalGraphError",
    "DatabaseVersionError",
    "DuplicateNodeIdError",
    "ExternalModelError",
    "ExternalProviderNotFoundError",
    "GraphError",
    "GraphValidationError",
    "IdempotencyKeyError",
    "InvalidEdgeError",
    "MessageTooLargeError",
    "ModelRegistryError",
    "NewAddressError",
    "NoDeviceError",
    "NodeAlreadyExecutedError",
    "NodeAlreadyInGraphError",
    "NodeFieldNotFoundError",
    "NodeIdMismatchError",
    "NodeInputError",
    "NodeNotFoundError",
    "PanelNotFoundError",
    "PluginError",
    "Problem",
    "ProviderConfigError",
    "QueueError",
    "QueueFullError",
    "QueueItemNotFoundError",
    "QueueItemStatusError",
    "SecretError",
    "SecretFromEnvironmentError",
    "SecretInDataError",
    "ServerError",
    "SessionTimeoutError",
    "SettingsError",
    "StorageError",
    "StorageUnavailableError",
    "SubscriptionEndedError",
    "UnreadableImageError",
    "WireError",
    "WorkerError",
    "WorkflowFormatError",
    "WorkflowNotFoundError",
]


class CoreError(ImpastoError):
    """Base of the core's errors."""


class SettingsError(CoreError):
    """A setting holds something unusable. `problems` names setting, value and what is allowed, one line each."""

    def __init__(self, source: str, problems: Sequence[str]) -> None:
        super().__init__(f"{source}: " + "; ".join(problems))
        self.source = source
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a graph, as data."""

    #: Stable name of the rule, e.g. ``unknown_field``.
    code: str
    #: What was found, what was expected and what to do, in words.
    message: str
    #: The node it concerns; inside a called graph with the call's id in front, as in ``call/denoise``.
    node_id: str | None = None
    #: Its input or output, or the place in the document.
    field: str | None = None
    #: The value that is wrong.
    found: object = None
    expected: object = None
    #: What to do, as far as more can be said than to give what was expected.
    suggestion: str | None = None
    #: The other nodes it concerns, e.g. the nodes of a cycle, in order.
    nodes: tuple[str, ...] = ()


class GraphError(CoreError, ValueError):
    """A graph, or what is being done to it, is wrong."""

    def __init__(
        self,
        message: str,
        *,
        node_id: str | None = None,
        field: str | None = None,
        value: object = None,
        suggestion: str | None = None,
    ) -> None:
        super().__init__(f"{message}; {suggestion}" if suggestion else message)
        self.node_id = node_id
        self.field = field
        self.value = value
        self.suggestion = suggestion

    @classmethod
    def of(cls, problem: Problem) -> "GraphError":
        """The error that says what `problem` says, whose message holds its suggestion already."""
        error = cls(problem.message, node_id=problem.node_id, field=problem.field, value=problem.found)
        error.suggestion = problem.suggestion
        return error


class GraphValidationError(GraphError):
    """A graph cannot run; `problems` lists every reason found, the other attributes are those of the first."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        first = problems[0]
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        super().__init__(first.message + more, node_id=first.node_id, field=first.field, value=first.found)
        self.suggestion = first.suggestion
        self.problems = tuple(problems)


class WorkflowFormatError(GraphValidationError):
    """A document is no workflow that could be kept or run; `problems` lists every place of it that is wrong."""


class DuplicateNodeIdError(GraphError):
    """Two nodes have one id."""


class NodeAlreadyInGraphError(GraphError):
    """The node to be added is in the graph."""


class NodeNotFoundError(GraphError):
    """No node has that id."""


class NodeFieldNotFoundError(GraphError):
    """The node type has no such input or output."""


class NodeIdMismatchError(GraphError):
    """A node is kept under a key that is not its id."""


class InvalidEdgeError(GraphError):
    """An edge cannot be: its ends do not fit, or its input is taken."""


class CyclicalGraphError(GraphError):
    """The graph has a cycle; `cycle` names its nodes, the first again at the end."""

    def __init__(
        self,
        message: str,
        cycle: Sequence[str] = (),
        *,
        field: str | None = None,
        value: object = None,
        suggestion: str | None = None,
    ) -> None:
        super().__init__(message, node_id=cycle[0] if cycle else None, field=field, value=value, suggestion=suggestion)
        self.cycle = tuple(cycle)


class NodeInputError(GraphError):
    """A value does not fit the input it is meant for."""


class NodeAlreadyExecutedError(GraphError):
    """The node was prepared or has run, so it cannot be changed any more."""


class BatchError(CoreError, ValueError):
    """A batch's data does not fit its graph. `node_id` and `field` say which substitution."""

    def __init__(self, message: str, *, node_id: str | None = None, field: str | None = None) -> None:
        super().__init__(message)
        self.node_id = node_id
        self.field = field


class QueueError(CoreError):
    """The queue refuses."""


class QueueFullError(QueueError):
    """The batch does not fit; nothing of it was stored. `retry_after_s` is a guess at when it might."""

    def __init__(self, queue_id: str, size: int, limit: int, requested: int, retry_after_s: int = 30) -> None:
        more = f"queue {queue_id!r} holds {size} of at most {limit} waiting items; {requested} more do not fit. "
        if requested > limit:
            way_out = "They never will: send them as smaller batches, or raise `max_queue_size`"
        else:
            way_out = "Wait, or raise `max_queue_size`"
        super().__init__(more + way_out)
        self.queue_id = queue_id
        self.size = size
        self.limit = limit
        self.requested = requested
        self.retry_after_s = retry_after_s


class QueueItemNotFoundError(QueueError):
    """The queue has no such item."""

    def __init__(self, queue_id: str, item_id: int) -> None:
        super().__init__(f"queue {queue_id!r} has no item {item_id}")
        self.queue_id = queue_id
        self.item_id = item_id


class QueueItemStatusError(QueueError):
    """What was asked for cannot be done to an item that is in this status; nothing was done."""

    def __init__(self, queue_id: str, item_id: int, status: str, wanted: str) -> None:
        super().__init__(f"item {item_id} of queue {queue_id!r} is {status.replace('_', ' ')}; {wanted}")
        self.queue_id = queue_id
        self.item_id = item_id
        self.status = status


class BatchNotFoundError(QueueError):
    """The queue has no such batch."""

    def __init__(self, queue_id: str, batch_id: str) -> None:
        super().__init__(f"queue {queue_id!r} has no batch {batch_id!r}")
        self.queue_id = queue_id
        self.batch_id = batch_id


class IdempotencyKeyError(CoreError, ValueError):
    """An idempotency key was used for another request. `kind` is what is created with it."""

    def __init__(self, idempotency_key: str, kind: str) -> None:
        super().__init__(f"idempotency key {idempotency_key!r} was used for another {kind}; use a fresh one")
        self.idempotency_key = idempotency_key
        self.kind = kind


class CreationGoneError(CoreError):
    """A request is repeated, and what it created was deleted since. `created` names that, `kind` says what it is."""

    def __init__(self, idempotency_key: str, kind: str, created: str) -> None:
        super().__init__(
            f"the {kind} {created!r} that was created with idempotency key {idempotency_key!r} was deleted since; "
            f"use a fresh key to create it again"
        )
        self.idempotency_key = idempotency_key
        self.kind = kind
        self.created = created


class StorageError(CoreError):
    """The database or a file cannot be used."""


class StorageUnavailableError(StorageError):
    """Something cannot be read or written now, through no fault of who asked: the disk is full, a file is held or gone.

    `path` is what it is about, `reason` what the operating system or the database says.
    """

    #: When it may be worth asking again, in seconds.
    retry_after_s = 30

    def __init__(self, path: str, what: str, reason: str) -> None:
        super().__init__(f"{path} cannot be {what}: {reason}")
        self.path = path
        self.reason = reason


class DatabaseVersionError(StorageError):
    """The database was written by a newer version. `found` is its revision, `known` the newest this one knows."""

    def __init__(self, path: str, found: str, known: str) -> None:
        super().__init__(
            f"{path} was written by a newer Impasto (revision {found}; this one knows {known}). "
            f"Update Impasto, or start with another `root`"
        )
        self.path = path
        self.found = found
        self.known = known


class UnreadableImageError(StorageError):
    """Bytes that were given as an image are none."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"{problem}; PNG, JPEG and WebP are taken")
        self.problem = problem


class SecretError(CoreError):
    """A secret cannot be set. `name` is the secret's; `problem` what is wrong, without a word of the secret itself."""

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"secret {name!r}: {problem}")
        self.name = name
        self.problem = problem


class SecretFromEnvironmentError(SecretError):
    """A secret cannot be set or removed, because the environment holds it. `variable` is the variable's name."""

    def __init__(self, name: str, variable: str) -> None:
        super().__init__(
            name,
            f"the environment variable {variable} holds it, which goes before the file; change it there, or take it "
            f"out and start the server anew",
        )
        self.variable = variable


class SecretInDataError(CoreError, InvocationError):
    """A node was about to store bytes, a picture perhaps, that hold a secret. Nothing was stored."""

    def __init__(self) -> None:
        super().__init__(
            "what was to be stored holds a key of this server in its data, where whoever downloads it would find it, "
            "so it was not stored"
        )


class PluginError(CoreError):
    """A plugin cannot be used. `plugin` is its distribution."""

    def __init__(self, plugin: str, problem: str) -> None:
        super().__init__(f"plugin {plugin!r}: {problem}")
        self.plugin = plugin
        self.problem = problem


class ModelRegistryError(CoreError):
    """A model cannot be registered. `source` is the path or address."""

    def __init__(self, source: str, problem: str) -> None:
        super().__init__(f"{source}: {problem}")
        self.source = source
        self.problem = problem


class ExternalModelError(ModelRegistryError):
    """What was asked for makes no sense for a model of an external service. `source` is ``external://provider/model``."""


class SubscriptionEndedError(CoreError):
    """A subscription to events has ended and all of it was read.

    `reason` says why; `last_id` is what to come back with.
    """

    def __init__(self, reason: str, last_id: int) -> None:
        super().__init__(f"no more events after id {last_id}: {reason}")
        self.reason = reason
        self.last_id = last_id


class PanelNotFoundError(CoreError, NotFoundError):
    """No plugin in force offers that panel. `name` is what was asked for, `known` the panels there are."""

    kind = "panel"

    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__(name, f"there are {', '.join(known)}" if known else "no plugin in force offers any")
        self.known = tuple(known)


class ExternalProviderNotFoundError(CoreError, NotFoundError):
    """No plugin in force offers that external provider. `name` is what was asked for, `known` the ids there are."""

    kind = "external provider"

    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__(name, f"there are {', '.join(known)}" if known else "no plugin in force offers any")
        self.known = tuple(known)


class ProviderConfigError(CoreError, ValueError):
    """A key or an address of an external provider cannot be taken. `field` is ``api_key`` or ``base_url``.

    Neither message nor attributes repeat what was given: it may be the key, also in the wrong place.
    """

    def __init__(self, provider_id: str, field: str, problem: str) -> None:
        super().__init__(f"{provider_id}: {problem}")
        self.provider_id = provider_id
        self.field = field
        self.problem = problem


class NewAddressError(ProviderConfigError):
    """The key that is stored would go to another place than it was given for; nothing was changed."""


class WorkflowNotFoundError(CoreError, NotFoundError):
    """The library has no such workflow. `name` is the id that was asked for, `hint` what was probably meant."""

    kind = "workflow"


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


class ServerError(CoreError):
    """The server cannot start, or cannot be reached."""
