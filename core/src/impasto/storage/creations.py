"""What idempotency keys have created: a repeated request is told what the first one made, and makes nothing.

The row is written in the transaction that creates the thing, so that no crash can come between the two; a cache of
answers in front of the routes could not promise that. Steps inside other stores' transactions: `remembered` (or
`created_before`) first, then the creation, then `remember`. Since there is one writer, the same request sent twice at
once creates one thing.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from sqlalchemy import Connection, bindparam, delete, insert, select

from impasto.errors import CreationGoneError, IdempotencyKeyError
from impasto.storage.documents import dump_document, load_document
from impasto.storage.tables import SYSTEM_USER, creations
from impasto.storage.timestamps import timestamp
from impasto_sdk.fields import JsonValue

__all__ = ["KEY_LIFETIME_S", "Created", "CreationKey", "created_before", "fingerprint_of", "remember", "remembered"]

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

#: How long an idempotency key is remembered, in seconds since its first use; those of batches at least as long.
KEY_LIFETIME_S = 24 * 3600.0

FIND_CREATION = select(creations.c.fingerprint, creations.c.created).where(
    creations.c.user_id == bindparam("user_id"),
    creations.c.kind == bindparam("kind"),
    creations.c.idempotency_key == bindparam("idempotency_key"),
    creations.c.created_at >= bindparam("since"),
)
ADD_CREATION = insert(creations)
FORGET_CREATIONS = delete(creations).where(creations.c.created_at < bindparam("before"))


@dataclass(frozen=True, slots=True)
class CreationKey:
    """The key that a request came with, and what tells it from others that came with the same one."""

    #: What is created, e.g. ``image``: keys of different kinds do not meet.
    kind: str
    #: As the client chose it.
    idempotency_key: str
    #: See `fingerprint_of`.
    fingerprint: str
    user_id: str = SYSTEM_USER


@dataclass(frozen=True, slots=True)
class Created(Generic[T_co]):
    """A thing that was created: by this call, or by an earlier one with the same idempotency key."""

    thing: T_co
    repeated: bool


def fingerprint_of(request: JsonValue) -> str:
    """A hash of all that was asked for; equal requests have equal ones. For bytes, put a hash of theirs into it."""
    return hashlib.blake2b(dump_document(request, sort_keys=True).encode(), digest_size=16).hexdigest()


def remembered(connection: Connection, key: CreationKey | None) -> JsonValue:
    """What was given to `remember` under this key within its lifetime; None when nothing was, or without a key.

    Raises `IdempotencyKeyError` when the key was used for another request.
    """
    if key is None:
        return None
    row = connection.execute(
        FIND_CREATION,
        {
            "user_id": key.user_id,
            "kind": key.kind,
            "idempotency_key": key.idempotency_key,
            "since": timestamp(plus_s=-KEY_LIFETIME_S),
        },
    ).one_or_none()
    if row is None:
        return None
    if row.fingerprint != key.fingerprint:
        raise IdempotencyKeyError(key.idempotency_key, key.kind)
    return load_document(row.created)


def created_before(
    connection: Connection, key: CreationKey | None, find: Callable[[Connection, str], T | None]
) -> Created[T] | None:
    """What an earlier request with this key created, as `find(connection, id)` finds it now; None as in `remembered`.

    For things that `remember` was given the id of. Raises `IdempotencyKeyError` when the key was used for another
    request, and `CreationGoneError` when the thing was deleted since.
    """
    created = remembered(connection, key)
    if key is None or created is None:
        return None
    thing = find(connection, created)
    if thing is None:
        raise CreationGoneError(key.idempotency_key, key.kind, created)
    return Created(thing, repeated=True)


def remember(connection: Connection, key: CreationKey | None, created: JsonValue) -> None:
    """Note in the transaction of a creation what leads to the thing, never null; nothing without a key.

    Keys whose time is over are forgotten on the way, so nobody has to clear up behind this.
    """
    if key is None:
        return
    moment = timestamp()
    connection.execute(FORGET_CREATIONS, {"before": timestamp(plus_s=-KEY_LIFETIME_S)})
    connection.execute(
        ADD_CREATION,
        {
            "user_id": key.user_id,
            "kind": key.kind,
            "idempotency_key": key.idempotency_key,
            "fingerprint": key.fingerprint,
            "created": dump_document(created),
            "created_at": moment,
        },
    )
