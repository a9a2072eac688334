"""`ModelRegistry`: which models there are, what they are, and where they lie.

It asks plugins what weights are (`identify`) and knows no family of them itself. Models are registered where they lie
and never changed. Models of external services lie nowhere; they are here while their service has a key. It loads
nothing: that is the model cache, in the worker. Called by the application and, for nodes, by the engine.
"""

import logging
import shutil
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from impasto.errors import ExternalModelError, ModelRegistryError
from impasto.models import announcements
from impasto.models.hashing import PENDING, HashingStoppedError, hash_model, size_of_model
from impasto.models.new_record import new_record, place_of, placeholder, traits_of
from impasto.storage.creations import Created, CreationKey, fingerprint_of
from impasto.storage.model_records import ModelRecords
from impasto_sdk.errors import ModelNotFoundError
from impasto_sdk.events import Event
from impasto_sdk.models import ModelIdentification, ModelRecord, StarterModel
from impasto_sdk.providers import EXTERNAL_SCHEME, external_source

__all__ = ["CHANGEABLE", "CHANGEABLE_OF_EXTERNAL", "ModelRegistry"]

logger = logging.getLogger(__name__)

#: What a person may change of a record. Key, path, size and hash are facts of the weights.
CHANGEABLE = frozenset(
    {
        "name",
        "description",
        "source",
        "source_type",
        "base",
        "type",
        "format",
        "variant",
        "prediction_type",
        "default_settings",
        "trigger_phrases",
        "cover_image",
        "submodels",
        "facts",
    }
)
#: What a person may change of the record of a service's model; all else is its plugin's to say.
CHANGEABLE_OF_EXTERNAL = frozenset({"name", "description", "default_settings", "trigger_phrases", "cover_image"})


