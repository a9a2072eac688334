"""Model records, what identifies and loads weights, and the devices they run on.

A family of weights is an open string that plugins agree on (`base`, e.g. ``"sd-1"``); nothing here and nothing in
the core lists them. What a client needs to know of a model (sizes it likes, schedulers it takes) is published as
*facts* in its record, so that no one has to ask for a family.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol, runtime_checkable

from pydantic import BaseModel, ConfigDict, Field

from impasto_sdk.fields import JsonValue, ModelIdentifierField

__all__ = [
    "DeviceInfo",
    "LoadRequest",
    "LoadedModel",
    "ModelFormat",
    "ModelIdentification",
    "ModelLoader",
    "ModelRecord",
    "Precision",
    "StarterModel",
]


class Precision(StrEnum):
    """The number format that weights are run in."""

    FLOAT32 = "float32"
    FLOAT16 = "float16"
    BFLOAT16 = "bfloat16"


class DeviceInfo(BaseModel):
    """A device as a worker found it. What it fell back to, and why, is said in words."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    #: Name as torch writes it: ``cpu``, ``cuda:0``, ``mps``.
    name: str
    #: ``cpu``, ``cuda``, ``mps`` … without an index.
    kind: str
    #: What the maker calls it, e.g. ``NVIDIA H100 80GB``.
    description: str = ""
    #: Memory of the device in bytes; None when it cannot be told.
    memory_bytes: int | None = None
    #: Precision that weights run in on it.
    precision: Precision = Precision.FLOAT32
    #: What was asked for in the settings, e.g. ``auto``.
    requested: str = "auto"
    #: Sentences on what was found and what it fell back to, e.g. a missing CUDA driver.
    notes: tuple[str, ...] = ()


class ModelRecord(BaseModel):
    """What is known of weights on disk. Field names follow InvokeAI's model records."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    key: str = Field(description="Key of the record, unique and stable")
    hash: str = Field(description="Hash of the weights; a placeholder until they are hashed, never empty")
    path: str = Field(description="Absolute path of the file or folder")
    file_size: int = Field(default=0, ge=0, description="Bytes on disk")
    name: str = Field(description="Name shown to a person")
    description: str = Field(default="", description="A sentence about it")
    source: str = Field(default="", description="Where it came from: a path, an address or external://provider/model")
    source_type: str = Field(default="path", description="path, url, hf_repo_id or external")
    base: str = Field(description="Family of the weights, e.g. 'sd-1'")
    type: str = Field(description="What the weights are, e.g. 'main', 'vae', 'lora'")
    format: str = Field(description="How they lie on disk, e.g. 'diffusers', 'checkpoint'")
    variant: str | None = Field(default=None, description="e.g. 'normal' or 'inpaint'")
    prediction_type: str | None = Field(
        default=None, description="What the network predicts: epsilon, v_prediction, sample"
    )
    default_settings: dict[str, JsonValue] | None = Field(default=None, description="Settings its maker recommends")
    trigger_phrases: list[str] | None = Field(default=None, description="Words that call up what a LoRA learned")
    cover_image: str | None = Field(default=None, description="Address of a picture that stands for it")
    submodels: dict[str, JsonValue] | None = Field(default=None, description="Parts of it, by name")
    facts: dict[str, JsonValue] = Field(
        default_factory=dict, description="Facts for clients and panels: supports, size_step, native_size, defaults …"
    )

    def identifier(self, submodel_type: str | None = None) -> ModelIdentifierField:
        """The value that refers to this record on an edge, or to one part of it."""
        return ModelIdentifierField(
            key=self.key,
            hash=self.hash,
            name=self.name,
            base=self.base,
            type=self.type,
            submodel_type=submodel_type,
        )

    def all_facts(self) -> dict[str, JsonValue]:
        """What conditions and references of a panel may look at: `facts` and the record's own fields."""
        own = self.model_dump(mode="json", exclude={"facts", "path"})
        return {**own, **self.facts}


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFormat:
    """A way in which weights lie on disk, registered with `register_model_formats`."""

    #: Name as it stands in records, e.g. ``diffusers``.
    name: str
    #: Name shown to a person.
    title: str
    #: A sentence on what belongs to it.
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelIdentification:
    """An answer to `identify_model`: what the weights at a path are."""

    #: How sure, 0 to 1; the best answer of all plugins wins. 1: read from a configuration that says so.
    confidence: float
    base: str
    type: str
    format: str
    name: str | None = None
    description: str = ""
    variant: str | None = None
    prediction_type: str | None = None
    default_settings: Mapping[str, JsonValue] | None = None
    submodels: Mapping[str, JsonValue] | None = None
    #: Facts for clients and panels, see `ModelRecord.facts`.
    facts: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class StarterModel:
    """A model that a plugin offers to a new installation, registered with `register_starter_models`."""

    #: Stable id, unique among starter models, e.g. ``impasto-starter``.
    id: str
    name: str
    #: What it is good for, its size, its licence.
    description: str
    #: A local file or folder, or an address.
    source: str
    base: str
    type: str
    format: str
    #: Registered in place by the first start, with no question asked.
    install_at_first_start: bool = False


@runtime_checkable
class LoadedModel(Protocol):
    """Weights in memory, as the model cache sees them: a size, a place, and nothing of what they are."""

    @property
    def model(self) -> object:
        """What nodes work with, e.g. a ``UNet2DConditionModel``."""
        ...

    @property
    def size_bytes(self) -> int:
        """Bytes it takes, on whichever device it is."""
        ...

    @property
    def device(self) -> str:
        """Name of the device it is on now, e.g. ``cpu`` or ``cuda:0``."""
        ...

    def move_to(self, device: str) -> None:
        """Bring it to a device. Raises `DeviceError` when it does not fit; it is then where it was."""
        ...

    def release(self) -> None:
        """Let go of everything. Called once, when no lock is held; the object is not used again."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadRequest:
    """What a loader is asked for."""

    record: ModelRecord
    #: Part of the model, e.g. ``unet``; None: the whole.
    submodel: str | None
    #: Absolute path of the weights on this machine.
    path: Path
    #: Where the model is to run. A loader may leave it on the CPU: the cache moves it before use.
    device: str
    precision: Precision


@runtime_checkable
class ModelLoader(Protocol):
    """Turns a model record into a loaded model. Registered with `register_model_loaders`; runs in a worker.

    Construction must be cheap and import no heavy library: a loader is built when its plugin loads.
    """

    @property
    def name(self) -> str:
        """Unique among all plugins, e.g. ``sd.diffusers``."""
        ...

    def accepts(self, record: ModelRecord, submodel: str | None) -> bool:
        """Whether `load` can handle this record and part."""
        ...

    def load(self, request: LoadRequest) -> LoadedModel:
        """Load the weights. Raises `ModelLoadError`, saying which file and what is wrong with it."""
        ...
