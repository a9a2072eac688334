"""The errors of the sdk, as one tree, so that a caller can catch by intent.

::

    ImpastoError
    ├── DeclarationError            an author's mistake: a node, panel or hook is declared wrongly
    │   ├── NodeDeclarationError
    │   └── PanelDeclarationError
    ├── DraftError                  a graph draft is put together wrongly
    ├── PanelValuesError            the values of a panel do not make a graph; carries every problem
    ├── InvocationError             a node cannot do what it was asked; ends the session with its message
    │   ├── InvalidInputError       … because of the value of one of its fields
    │   ├── CanceledError           … because the session was cancelled; not a failure
    │   └── ProviderError           … because of an external image service
    │       ├── ProviderNotConfiguredError
    │       ├── ProviderCapabilityError
    │       ├── ProviderRequestError
    │       ├── ProviderRateLimitError
    │       ├── ProviderTimeoutError
    │       ├── ProviderContentRefusedError
    │       └── ProviderDownError
    ├── NotFoundError               something that was referred to does not exist
    │   ├── ImageNotFoundError
    │   ├── TensorNotFoundError
    │   ├── ModelNotFoundError
    │   └── SecretNotFoundError
    ├── ModelError                  weights exist but cannot be used
    │   ├── ModelLoadError
    │   └── NoLoaderError
    ├── DeviceError                 a device that was asked for is not there or is out of memory
    ├── ExtensionError              data on an edge for which no plugin offers an extension
    ├── ApiError                    a web app's call of the server's own API came to nothing
    │   ├── ApiRefusedError         … because the API answered with a problem
    │   └── ApiClosedError          … because the connection ended
    └── EnqueueRefusedError         raised by a `before_enqueue` hook: nothing is queued

Every error carries as attributes what its message names, so that a client never has to parse the text.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = [
    "ApiClosedError",
    "ApiError",
    "ApiRefusedError",
    "CanceledError",
    "DeclarationError",
    "DeviceError",
    "DraftError",
    "EnqueueRefusedError",
    "ExtensionError",
    "ImageNotFoundError",
    "ImpastoError",
    "InvalidInputError",
    "InvocationError",
    "ModelError",
    "ModelLoadError",
    "ModelNotFoundError",
    "NoLoaderError",
    "NodeDeclarationError",
    "NotFoundError",
    "PanelDeclarationError",
    "PanelProblem",
    "PanelValuesError",
    "ProviderCapabilityError",
    "ProviderContentRefusedError",
    "ProviderDownError",
    "ProviderError",
    "ProviderNotConfiguredError",
    "ProviderRateLimitError",
    "ProviderRequestError",
    "ProviderTimeoutError",
    "SecretNotFoundError",
    "TensorNotFoundError",
]


class ImpastoError(Exception):
    """Base of every error that Impasto or a plugin raises on purpose."""


class DeclarationError(ImpastoError):
    """Something a plugin declares is wrong; raised while the plugin loads, which sets the plugin aside."""


class NodeDeclarationError(DeclarationError):
    """A node class is declared wrongly. `name` is the class or node type."""

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"node {name!r}: {problem}")
        self.name = name
        self.problem = problem


class PanelDeclarationError(DeclarationError):
    """A panel or a part of one is declared wrongly. `panel` is its id (empty in a part), `path` field or section."""

    def __init__(self, panel: str, path: str, problem: str) -> None:
        where = f"panel {panel!r}, {path}" if panel and path else path or f"panel {panel!r}"
        super().__init__(f"{where}: {problem}")
        self.panel = panel
        self.path = path
        self.problem = problem


class DraftError(ImpastoError):
    """A graph draft is put together wrongly: an unknown node, a second use of an id, an unknown anchor."""


@dataclass(frozen=True, slots=True)
class PanelProblem:
    """One thing that is wrong with the values of a panel."""

    #: JSON Pointer (RFC 6901) into the values, e.g. ``/size/width`` or ``/lora.loras/0/model``.
    path: str
    #: What was found, what is allowed, and what to do.
    message: str
    #: A value that would be accepted, when one is obvious.
    fix: object = None


class PanelValuesError(ImpastoError):
    """The values of a panel do not make a graph. `problems` lists every reason found."""

    def __init__(self, panel: str, problems: Sequence[PanelProblem]) -> None:
        super().__init__(f"panel {panel!r}: " + "; ".join(f"{p.path}: {p.message}" for p in problems))
        self.panel = panel
        self.problems = tuple(problems)


class InvocationError(ImpastoError):
    """A node cannot do what it was asked. Its message is shown to the person who ran the graph."""


class InvalidInputError(InvocationError):
    """A field of the running node holds a value that it cannot work with.

    `field` is the input's name, `value` what it holds, `fix` a sentence on what would work.
    """

    def __init__(self, field: str, value: object, problem: str, fix: str = "") -> None:
        super().__init__(f"{field} = {value!r}: {problem}" + (f"; {fix}" if fix else ""))
        self.field = field
        self.value = value
        self.problem = problem
        self.fix = fix


class CanceledError(InvocationError):
    """The session was cancelled. Raised by `InvocationContext.raise_if_cancelled`; let it pass through."""

    def __init__(self, message: str = "the session was cancelled") -> None:
        super().__init__(message)


class NotFoundError(ImpastoError):
    """Something that was referred to does not exist. `name` is what was asked for."""

    #: What kind of thing is missing, for the message.
    kind = "object"

    def __init__(self, name: str, hint: str = "") -> None:
        super().__init__(f"no {self.kind} {name!r}" + (f": {hint}" if hint else ""))
        self.name = name
        self.hint = hint


class ImageNotFoundError(NotFoundError):
    """No image of that name is stored."""

    kind = "image"


class TensorNotFoundError(NotFoundError):
    """No tensor or conditioning of that name is stored; they go when their session is deleted."""

    kind = "tensor"


class ModelNotFoundError(NotFoundError):
    """No model record has that key."""

    kind = "model"


class SecretNotFoundError(NotFoundError):
    """The secret is not set, or the plugin did not declare that it needs it."""

    kind = "secret"


class ModelError(ImpastoError):
    """Weights exist but cannot be used."""


class ModelLoadError(ModelError):
    """Loading weights failed. `key` is the model record's key, `submodel` the part asked for."""

    def __init__(self, key: str, submodel: str | None, problem: str) -> None:
        super().__init__(f"model {key!r}" + (f", {submodel}" if submodel else "") + f": {problem}")
        self.key = key
        self.submodel = submodel
        self.problem = problem