class ModelRegistry:
    """The models of a server. Every method may be called from any thread."""

    def __init__(
        self,
        records: ModelRecords,
        identify: Callable[[Path], ModelIdentification | None],
        *,
        models_folder: Path | None = None,
    ) -> None:
        """`models_folder`: what lies in it is ours, and is removed with its record."""
        self._records = records
        self._identify = identify
        self._models_folder = models_folder
        self._closing = threading.Event()
        self._hashing = ThreadPoolExecutor(1, thread_name_prefix="model-hashing")

    def close(self) -> None:
        """Stop hashing at once; what is not hashed is taken up by `resume_hashing`."""
        self._closing.set()
        self._hashing.shutdown(cancel_futures=True)

    def resume_hashing(self) -> None:
        """At start: hash, in the background, what an earlier run of the server did not come to."""
        for record in self._records.unhashed():
            self._hash_later(record)

    def get(self, key: str) -> ModelRecord:
        """The record of a key. Raises `ModelNotFoundError`."""
        record = self._records.find(key)
        if record is None:
            raise ModelNotFoundError(key, "it was deleted, or is registered on another server")
        return record

    def exists(self, key: str) -> bool:
        """Whether there is a record of a key."""
        return self._records.find(key) is not None

    def search(self, *, type: str | None = None, base: str | None = None, name: str | None = None) -> list[ModelRecord]:
        """The records that match all that is given, ordered by name."""
        return self._records.search(type=type, base=base, name=name)

    def register(
        self,
        path: Path,
        name: str | None = None,
        *,
        description: str | None = None,
        source: str | None = None,
        key: str | None = None,
    ) -> ModelRecord:
        """Register a file or folder of weights where it lies; one that is registered already is given as it is.

        Its hash is a placeholder at first, and is worked out in the background. Raises `ModelRegistryError` when there
        is nothing at `path`, or no plugin knows what it is.
        """
        path = place_of(path)
        known = self._records.find_by_path(str(path))
        if known is not None:
            return known
        found = self._identified(path)
        return self._add(new_record(path, found, name=name, description=description, source=source, key=key))

    def register_once(
        self,
        path: Path,
        name: str | None = None,
        *,
        description: str | None = None,
        idempotency_key: str | None = None,
        user_id: str = "system",
    ) -> Created[ModelRecord]:
        """`register`, but a key that led to a record before leads to it again, whatever has become of the weights.

        Raises also `IdempotencyKeyError` for a key that was used for another registration, and `CreationGoneError`
        when the record was deleted since.
        """
        if idempotency_key is None:
            return Created(self.register(path, name, description=description), repeated=False)
        fingerprint = fingerprint_of([str(path), name, description])
        key = CreationKey("model", idempotency_key, fingerprint, user_id)
        earlier = self._records.created_before(key)
        if earlier is not None:
            return earlier
        path = place_of(path)
        known = self._records.find_by_path(str(path))
        record = known or new_record(path, self._identified(path), name=name, description=description)
        created = self._records.add(record, user_id=user_id, key=key, tell=announcements.of_adding(record))
        if known is None:
            self._rehashed(created.thing)
        return created

    def register_starter(self, starter: StarterModel) -> ModelRecord:
        """Register a model that a plugin brings, under the plugin's own id for it.

        One that has moved, as a plugin does that was installed anew, is followed to its new place. Raises
        `ModelRegistryError` when its source is no file or folder of this machine.
        """
        path = place_of(Path(starter.source))
        known = self._records.find(starter.id)
        if known is not None and (known.path == str(path) or not path.exists()):
            return known
        if not path.exists():
            raise ModelRegistryError(starter.source, "there is no such file or folder; starter models are not fetched")
        if known is not None:
            moved = {"path": str(path), "file_size": size_of_model(path), "hash": placeholder()}
            return self._rehashed(self._changed(starter.id, moved))
        found = self._identify(path) or ModelIdentification(
            confidence=0.0, base=starter.base, type=starter.type, format=starter.format
        )
        return self._add(new_record(path, found, name=starter.name, description=starter.description, key=starter.id))

    def offer_starter(self, starter: StarterModel) -> ModelRecord | None:
        """`register_starter`, but None for one that was registered once and that a person has deleted since."""
        offered = self._records.was_offered(starter.id)
        if offered and self._records.find(starter.id) is None:
            return None
        record = self.register_starter(starter)
        if not offered:
            self._records.note_offer(starter.id)
        return record

    def update(self, key: str, changes: Mapping[str, object]) -> ModelRecord:
        """Change what a person may change of a record.

        Raises `ModelNotFoundError`, and `ModelRegistryError` for any other field or a value that does not fit.
        """
        external = _is_external(self.get(key))
        changeable = CHANGEABLE_OF_EXTERNAL if external else CHANGEABLE
        fixed = sorted(set(changes) - changeable)
        if fixed:
            refused = ExternalModelError if external else ModelRegistryError
            raise refused(key, f"{', '.join(fixed)} cannot be changed; {', '.join(sorted(changeable))} can")
        try:
            return self._changed(key, changes)
        except ValueError as error:  # pydantic's ValidationError, which names the field
            raise ModelRegistryError(key, str(error)) from error

    def reidentify(self, key: str) -> ModelRecord:
        """Ask the plugins anew what weights are, and have them hashed again; what a person says of them stays.

        Raises `ModelNotFoundError`, `ExternalModelError` for a model of a service, and `ModelRegistryError` when the
        weights are gone or no plugin knows what they are: the record is as it was then.
        """
        record = self.get(key)
        if _is_external(record):
            raise ExternalModelError(
                record.source,
                "a model of an external service has no weights that could be looked at; what is known of it is its "
                "plugin's to say, and is brought up to date whenever the server starts",
            )
        found = self._identified(Path(record.path))
        settings = record.default_settings
        if settings is None and found.default_settings is not None:
            settings = dict(found.default_settings)
        return self._rehashed(self._changed(key, {**traits_of(Path(record.path), found), "default_settings": settings}))

    def keep_in_step(self, provider_id: str, records: Sequence[ModelRecord], *, events: Sequence[Event] = ()) -> None:
        """Have the models of an external service be these, and no others; none while it has no key.

        What a person changed of one that stays is kept, and one that a person deleted does not come back before all of
        them have been gone. `events` are told after what becomes of the models.
        """
        changes = self._records.replace_external(
            external_source(provider_id, ""),
            records,
            _as_its_plugin_says,
            tell=lambda made: [*announcements.in_step(provider_id, made), *events],
        )
        for record in changes.clashing:
            logger.warning("%s is left out: another model has the key %r", record.source, record.key)

    def delete(self, key: str) -> None:
        """Forget a model. Its files go too when they lie in the models folder. Raises `ModelNotFoundError`."""
        record = self.get(key)
        self._records.delete(key, tell=announcements.deleted)
        path = Path(record.path)
        if _is_external(record) or not self._owns(path):
            return
        try:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        except OSError as error:
            raise ModelRegistryError(record.path, f"the record is gone, but its files stay: {error}") from error

    def _identified(self, path: Path) -> ModelIdentification:
        if not path.exists():
            raise ModelRegistryError(str(path), "there is no such file or folder")
        found = self._identify(path)
        if found is None:
            raise ModelRegistryError(str(path), "no installed plugin knows what this is; install one for its kind")
        return found

    def _add(self, record: ModelRecord) -> ModelRecord:
        return self._rehashed(self._records.add(record, tell=announcements.of_adding(record)).thing)

    def _changed(self, key: str, changes: Mapping[str, object]) -> ModelRecord:
        record = self._records.update(key, changes, tell=announcements.updated)
        if record is None:
            raise ModelNotFoundError(key, "it was deleted, or is registered on another server")
        return record

    def _rehashed(self, record: ModelRecord) -> ModelRecord:
        if record.hash.startswith(PENDING):
            self._hash_later(record)
        return record

    def _hash_later(self, record: ModelRecord) -> None:
        self._hashing.submit(self._hash, record)

    def _hash(self, record: ModelRecord) -> None:
        try:
            found = hash_model(Path(record.path), self._closing.is_set)
            self._records.update(record.key, {"hash": found}, tell=announcements.updated)
        except HashingStoppedError:
            return
        except OSError as error:  # it keeps its placeholder, and is tried again at the next start
            logger.warning("model %s cannot be hashed: %s", record.key, error)

    def _owns(self, path: Path) -> bool:
        """Whether a path lies in the models folder, wherever links lead."""
        if self._models_folder is None:
            return False
        return self._models_folder.resolve() in place_of(path).parents


def _is_external(record: ModelRecord) -> bool:
    # a record's path is the one thing that nobody can change
    return record.path.startswith(EXTERNAL_SCHEME)


def _as_its_plugin_says(known: ModelRecord, now: ModelRecord) -> ModelRecord:
    """The record of a service's model in which what a person may change is as it was."""
    return now.model_copy(update={name: getattr(known, name) for name in CHANGEABLE_OF_EXTERNAL})
