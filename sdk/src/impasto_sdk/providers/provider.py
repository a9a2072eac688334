"""`ExternalProvider`: one external image service, as a class of one plugin.

Beside its models and how a request is sent, a provider says nothing: keys, sizes, refusals, several requests side by
side, retries, cancelling, progress, storing and counting are the platform's (`ExternalImageGeneration`).
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from pydantic import BaseModel

from impasto_sdk.context import ProviderAccess
from impasto_sdk.errors import DeclarationError, ProviderNotConfiguredError
from impasto_sdk.providers.attempts import RetryPolicy
from impasto_sdk.providers.model import ExternalModel
from impasto_sdk.providers.request import ExternalGenerationRequest, ExternalGenerationResult

__all__ = ["ExternalProvider", "NoOptions", "PartialImage", "ProviderStatus"]

_PROVIDER_ID = re.compile(r"^[a-z][a-z0-9_]*$")

#: Told of a picture that is not finished yet: its encoded bytes, and how far it is, 0 to 1.
PartialImage = Callable[[bytes, float], None]


class NoOptions(BaseModel):
    """The options of a provider that has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderStatus:
    """Whether a provider can be used, and if not, why."""

    provider_id: str
    configured: bool
    message: str


class ExternalProvider(ABC):
    """An external image service. Its class is registered with `register_external_providers`.

    An instance is made for each use, in the server or in a worker; it holds what `access` gives and nothing else.
    """

    #: Lower-case letters, digits, underscores; unique among all plugins. Names the key (``openai_api_key``), the
    #: models (``external://openai/…``) and the routes.
    provider_id: ClassVar[str]
    #: Name shown to a person.
    title: ClassVar[str]
    #: Where the service is, unless the operator says otherwise.
    default_base_url: ClassVar[str]
    #: Where a person gets a key, in a sentence.
    key_help: ClassVar[str] = ""
    #: Requests that may be under way at once, over all workers.
    max_concurrent_requests: ClassVar[int] = 4
    #: Seconds that one request may take, with everything.
    timeout_s: ClassVar[float] = 300.0
    #: The provider's own options: pydantic fields, declared with `InputField`, that its node and its panel have too.
    options: ClassVar[type[BaseModel]] = NoOptions
    retry: ClassVar[RetryPolicy] = RetryPolicy()

    def __init_subclass__(cls, **kwargs: object) -> None:
        """Hold a class that names itself to what it must say. Raises `DeclarationError`."""
        super().__init_subclass__(**kwargs)
        if "provider_id" not in vars(cls):
            return  # something that several providers have in common
        if not _PROVIDER_ID.match(cls.provider_id):
            problem = f"provider_id {cls.provider_id!r} must be lower-case letters, digits and underscores"
            raise DeclarationError(f"provider {cls.__name__}: {problem}, e.g. 'my_service'")
        missing = [name for name in ("title", "default_base_url") if not getattr(cls, name, "")]
        if missing:
            raise DeclarationError(f"provider {cls.__name__}: {' and '.join(missing)} must be stated")

    def __init__(self, access: ProviderAccess) -> None:
        self._access = access

    @property
    def is_configured(self) -> bool:
        """Whether a key is set. Asks nobody."""
        return bool((self._access.api_key or "").strip())

    @property
    def api_key(self) -> str:
        """The key. Raises `ProviderNotConfiguredError`, also for one that no header can carry."""
        key = (self._access.api_key or "").strip()
        if not key:
            raise ProviderNotConfiguredError(self.provider_id, self.status().message)
        if not (key.isascii() and key.isprintable()):
            # said here, for whoever is given such a header repeats it
            problem = f"the API key of {self.title} has characters that no key has, a line break perhaps"
            raise ProviderNotConfiguredError(
                self.provider_id, f"{problem}; set it anew with `impasto providers set {self.provider_id}`"
            )
        return key

    @property
    def base_url(self) -> str:
        """Where the service is, without a slash at the end."""
        return (self._access.base_url or self.default_base_url).rstrip("/")

    def status(self) -> ProviderStatus:
        """Whether it can be used, as far as can be said without asking the service."""
        message = "a key is set"
        if not self.is_configured:
            message = (
                f"no API key is set for {self.title}; set one with `impasto providers set {self.provider_id}`"
                f"{'. ' + self.key_help if self.key_help else ''}"
            )
        return ProviderStatus(provider_id=self.provider_id, configured=self.is_configured, message=message)

    @classmethod
    @abstractmethod
    def models(cls) -> Sequence[ExternalModel]:
        """The models it offers."""

    @classmethod
    def refusals(cls, request: ExternalGenerationRequest) -> Iterable[str]:
        """What the service cannot do of a request that keeps to its model's capabilities, e.g. options that exclude
        each other: every reason, naming the option, its value and what would do. Asked before anything is sent.
        """
        del request
        return ()

    @abstractmethod
    async def generate(self, request: ExternalGenerationRequest, partial: PartialImage) -> ExternalGenerationResult:
        """Send one request and give what came back; once, for retries are the caller's.

        It is cancelled as asyncio cancels: let `CancelledError` pass. Raises a `ProviderError` that says what happened.
        """

    async def verify(self) -> None:
        """Ask the service whether it takes the key, in a way that costs nothing.

        Raises a `ProviderError` when it does not, or cannot be reached. A provider that leaves this out says that its
        key cannot be tested, with `NotImplementedError`.
        """
        raise NotImplementedError(f"{self.title} offers no way to test a key")
