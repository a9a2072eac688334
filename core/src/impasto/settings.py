"""`Settings`: everything an operator can choose, in one object that is passed by hand.

Values come, strongest first, from flags (given to `Settings.load`), the environment (``IMPASTO_PORT=9091``, with
``__`` between the parts of a nested name), ``impasto.yaml`` in the root folder, and the defaults below. The
descriptions are what ``impasto settings`` shows.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_origin

import yaml
from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings import SettingsError as UndecodableError

from impasto.errors import SettingsError
from impasto_sdk.fields import JsonValue

__all__ = ["SECRET_FILE", "SETTINGS_FILE", "Settings"]

#: Name of the settings file in the root folder.
SETTINGS_FILE = "impasto.yaml"
#: Name of the file of keys there, which is no part of the settings: those may be shown to anybody.
SECRET_FILE = "api_keys.yaml"  # noqa: S105 - a name, not a secret
#: Where a server keeps its data unless it is told otherwise, relative to the working folder.
DEFAULT_ROOT = Path("impasto-data")


class Settings(BaseSettings):
    """What an operator can choose."""

    model_config = SettingsConfigDict(
        env_prefix="IMPASTO_", env_nested_delimiter="__", extra="forbid", frozen=True, validate_default=True
    )

    root: Path = Field(DEFAULT_ROOT, description="Folder of the database, the images and the models")

    host: str = Field("127.0.0.1", description="Address the server listens on")
    port: int = Field(9090, ge=0, le=65535, description="Port the server listens on; 0: any free one")
    allow_origins: list[str] = Field(
        default_factory=list, description="Origins of other web pages that may call the API (CORS)"
    )

    devices: list[str] = Field(
        default_factory=lambda: ["auto"],
        description="Devices to run models on, one worker for each: auto, cpu, cuda, cuda:1, mps",
    )
    workers_per_device: int = Field(1, ge=1, le=64, description="Worker processes for each device")
    io_workers: int = Field(
        4,
        ge=0,
        le=64,
        description="Most worker processes without a device, for sessions that only wait for something outside, such "
        "as a paid service; each is started when it is first needed. 0: workers with a device run these sessions",
    )
    precision: Literal["auto", "float32", "float16", "bfloat16"] = Field(
        "auto", description="Number format of models; auto: float32 on a CPU, float16 or bfloat16 on a GPU"
    )
    model_cache_ram_bytes: int = Field(
        8 * 2**30, ge=0, description="Memory that models may take in each worker, in bytes; models in use always stay"
    )
    model_cache_device_bytes: int = Field(
        0, ge=0, description="Device memory that models may take, in bytes; 0: all but a reserve for the work itself"
    )
    invocation_cache_bytes: int = Field(
        64 * 2**20, ge=0, description="Memory for results of nodes in each worker, in bytes; 0: no cache"
    )

    cpu_lane: int | None = Field(
        None,
        ge=1,
        description="Nodes of one session that run on the CPU at once; null: as many as there are cores, at most 4",
    )
    io_lane: int = Field(16, ge=1, description="Nodes of one session that wait for something outside at once")
    provider_places: dict[str, Annotated[int, Field(ge=1)]] = Field(
        default_factory=dict,
        description="By id of an external provider, requests to it that may be under way at once, over all workers; "
        "others as their plugins say",
    )
    ready_order: list[str] = Field(
        default_factory=list,
        description="Node types that are run first where several may start, in this order; others follow by name",
    )
    class_caps: dict[str, Annotated[int, Field(ge=1)]] = Field(
        default_factory=dict,
        description="By node type, how many are run in a row at most while another type waits; others run to the last",
    )
    iteration_window: int = Field(
        16, ge=1, description="Iterations of one loop that are open at once; a wider window changes models less often"
    )

    max_queue_size: int = Field(10_000, ge=1, description="Most items that may wait in a queue")
    max_queue_history: int | None = Field(
        None, ge=0, description="Ended items that each queue keeps, the newest; null: all of them"
    )
    max_attempts: int = Field(
        2,
        ge=1,
        le=100,
        description="How often an item is tried when its worker is lost; counted anew whenever one more node finished",
    )
    affinity_window: int = Field(
        32, ge=1, description="How far down the queue a worker looks for an item whose models it holds; 1: never"
    )
    cancel_grace_s: float = Field(10.0, ge=0, description="Seconds a cancelled node has before its worker is ended")
    session_timeout_s: float | None = Field(
        None, gt=0, description="Seconds a session may run before it fails; null: as long as it takes"
    )
    drain_timeout_s: float = Field(
        10.0, ge=0, description="Seconds that nodes in hand have to finish when the server stops"
    )
    worker_start_timeout_s: float = Field(120.0, gt=0, description="Seconds a worker has to start")
    worker_memory_bytes: int = Field(
        0, ge=0, description="Memory a worker may take before it is ended, in bytes; 0: as much as there is"
    )

    progress_events_per_s: float = Field(10.0, gt=0, description="Most progress events a node sends in a second")
    previews: bool = Field(True, description="Whether progress events carry preview pictures")
    event_buffer: int = Field(1_000, ge=10, description="Most events that wait in memory for one slow client")
    event_retention_s: float = Field(
        24 * 3600.0, ge=0, description="Seconds that events are kept in the database for clients that come back"
    )
    min_free_disk_bytes: int = Field(
        256 * 2**20,
        ge=0,
        description="Space on the disk of the images below which the server says that it is not ready, in bytes",
    )
    max_upload_bytes: int = Field(64 * 2**20, ge=1, description="Largest image that may be uploaded, in bytes")
    max_graph_nodes: int = Field(100_000, ge=1, description="Most nodes that a graph may have")

    disabled_plugins: list[str] = Field(default_factory=list, description="Distributions that are not to be loaded")
    plugins: dict[str, dict[str, JsonValue]] = Field(
        default_factory=dict, description="Settings of plugins, by section"
    )

    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least level that is logged")
    log_format: Literal["text", "json"] = Field(
        "text", description="How log lines are written: for people, or one JSON object each"
    )

    @classmethod
    def load(cls, *, root: Path | None = None, flags: Mapping[str, object] | None = None) -> "Settings":
        """The settings in force. `root` and `flags` come from the command line and win over everything else.

        Raises `SettingsError`, naming every unusable setting with its value, and unknown names.
        """
        folder = root or Path(os.environ.get("IMPASTO_ROOT", DEFAULT_ROOT))
        path = folder / SETTINGS_FILE
        # the file travels through the constructor to its source below
        values: dict[str, Any] = {**(flags or {}), "root": folder.absolute(), "_yaml": _read_yaml(path)}
        try:
            return cls(**values)
        except ValidationError as error:
            raise SettingsError(str(path) if path.exists() else "settings", _explain(error)) from error
        except UndecodableError as error:
            raise SettingsError("environment", _undecodable(os.environ) or [str(error)]) from error

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags, then environment, then the file."""
        return (_Flags(settings_cls, init_settings), env_settings, _File(settings_cls, init_settings))

    @property
    def database_path(self) -> Path:
        """The SQLite file."""
        return self.root / "impasto.db"

    @property
    def secrets_path(self) -> Path:
        """The file of keys; see `impasto.storage.secret_file`."""
        return self.root / SECRET_FILE

    @property
    def images_folder(self) -> Path:
        """Where pictures and thumbnails lie."""
        return self.root / "images"

    @property
    def sessions_folder(self) -> Path:
        """Where tensors of sessions lie."""
        return self.root / "sessions"

    @property
    def models_folder(self) -> Path:
        """Where models that are installed (not registered in place) lie."""
        return self.root / "models"


