"""What server and worker say to each other: the kinds of messages, and the records that travel in them.

A worker greets (`HELLO`), is told its configuration (`WELCOME`), and says what it found (`READY`) or why it cannot run
(`UNUSABLE`). Then the server gives runs, one at a time (`JOURNAL`, where there is one, then `RUN`), and the worker
reports on each until it ends (`ENDED`).
"""

from collections.abc import Mapping
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from impasto_sdk.fields import JsonValue
from impasto_sdk.models import DeviceInfo

__all__ = [
    "PROTOCOL_VERSION",
    "CacheOrder",
    "CacheReport",
    "ModelReport",
    "Outcome",
    "Request",
    "RunEnding",
    "RunError",
    "RunOrder",
    "ToServer",
    "ToWorker",
    "WorkerConfig",
    "WorkerFacts",
    "item_key",
    "item_of",
    "node_title",
]

#: Raised whenever one side would misunderstand the other's messages.
PROTOCOL_VERSION = 4


class ToWorker(StrEnum):
    """Messages of the server that nobody answers."""

    #: Body: a `WorkerConfig`.
    WELCOME = "welcome"
    #: Body: ``{item_id, lines}``, some of what earlier attempts at an item wrote down: outputs of nodes by execution
    #: id, and ``{item, images}`` by `item_key`. As many messages as it takes, in order, before its `RUN`.
    JOURNAL = "journal"
    #: Body: a `RunOrder`. Sent only when the last one has ended.
    RUN = "run"
    #: Body: ``{item_id}``. The run is to end as soon as its nodes see it.
    CANCEL = "cancel"
    #: Body: ``{order}``, a `CacheOrder`. Carried out at once, also while nodes run.
    CACHE = "cache"
    #: Finish the nodes in hand, report the run as interrupted, then exit.
    STOP = "stop"


class ToServer(StrEnum):
    """Messages of a worker that nobody answers."""

    #: Body: ``{protocol, pid}``.
    HELLO = "hello"
    #: Body: a `WorkerFacts`.
    READY = "ready"
    #: Body: ``{reason}``. The worker exits after it.
    UNUSABLE = "unusable"
    #: No body: the worker is there, whatever its nodes do. Sent every `WorkerConfig.beat_s` seconds.
    BEAT = "beat"
    #: Body: ``{level, logger, created, message, exception, fields}``; `fields` are ids of what the line is about.
    LOG = "log"
    #: Body: ``{execution_id, source_id, invocation}``.
    STARTED = "started"
    #: Body: ``{execution_id, fraction, message, width, height}``; a preview as the only part.
    PROGRESS = "progress"
    #: Body: ``{execution_id, index, item, images}``: a generator's next item, from 0, and names of the images that it
    #: has saved for it.
    ITEM = "item"
    #: Body: ``{execution_id, output, cached, images, seconds}``: names of the images that it has saved since its last
    #: item, and how long it ran, null for what the scheduler works out.
    COMPLETED = "completed"
    #: Body: ``{phase, record, submodel, seconds}``, phase ``started``, or ``complete`` with the time that it took.
    MODEL_LOAD = "model_load"
    #: Body: a `CacheReport`. Sent before `ENDED` when it says something new.
    CACHE = "cache"
    #: Body: a `ModelReport`. Sent before `ENDED` when it says something new.
    MODELS = "models"
    #: Body: a `RunEnding`. The run will end so, whatever its other nodes do: they have been told, and are waited for.
    ENDING = "ending"
    #: Body: a `RunEnding`. No node is left in hand.
    ENDED = "ended"


class Request(StrEnum):
    """Messages of a worker that the server answers; see `SessionServer`."""

    IMAGE_LOAD = "images.load"
    IMAGE_SAVE = "images.save"
    IMAGE_RECORD = "images.record"
    #: Which of the things that a cached output refers to are still there.
    EXIST = "exist"
    FILE_SAVE = "files.save"
    FILE_LOAD = "files.load"
    #: Body: ``{plugin, name}``: a secret that the plugin declared, of whose nodes the session has one.
    SECRET = "secrets.get"  # noqa: S105 - a message, not a secret
    #: Body: ``{plugin, provider_id}``: key and address of a provider of that plugin, under the same rule.
    PROVIDER = "providers.access"
    #: Body: ``{plugin, provider_id}``: take a place among the requests that may be under way; answers ``{granted}``.
    PROVIDER_BEGIN = "providers.begin"
    #: Body: ``{plugin, provider_id, usage}``: give it back, and count what the request came to.
    PROVIDER_END = "providers.end"
    MODEL_RECORD = "models.record"
    MODEL_SEARCH = "models.search"


