"""`InvocationContext`: everything a running node may touch, and nothing else.

These are protocols: the worker gives nodes an implementation that talks to the server over its wire, tests give them
`impasto_sdk.testing.FakeContext`. Pictures are Pillow images; tensors travel as safetensors bytes, which
`impasto_sdk.torch` turns into tensors and back, so that neither the sdk nor the core needs torch.
"""

import logging
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict

from impasto_sdk.extensions import DenoiseExtension
from impasto_sdk.fields import (
    BoardField,
    ConditioningField,
    ImageField,
    ImageOutput,
    JsonValue,
    LatentsField,
    MetadataField,
    ModelIdentifierField,
    TensorField,
)
from impasto_sdk.models import DeviceInfo, ModelRecord
from impasto_sdk.usage import ProviderUsage

if TYPE_CHECKING:  # Pillow is needed by plugins that handle pictures, not by the sdk
    from PIL.Image import Image

__all__ = [
    "ConditioningAccess",
    "ExtensionAccess",
    "ImageAccess",
    "ImageRecord",
    "InvocationContext",
    "InvocationIdentity",
    "ModelAccess",
    "ProgressReporter",
    "ProviderAccess",
    "SecretAccess",
    "SettingsAccess",
    "TensorAccess",
]

ModelT = TypeVar("ModelT")
SettingsT = TypeVar("SettingsT", bound=BaseModel)


@dataclass(frozen=True, slots=True, kw_only=True)
class InvocationIdentity:
    """Which execution of which node of which run this is."""

    queue_id: str
    item_id: int
    batch_id: str
    session_id: str
    #: Id in the execution graph, with the iteration path, e.g. ``denoise[3,0]``.
    node_id: str
    #: Id in the graph as it was queued, e.g. ``denoise``.
    source_id: str
    node_type: str
    user_id: str = "system"


class ImageRecord(BaseModel):
    """What the library knows of a stored image."""

    model_config = ConfigDict(defer_build=True)

    image_name: str
    width: int
    height: int
    image_category: str = "general"
    is_intermediate: bool = False
    board_id: str | None = None
    metadata: dict[str, JsonValue] | None = None


class ImageAccess(Protocol):
    """The image library."""

    def load(self, image: ImageField, mode: str | None = None) -> "Image":
        """The picture; with `mode`, converted to that Pillow mode (``RGB``, ``RGBA``, ``L``).

        Raises `ImageNotFoundError`.
        """
        ...

    def save(
        self,
        image: "Image",
        *,
        category: str = "general",
        metadata: MetadataField | None = None,
        board: BoardField | None = None,
        is_intermediate: bool | None = None,
    ) -> ImageOutput:
        """Store a picture as PNG and give the output that refers to it.

        `category`: general, mask, control, user or other. `metadata`, `board` and `is_intermediate` default to the
        running node's own (its `metadata` and `board` inputs, its `is_intermediate`).
        """
        ...

    def load_bytes(self, image: ImageField) -> bytes:
        """The stored file, byte for byte. Raises `ImageNotFoundError`."""
        ...

    def save_bytes(
        self,
        data: bytes,
        *,
        category: str = "general",
        metadata: MetadataField | None = None,
        board: BoardField | None = None,
        is_intermediate: bool | None = None,
        embed: bool = True,
    ) -> ImageOutput:
        """Store an encoded picture (PNG, JPEG or WebP) as it is, with its own embedded data kept.

        `embed`: whether metadata, graph and workflow are written into a PNG, beside what it holds. Without it no byte
        is changed, so that a signature over the file stays good, and the library alone knows them.
        Raises `InvalidInputError` when the bytes are no picture.
        """
        ...

    def record(self, image: ImageField) -> ImageRecord:
        """Size, category and metadata without the pixels. Raises `ImageNotFoundError`."""
        ...


class TensorAccess(Protocol):
    """Tensors of this session, as safetensors bytes. Use `impasto_sdk.torch` for torch tensors."""

    def save(self, data: bytes) -> str:
        """Store bytes for the length of the session; gives the name for a `TensorField` or `LatentsField`."""
        ...

    def load(self, tensor: TensorField | LatentsField) -> bytes:
        """The stored bytes. Raises `TensorNotFoundError`."""
        ...


class ConditioningAccess(Protocol):
    """Encoded prompts of this session, as safetensors bytes."""

    def save(self, data: bytes) -> str:
        """Store bytes for the length of the session; gives the name for a `ConditioningField`."""
        ...

    def load(self, conditioning: ConditioningField) -> bytes:
        """The stored bytes. Raises `TensorNotFoundError`."""
        ...