class _Flags(PydanticBaseSettingsSource):
    """What was passed to the constructor, but for the file's contents."""

    def __init__(self, settings_cls: type[BaseSettings], init: PydanticBaseSettingsSource) -> None:
        super().__init__(settings_cls)
        self._values = {name: value for name, value in init().items() if name != "_yaml"}

    def get_field_value(self, field: object, field_name: str) -> tuple[object, str, bool]:
        return self._values.get(field_name), field_name, False

    def __call__(self) -> dict[str, object]:
        return self._values


class _File(_Flags):
    """The contents of ``impasto.yaml``."""

    def __init__(self, settings_cls: type[BaseSettings], init: PydanticBaseSettingsSource) -> None:
        super().__init__(settings_cls, init)
        self._values = dict(init().get("_yaml") or {})


def _read_yaml(path: Path) -> dict[str, object]:
    if not path.exists():
        return {}
    try:
        document = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise SettingsError(str(path), [f"cannot be read: {reason}"]) from error
    except yaml.YAMLError as error:
        # PyYAML's own words are a paragraph with an excerpt
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = getattr(error, "problem", None) or error
        raise SettingsError(str(path), [f"not YAML: {problem}{where}"]) from error
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise SettingsError(str(path), [f"must hold `name: value` lines, not a {type(document).__name__}"])
    if wrong := [name for name in document if not isinstance(name, str)]:
        raise SettingsError(str(path), [f"no setting is called {name!r}; names are texts" for name in wrong])
    return document


def _undecodable(environment: Mapping[str, str]) -> list[str]:
    """What is wrong with the variables for lists and mappings, which are written as JSON."""
    lines = []
    for name, field in Settings.model_fields.items():
        variable = f"IMPASTO_{name.upper()}"
        kind = get_origin(field.annotation)
        if kind not in (list, dict) or variable not in environment:
            continue
        example = '["…", "…"]' if kind is list else '{"…": …}'
        try:
            json.loads(environment[variable])
        except ValueError:
            lines.append(f"{variable} = {environment[variable]!r} is not JSON; write it as {example}")
    return lines


def _explain(error: ValidationError) -> list[str]:
    known = ", ".join(sorted(Settings.model_fields))
    lines = []
    for problem in error.errors(include_url=False):
        name = ".".join(str(part) for part in problem["loc"])
        if problem["type"] == "extra_forbidden":
            lines.append(f"no setting is called {name!r}; there are {known}")
        else:
            lines.append(f"{name} = {problem['input']!r}: {problem['msg']}")
    return lines
