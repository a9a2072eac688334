"""Which events a change of a model record amounts to. Pure; used by the registry only."""

from collections.abc import Callable, Sequence

from impasto.storage.creations import Created
from impasto.storage.model_records import ExternalChanges
from impasto_sdk.events import Event, ModelDeletedEvent, ModelInstallCompleteEvent, ModelUpdatedEvent
from impasto_sdk.models import ModelRecord
from impasto_sdk.providers import model_id_of

__all__ = ["deleted", "in_step", "of_adding", "updated"]


def of_adding(record: ModelRecord) -> Callable[[Created[ModelRecord]], Sequence[Event]]:
    """What is told when `record` was to be added: nothing, unless it is the one that is there now."""

    def tell(created: Created[ModelRecord]) -> Sequence[Event]:
        if created.thing is not record:
            return []
        return [
            ModelInstallCompleteEvent(
                source={"type": "local", "path": record.path, "inplace": True},
                key=record.key,
                total_bytes=record.file_size,
                config=record.model_dump(mode="json"),
            )
        ]

    return tell


def updated(record: ModelRecord | None) -> Sequence[Event]:
    """A record was changed, by a person or because its hash is known now; None: there was none."""
    return [] if record is None else [ModelUpdatedEvent(key=record.key, config=record.model_dump(mode="json"))]


def deleted(record: ModelRecord | None) -> Sequence[Event]:
    """A record was deleted; None: there was none."""
    return [] if record is None else [ModelDeletedEvent(key=record.key, config=record.model_dump(mode="json"))]


def in_step(provider_id: str, changes: ExternalChanges) -> Sequence[Event]:
    """The models of an external service came, changed or went."""
    installed = [
        ModelInstallCompleteEvent(
            source={
                "type": "external",
                "provider_id": provider_id,
                "provider_model_id": model_id_of(record.source, provider_id),
            },
            key=record.key,
            total_bytes=None,
            config=record.model_dump(mode="json"),
        )
        for record in changes.added
    ]
    changed = [event for record in changes.updated for event in updated(record)]
    return [*installed, *changed, *(event for record in changes.deleted for event in deleted(record))]