class NoLoaderError(ModelError):
    """No installed plugin can load this model. `key`, `base`, `type` and `format` are the record's."""

    def __init__(self, key: str, base: str, type: str, format: str, submodel: str | None) -> None:
        part = f" (part {submodel!r})" if submodel else ""
        super().__init__(
            f"no plugin loads model {key!r}{part}: base {base!r}, type {type!r}, format {format!r}; "
            f"install a plugin that registers a loader for it"
        )
        self.key = key
        self.base = base
        self.type = type
        self.format = format
        self.submodel = submodel


class DeviceError(ImpastoError):
    """A device that was asked for is not there, or has no memory left. `device` is its name."""

    def __init__(self, device: str, problem: str) -> None:
        super().__init__(f"device {device!r}: {problem}")
        self.device = device
        self.problem = problem


class ExtensionError(ImpastoError):
    """Data arrived on an edge for which no installed plugin offers an extension. `field_type` is its class."""

    def __init__(self, field_type: str, known: Sequence[str]) -> None:
        super().__init__(
            f"no plugin offers a denoise extension for {field_type}; "
            f"installed plugins offer: {', '.join(known) or 'none'}"
        )
        self.field_type = field_type
        self.known = tuple(known)


class EnqueueRefusedError(ImpastoError):
    """Raise it in a `before_enqueue` hook to refuse a batch. `reason` is shown to the person who sent it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ProviderError(InvocationError):
    """An external image service. `provider` is its id, `problem` what happened, in words for the person who asked.

    `retryable`: whether the same request may be sent again: the service did not carry it out.
    """

    retryable = False

    def __init__(self, provider: str, problem: str) -> None:
        super().__init__(f"{provider}: {problem}")
        self.provider = provider
        self.problem = problem


class ProviderNotConfiguredError(ProviderError):
    """No key is set for the service."""


class ProviderCapabilityError(ProviderError):
    """The model cannot do what was asked; raised before any request is sent."""


class ProviderRequestError(ProviderError):
    """The service refused the request, or its answer makes no sense. `status` is the HTTP status, if there was one."""

    def __init__(self, provider: str, problem: str, status: int | None = None) -> None:
        super().__init__(provider, problem)
        self.status = status


class ProviderRateLimitError(ProviderError):
    """The service asks for fewer requests. `retry_after_s` is how long to wait, when it said so.

    Not `retryable` when waiting does not help, as when an account has no credit left.
    """

    def __init__(
        self, provider: str, problem: str, retry_after_s: float | None = None, *, retryable: bool = True
    ) -> None:
        super().__init__(provider, problem)
        self.retry_after_s = retry_after_s
        self.retryable = retryable


class ProviderTimeoutError(ProviderError):
    """The service did not answer in time. It may have done the work all the same, so it is not asked again."""


class ProviderContentRefusedError(ProviderError):
    """The service's safety rules refused the prompt or the picture."""


class ProviderDownError(ProviderError):
    """The service cannot be reached, or answers with a server error. `status` is the HTTP status, if there was one.

    `retry_after_s` is how long to wait, when it said so. Not `retryable` when it may have done the work, as when an
    answer breaks off.
    """

    def __init__(
        self,
        provider: str,
        problem: str,
        status: int | None = None,
        retry_after_s: float | None = None,
        *,
        retryable: bool = True,
    ) -> None:
        super().__init__(provider, problem)
        self.status = status
        self.retry_after_s = retry_after_s
        self.retryable = retryable


class ApiError(ImpastoError):
    """A web app called the API of the server that it runs in, in vain: see `impasto_sdk.asgi`."""


class ApiRefusedError(ApiError):
    """The API answered with a problem. `status` and `problem` (RFC 9457; at least ``detail``) are what it said.

    `retry_after_s`: when to ask again; None: it did not say.
    """

    def __init__(self, status: int, problem: Mapping[str, Any], *, retry_after_s: int | None = None) -> None:
        super().__init__(str(problem.get("detail") or f"the API answered {status}"))
        self.status = status
        self.problem = problem
        self.retry_after_s = retry_after_s

    @property
    def kind(self) -> str:
        """Stable name of the kind of problem, e.g. ``not-found``; empty when the API gave none."""
        return str(self.problem.get("type", "")).rpartition(":")[2]


class ApiClosedError(ApiError):
    """A connection to the API ended. `code` and `reason` are those of the WebSocket (RFC 6455)."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"the server closed the connection ({code}){': ' if reason else ''}{reason}")
        self.code = code
        self.reason = reason