class ModelAccess(Protocol):
    """Model records, and the worker's model cache."""

    def record(self, model: ModelIdentifierField) -> ModelRecord:
        """The record. Raises `ModelNotFoundError`."""
        ...

    def load(self, model: ModelIdentifierField, expected: type[ModelT]) -> AbstractContextManager[ModelT]:
        """Lock the model (the part its `submodel_type` names) on the worker's device while the block runs.

        ``with context.models.load(field, UNet2DConditionModel) as unet:``. A locked model is not moved or
        unloaded. Raises `ModelNotFoundError`, `NoLoaderError`, `ModelLoadError` (also when what was loaded is not an
        `expected`) or `DeviceError`.
        """
        ...

    def search(
        self, *, type: str | None = None, base: str | None = None, name: str | None = None
    ) -> Sequence[ModelRecord]:
        """The records that match all that is given, ordered by name."""
        ...


class ExtensionAccess(Protocol):
    """How data on an edge becomes behaviour of the denoise loop, whichever plugin owns it."""

    def denoise(self, data: Sequence[BaseModel]) -> list[DenoiseExtension[Any]]:
        """One extension for each value, made by the plugin that registered its class, in order of `order`.

        Raises `ExtensionError` for a value that no plugin knows.
        """
        ...


class ProgressReporter(Protocol):
    """Called by a node to say how far it is."""

    def __call__(self, fraction: float | None, message: str = "", preview: "Image | None" = None) -> None:
        """`fraction` 0 to 1, None when unknown. Cheap: reports that come too fast are dropped, the last one kept."""
        ...


class SettingsAccess(Protocol):
    """The settings that plugins registered."""

    def __call__(self, settings: type[SettingsT]) -> SettingsT:
        """The values in force for a class registered with `register_settings`. Raises `LookupError` otherwise."""
        ...


class SecretAccess(Protocol):
    """Secrets that the running node's plugin declared."""

    def get(self, name: str) -> str:
        """The secret. Raises `SecretNotFoundError` when it is not set or not declared by this plugin."""
        ...


class ProviderAccess(Protocol):
    """What an external service may be used with: the operator's key and address, a place, and a meter."""

    @property
    def api_key(self) -> str | None:
        """The key, as it is now; None: none is set. Nothing may keep it."""
        ...

    @property
    def base_url(self) -> str | None:
        """Where the operator says that the service is; None: at its usual address."""
        ...

    def begin(self) -> bool:
        """Take one of the places for requests that may be under way at once; False: none is free just now."""
        ...

    def end(self, usage: ProviderUsage) -> None:
        """Give the place back, and have counted what the request came to."""
        ...


class InvocationContext(Protocol):
    """Everything a running node may touch. Each execution of a node has one of its own."""

    @property
    def identity(self) -> InvocationIdentity:
        """Which execution this is."""
        ...

    @property
    def images(self) -> ImageAccess:
        """Load and save pictures."""
        ...

    @property
    def tensors(self) -> TensorAccess:
        """Load and save tensors and latents."""
        ...

    @property
    def conditioning(self) -> ConditioningAccess:
        """Load and save encoded prompts."""
        ...

    @property
    def models(self) -> ModelAccess:
        """Look up and load models."""
        ...

    @property
    def extensions(self) -> ExtensionAccess:
        """Turn data on edges into extensions of the denoise loop."""
        ...

    @property
    def progress(self) -> ProgressReporter:
        """Report progress: ``context.progress(0.5, "Step 10 of 20")``."""
        ...

    @property
    def cancelled(self) -> bool:
        """Whether the session was cancelled, or has failed at another node. A long node asks between its steps."""
        ...

    def raise_if_cancelled(self) -> None:
        """Raise `CanceledError` when the session was cancelled, or has failed at another node."""
        ...

    @property
    def device(self) -> DeviceInfo:
        """The device this worker runs models on."""
        ...

    @property
    def settings(self) -> SettingsAccess:
        """Settings of plugins: ``context.settings(MySettings).tile_size``."""
        ...

    @property
    def secrets(self) -> SecretAccess:
        """Secrets of the node's plugin."""
        ...

    def provider(self, provider_id: str) -> ProviderAccess:
        """Access to an external service of the node's plugin. Raises `SecretNotFoundError` for any other."""
        ...

    @property
    def earlier_items(self) -> Sequence[Any]:
        """What this execution has yielded already, in an attempt that was cut short; empty for a new one.

        The node is run from its beginning all the same, and what it yields first stands for these. One that pays for
        each of its items yields them again instead of asking anew.
        """
        ...

    @property
    def logger(self) -> logging.Logger:
        """A logger that adds the session and node to every line."""
        ...

    @property
    def metadata(self) -> Mapping[str, JsonValue]:
        """What will be kept with the images this run makes: panel values, when a panel built the graph."""
        ...
