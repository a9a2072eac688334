"""`NodeContext`: the `InvocationContext` of one running node, put together from the worker's tools and its wire.

Parts are made when a node first asks for them, so a node that needs nothing costs nothing.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pydantic import BaseModel

from impasto.engine.access.extensions import RegisteredExtensions
from impasto.engine.access.files import WireConditioning, WireTensors
from impasto.engine.access.images import WireImages
from impasto.engine.access.logger import NodeLogger
from impasto.engine.access.models import WorkerModels
from impasto.engine.access.progress import NodeProgress, ProgressSender
from impasto.engine.access.providers import WireProviderAccess
from impasto.engine.access.secrets import WireSecrets
from impasto.engine.access.settings import PluginSettings
from impasto.engine.control import RunControl
from impasto.engine.wire import Wire
from impasto.models.cache import ModelCache
from impasto_sdk.context import InvocationIdentity
from impasto_sdk.errors import CanceledError
from impasto_sdk.extensions import DenoiseExtensionFactory
from impasto_sdk.fields import JsonValue
from impasto_sdk.models import DeviceInfo
from impasto_sdk.node import BaseInvocation

__all__ = ["NodeContext", "WorkerTools"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerTools:
    """What the contexts of one worker share, for as long as it lives."""

    wire: Wire
    device: DeviceInfo
    models: ModelCache
    progress: ProgressSender
    settings: PluginSettings
    extensions: Mapping[type[BaseModel], DenoiseExtensionFactory]


class NodeContext:
    """Everything one running node may touch. See `InvocationContext` for what each part promises."""

    def __init__(
        self,
        tools: WorkerTools,
        identity: InvocationIdentity,
        node: BaseInvocation,
        control: RunControl,
        *,
        plugin: str,
        metadata: Mapping[str, JsonValue],
    ) -> None:
        """`plugin` is the distribution the node comes from; `metadata` is the run's."""
        self._tools = tools
        self._node = node
        self._control = control
        self._plugin = plugin
        self._saved: list[str] = []
        self.identity = identity
        self.metadata = metadata
        #: Given by the generator, when there is something.
        self.earlier_items: Sequence[Any] = ()

    def take_images(self) -> list[str]:
        """Names of the images that the node has saved since this was last asked. For the runner, not for nodes."""
        taken = self._saved[:]
        del self._saved[: len(taken)]  # a thread of the node's own may be adding to it
        return taken

    def keep_images(self, names: Iterable[str]) -> None:
        """Count images that were taken as saved just now. For the runner."""
        self._saved += names

    @property
    def is_forked(self) -> bool:
        """Whether this process is a child that the node has forked. For the runner."""
        return self._tools.wire.disowned

    def flush_progress(self) -> None:
        """Send the last report, if one is kept. For the runner, which calls it on the node's thread."""
        if "progress" in self.__dict__:  # where nothing was ever reported, nothing is kept
            self.progress.flush()

    @cached_property
    def images(self) -> WireImages:
        """Load and save pictures."""
        return WireImages(self._tools.wire, self._node, self._saved)

    @cached_property
    def tensors(self) -> WireTensors:
        """Load and save tensors and latents."""
        return WireTensors(self._tools.wire)

    @cached_property
    def conditioning(self) -> WireConditioning:
        """Load and save encoded prompts."""
        return WireConditioning(self._tools.wire)

    @cached_property
    def models(self) -> WorkerModels:
        """Look up and load models."""
        return WorkerModels(self._tools.wire, self._tools.models)

    @cached_property
    def extensions(self) -> RegisteredExtensions:
        """Turn data on edges into extensions of the denoise loop."""
        return RegisteredExtensions(self._tools.extensions, self)

    @cached_property
    def progress(self) -> NodeProgress:
        """Report progress."""
        return self._tools.progress.of(self.identity.node_id)

    @property
    def cancelled(self) -> bool:
        """Whether the session was cancelled, or has failed elsewhere: whatever the node gives, it no longer counts."""
        return self._control.unwanted

    def raise_if_cancelled(self) -> None:
        """Raise `CanceledError` when the node is cancelled."""
        if self._control.unwanted:
            raise CanceledError

    @property
    def device(self) -> DeviceInfo:
        """The device this worker runs models on."""
        return self._tools.device

    @property
    def settings(self) -> PluginSettings:
        """Settings of plugins."""
        return self._tools.settings

    @cached_property
    def secrets(self) -> WireSecrets:
        """Secrets of the node's plugin."""
        return WireSecrets(self._tools.wire, self._plugin)

    def provider(self, provider_id: str) -> WireProviderAccess:
        """Access to an external service of the node's plugin."""
        return WireProviderAccess(self._tools.wire, self._plugin, provider_id)

    @cached_property
    def logger(self) -> logging.Logger:
        """A logger that adds the session and node to every line."""
        return NodeLogger(self.identity)
