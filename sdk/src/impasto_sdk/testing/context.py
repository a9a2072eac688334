"""`FakeContext`: a complete `InvocationContext` in memory, for testing nodes without a server."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from impasto_sdk.context import InvocationIdentity
from impasto_sdk.errors import CanceledError
from impasto_sdk.fields import JsonValue
from impasto_sdk.models import DeviceInfo
from impasto_sdk.node import BaseInvocation
from impasto_sdk.testing.blobs import FakeConditioning, FakeTensors
from impasto_sdk.testing.extensions import FakeExtensions
from impasto_sdk.testing.images import FakeImages
from impasto_sdk.testing.models import FakeModels
from impasto_sdk.testing.progress import FakeProgress
from impasto_sdk.testing.providers import FakeProviderAccess, FakeProviders
from impasto_sdk.testing.settings import FakeSecrets, FakeSettings

__all__ = ["FakeContext"]


class FakeContext:
    """Everything a node may touch, in memory. Fill it before the run, look into it after.

    ``context.images.add(picture)``, ``context.models.add(record, model)``, ``context.settings.add(values)``,
    ``context.secrets.add(name, secret)``, ``context.providers.add(id, api_key=…)``,
    ``context.extensions.add(factory)``; then ``context.images.saved``,
    ``context.tensors.saved``, ``context.progress.reports``. `cancel` and `cancel_after` play the person who gives up.
    """

    def __init__(self, *, device: DeviceInfo | None = None, metadata: Mapping[str, JsonValue] | None = None) -> None:
        self.device = device or DeviceInfo(name="cpu", kind="cpu", description="no device: a test runs here")
        self.metadata: Mapping[str, JsonValue] = dict(metadata or {})
        self.images = FakeImages()
        self.tensors = FakeTensors()
        self.conditioning = FakeConditioning()
        self.models = FakeModels()
        self.extensions = FakeExtensions(self)
        self.settings = FakeSettings()
        self.secrets = FakeSecrets()
        self.providers = FakeProviders()
        #: What an attempt that was cut short has yielded.
        self.earlier_items: Sequence[Any] = ()
        self.progress = FakeProgress(self._count_report)
        self.logger = logging.getLogger("impasto.testing")
        self.identity = _identity("node", "node")
        self._cancelled = False
        self._cancel_after: int | None = None

    @property
    def cancelled(self) -> bool:
        """Whether `cancel` was called, or enough progress was reported after `cancel_after`."""
        return self._cancelled

    def cancel(self) -> None:
        """Cancel the session, now."""
        self._cancelled = True

    def cancel_after(self, reports: int) -> None:
        """Cancel the session once the node has reported progress so many times."""
        self._cancel_after = reports

    def raise_if_cancelled(self) -> None:
        """Raise `CanceledError` when the session was cancelled."""
        if self._cancelled:
            raise CanceledError

    def provider(self, provider_id: str) -> FakeProviderAccess:
        """What `providers` holds for a service. Raises `SecretNotFoundError` when it was not added."""
        return self.providers(provider_id)

    def bind(self, node: BaseInvocation) -> None:
        """Make `node` the running one: its id is the identity's, what it saves takes its metadata and board.

        `run_node` calls it.
        """
        self.images.node = node
        self.identity = _identity(node.id or "node", node.spec.type)

    def _count_report(self, reports: int) -> None:
        if self._cancel_after is not None and reports >= self._cancel_after:
            self._cancelled = True


def _identity(node_id: str, node_type: str) -> InvocationIdentity:
    return InvocationIdentity(
        queue_id="default",
        item_id=1,
        batch_id="batch",
        session_id="session",
        node_id=node_id,
        source_id=node_id.split("[")[0],
        node_type=node_type,
    )