class Outcome(StrEnum):
    """How a run ended in the worker."""

    COMPLETED = "completed"
    FAILED = "failed"
    CANCELED = "canceled"
    #: The worker was told to stop; the run goes on elsewhere from its journal.
    INTERRUPTED = "interrupted"


class CacheOrder(StrEnum):
    """What the server may want of a worker's invocation cache."""

    CLEAR = "clear"
    ENABLE = "enable"
    DISABLE = "disable"


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class WorkerConfig(_Record):
    """What a worker is told of the operator's settings; see `Settings` for what they mean."""

    worker_id: str
    #: None: it has none, looks for none, and runs only sessions that need none.
    device: str | None
    precision: str
    model_cache_ram_bytes: int
    model_cache_device_bytes: int
    invocation_cache_bytes: int
    cpu_lane: int
    io_lane: int
    ready_order: list[str]
    class_caps: dict[str, int]
    iteration_window: int
    #: How often it says that it is there, in seconds.
    beat_s: float
    progress_events_per_s: float
    previews: bool
    disabled_plugins: list[str]
    plugins: dict[str, dict[str, JsonValue]]
    log_level: str


class WorkerFacts(_Record):
    """What a worker says of itself once it can run sessions."""

    #: None: it was told to have none.
    device: DeviceInfo | None
    #: Node types it can run.
    node_types: int


class CacheReport(_Record):
    """How a worker's invocation cache is doing; see `impasto.cache.CacheStats`."""

    hits: int
    misses: int
    entries: int
    bytes: int
    #: How often it was cleared, by which the server knows a report from before an order of its own.
    clears: int


class ModelReport(_Record):
    """What a worker's model cache holds and has done; see `impasto.models.cache.ModelCacheStats`."""

    #: Keys of the models that it holds, the most recently used first, at most 50.
    models: list[str]
    ram_bytes: int
    device_bytes: int
    hits: int
    misses: int


class RunOrder(_Record):
    """One session to run."""

    item_id: int
    queue_id: str
    batch_id: str
    session_id: str
    user_id: str
    graph: dict[str, JsonValue]
    metadata: dict[str, JsonValue]


class RunError(_Record):
    """Why a run failed."""

    #: The error's class.
    type: str
    #: For the person who ran the graph; an editor shows it at the node.
    message: str
    #: Empty when the node meant its message for that person.
    traceback: str = ""
    #: The node it happened in; None when the graph as a whole cannot run.
    execution_id: str | None = None
    source_id: str | None = None
    #: The node as a document.
    invocation: dict[str, JsonValue] | None = None

    @property
    def summary(self) -> str:
        """The message with the node before it: for those who see the run and not its nodes."""
        title = node_title(self.invocation) if self.invocation else ""
        return self.message if not title or self.message.startswith(title) else f"{title}: {self.message}"


#: Between the parts of a key in the journal; no node id holds it, for ids hold no control characters.
_SEPARATOR = "\x1f"


def item_key(execution_id: str, index: int) -> str:
    """The journal's key of one item of a generator; `index` from 0."""
    return f"{execution_id}{_SEPARATOR}{index}"


def item_of(key: str) -> tuple[str, int] | None:
    """What `item_key` made the key from; None for the key of an output."""
    execution_id, separator, index = key.rpartition(_SEPARATOR)
    return (execution_id, int(index)) if separator else None


def node_title(document: Mapping[str, JsonValue]) -> str:
    """How an execution of a node is named in messages, given its document: ``node 'd' (div)``."""
    return f"node {document['id']!r} ({document['type']})"


class RunEnding(_Record):
    """How a run ended."""

    item_id: int
    outcome: Outcome
    error: RunError | None = None
