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

from impasto.errors.graph import (
    CyclicalGraphError,
    DuplicateNodeIdError,
    GraphError,
    GraphValidationError,
    InvalidEdgeError,
    NodeAlreadyExecutedError,
    NodeAlreadyInGraphError,
    NodeFieldNotFoundError,
    NodeIdMismatchError,
    NodeInputError,
    NodeNotFoundError,
    Problem,
    WorkflowFormatError,
)
from impasto.errors.plugins import (
    ExternalModelError,
    ExternalProviderNotFoundError,
    ModelRegistryError,
    NewAddressError,
    PanelNotFoundError,
    PluginError,
    ProviderConfigError,
    WorkflowNotFoundError,
)
from impasto.errors.queue import (
    BatchError,
    BatchNotFoundError,
    CreationGoneError,
    IdempotencyKeyError,
    QueueError,
    QueueFullError,
    QueueItemNotFoundError,
    QueueItemStatusError,
)
from impasto.errors.root import CoreError
from impasto.errors.secrets import SecretError, SecretFromEnvironmentError, SecretInDataError
from impasto.errors.server import ServerError, SettingsError, SubscriptionEndedError
from impasto.errors.storage import DatabaseVersionError, StorageError, StorageUnavailableError, UnreadableImageError
from impasto.errors.workers import MessageTooLargeError, NoDeviceError, SessionTimeoutError, WireError, WorkerError

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
