"""`ModelRecords`: model records in the database. Each method is one transaction.

Called by `impasto.models.registry` only, which knows what may change and what happens to files; `tell` says, in the
transaction, which events what was written amounts to.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, insert, select, update

from impasto.storage.creations import Created, CreationKey, created_before, remember
from impasto.storage.database import Database
from impasto.storage.documents import dump_document, load_document
from impasto.storage.event_log import EventLog, tell_nothing
from impasto.storage.tables import SYSTEM_USER, models, offered_starters
from impasto.storage.timestamps import timestamp
from impasto_sdk.events import Event
from impasto_sdk.models import ModelRecord

__all__ = ["ExternalChanges", "ModelRecords"]

ADD_MODEL = insert(models)
FIND_MODEL = select(models.c.record).where(models.c.key == bindparam("key"))
FIND_MODEL_BY_PATH = select(models.c.record).where(models.c.path == bindparam("path"))
FIND_MODELS = select(models.c.record).order_by(models.c.name, models.c.key)
FIND_UNHASHED = FIND_MODELS.where(models.c.hash.startswith("pending:"))
UPDATE_MODEL = update(models).where(models.c.key == bindparam("b_key"))
FIND_OFFERED = select(offered_starters.c.id).where(offered_starters.c.id == bindparam("id"))
ADD_OFFERED = insert(offered_starters)
FORGET_OFFERED = delete(offered_starters)
DELETE_MODEL = delete(models).where(models.c.key == bindparam("key"))


@dataclass(slots=True)
class ExternalChanges:
    """What `ModelRecords.replace_external` did."""

    added: list[ModelRecord] = field(default_factory=list)
    updated: list[ModelRecord] = field(default_factory=list)
    deleted: list[ModelRecord] = field(default_factory=list)
    #: Not added, because another record has the key.
    clashing: list[ModelRecord] = field(default_factory=list)


class ModelRecords:
    """Model records, one row each."""

    def __init__(self, database: Database, log: EventLog) -> None:
        self._database = database
        self._log = log

    def add(
        self,
        record: ModelRecord,
        *,
        user_id: str = SYSTEM_USER,
        key: CreationKey | None = None,
        tell: Callable[[Created[ModelRecord]], Sequence[Event]] = tell_nothing,
    ) -> Created[ModelRecord]:
        """Store a record; the one that is there already when its key or path is taken.

        See `impasto.storage.creations.created_before` for the idempotency key, which is used up in either case.
        """

        def work(connection: Connection) -> Created[ModelRecord]:
            earlier = created_before(connection, key, _find)
            if earlier is not None:
                return earlier
            for statement, which in ((FIND_MODEL, {"key": record.key}), (FIND_MODEL_BY_PATH, {"path": record.path})):
                row = connection.execute(statement, which).one_or_none()
                if row is not None:
                    known = _record(row)
                    remember(connection, key, known.key)
                    return Created(known, repeated=False)
            moment = timestamp()
            row_of_it = {**_columns(record), "user_id": user_id, "created_at": moment, "updated_at": moment}
            connection.execute(ADD_MODEL, row_of_it)
            remember(connection, key, record.key)
            return Created(record, repeated=False)

        return self._log.write(work, tell)

    def created_before(self, key: CreationKey) -> Created[ModelRecord] | None:
        """The record that an idempotency key led to before; raises as `creations.created_before` does."""
        with self._database.read() as connection:
            return created_before(connection, key, _find)

    def find(self, key: str) -> ModelRecord | None:
        """The record of a key."""
        with self._database.read() as connection:
            return _find(connection, key)

    def find_by_path(self, path: str) -> ModelRecord | None:
        """The record of a file or folder."""
        with self._database.read() as connection:
            row = connection.execute(FIND_MODEL_BY_PATH, {"path": path}).one_or_none()
            return None if row is None else _record(row)

    def search(self, *, type: str | None = None, base: str | None = None, name: str | None = None) -> list[ModelRecord]:
        """The records that match all that is given, ordered by name."""
        given = {"type": type, "base": base, "name": name}
        statement = FIND_MODELS.where(
            *(models.c[column] == value for column, value in given.items() if value is not None)
        )
        with self._database.read() as connection:
            return [_record(row) for row in connection.execute(statement)]

    def unhashed(self) -> list[ModelRecord]:
        """The records whose hash is still a placeholder."""
        with self._database.read() as connection:
            return [_record(row) for row in connection.execute(FIND_UNHASHED)]

    def update(
        self,
        key: str,
        changes: Mapping[str, object],
        *,
        tell: Callable[[ModelRecord | None], Sequence[Event]] = tell_nothing,
    ) -> ModelRecord | None:
        """Change fields of a record; None when there is none of that key."""

        def work(connection: Connection) -> ModelRecord | None:
            record = _find(connection, key)
            if record is None:
                return None
            changed = ModelRecord.model_validate({**record.model_dump(), **changes})
            connection.execute(UPDATE_MODEL.values(**_columns(changed), updated_at=timestamp()), {"b_key": key})
            return changed

        return self._log.write(work, tell)

    def replace_external(
        self,
        prefix: str,
        records: Sequence[ModelRecord],
        renewed: Callable[[ModelRecord, ModelRecord], ModelRecord],
        *,
        tell: Callable[[ExternalChanges], Sequence[Event]] = tell_nothing,
    ) -> ExternalChanges:
        """Have the records whose path begins with `prefix` be these; their path is their source.

        One that is there already becomes what `renewed(it, the one given)` says. One that is not there is added, unless
        it was once and a person deleted it, which is forgotten with all others when none is given.
        """
        wanted = {record.key for record in records}

        def work(connection: Connection) -> ExternalChanges:
            changes = ExternalChanges()
            known = {record.key: record for record in _external(connection, prefix)}
            # first what goes: another may have its path
            for key in [key for key in known if key not in wanted]:
                connection.execute(DELETE_MODEL, {"key": key})
                connection.execute(FORGET_OFFERED.where(offered_starters.c.id == known[key].source))
                changes.deleted.append(known[key])
            for record in records:
                _keep(connection, record, known.pop(record.key, None), renewed, changes)
            if not records:
                connection.execute(FORGET_OFFERED.where(offered_starters.c.id.startswith(prefix, autoescape=True)))
            return changes

        return self._log.write(work, tell)

    def was_offered(self, starter_id: str) -> bool:
        """Whether a starter model was registered once."""
        with self._database.read() as connection:
            return connection.execute(FIND_OFFERED, {"id": starter_id}).one_or_none() is not None

    def note_offer(self, starter_id: str) -> None:
        """Remember that a starter model was registered."""
        self._database.write(
            lambda connection: connection.execute(ADD_OFFERED, {"id": starter_id, "offered_at": timestamp()})
        )

    def delete(
        self, key: str, *, tell: Callable[[ModelRecord | None], Sequence[Event]] = tell_nothing
    ) -> ModelRecord | None:
        """Remove a record; what it was, None when there is none."""

        def work(connection: Connection) -> ModelRecord | None:
            record = _find(connection, key)
            connection.execute(DELETE_MODEL, {"key": key})
            return record

        return self._log.write(work, tell)


def _find(connection: Connection, key: str) -> ModelRecord | None:
    row = connection.execute(FIND_MODEL, {"key": key}).one_or_none()
    return None if row is None else _record(row)


def _external(connection: Connection, prefix: str) -> list[ModelRecord]:
    statement = FIND_MODELS.where(models.c.path.startswith(prefix, autoescape=True))
    return [_record(row) for row in connection.execute(statement)]


def _keep(
    connection: Connection,
    record: ModelRecord,
    known: ModelRecord | None,
    renewed: Callable[[ModelRecord, ModelRecord], ModelRecord],
    changes: ExternalChanges,
) -> None:
    """One record of `replace_external`."""
    moment = timestamp()
    if known is not None:
        changed = renewed(known, record)
        if changed != known:
            connection.execute(UPDATE_MODEL.values(**_columns(changed), updated_at=moment), {"b_key": record.key})
            changes.updated.append(changed)
    elif connection.execute(FIND_MODEL, {"key": record.key}).one_or_none() is not None:
        changes.clashing.append(record)
    elif connection.execute(FIND_OFFERED, {"id": record.source}).one_or_none() is None:
        row = {**_columns(record), "user_id": SYSTEM_USER, "created_at": moment, "updated_at": moment}
        connection.execute(ADD_MODEL, row)
        connection.execute(ADD_OFFERED, {"id": record.source, "offered_at": moment})
        changes.added.append(record)


def _columns(record: ModelRecord) -> dict[str, str]:
    own = {name: getattr(record, name) for name in ("key", "path", "hash", "name", "base", "type")}
    return {**own, "record": dump_document(record.model_dump(mode="json"))}


def _record(row: Row[Any]) -> ModelRecord:
    return ModelRecord.model_validate(load_document(row.record))
