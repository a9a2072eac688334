"""What idempotency keys have created: remembered with the thing or not at all, for a day, and for one request only."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from sqlalchemy import Connection, func, select, update

from impasto.errors import IdempotencyKeyError
from impasto.storage.creations import KEY_LIFETIME_S, CreationKey, fingerprint_of, remember, remembered
from impasto.storage.database import Database
from impasto.storage.tables import creations
from impasto.storage.timestamps import timestamp
from impasto_sdk.fields import JsonValue

MINUTE_S = 60.0


def key(name: str = "k", **parts: str) -> CreationKey:
    return CreationKey(**{"kind": "image", "fingerprint": "f", "idempotency_key": name, **parts})


def look(database: Database, which: CreationKey) -> JsonValue:
    with database.read() as connection:
        return remembered(connection, which)


def note(database: Database, which: CreationKey | None, created: JsonValue) -> None:
    database.write(lambda connection: remember(connection, which, created))


def age(database: Database, seconds: float) -> None:
    """Let all that is remembered have been created so long ago."""
    moment = timestamp(plus_s=-seconds)
    database.write(lambda connection: connection.execute(update(creations).values(created_at=moment)))


def count(database: Database) -> int:
    with database.read() as connection:
        return connection.execute(select(func.count()).select_from(creations)).scalar_one()


def test_what_a_key_created_is_given_back(database: Database) -> None:
    assert look(database, key()) is None

    note(database, key(), {"name": "ü", "ids": [1, 2]})

    assert look(database, key()) == {"name": "ü", "ids": [1, 2]}


def test_keys_of_other_kinds_people_and_names_do_not_meet(database: Database) -> None:
    note(database, key(), "first")

    for other in (key("l"), key(kind="workflow"), key(user_id="ann")):
        assert look(database, other) is None
        note(database, other, "second")
    assert look(database, key()) == "first"


def test_a_key_that_was_used_for_something_else_is_refused_by_name(database: Database) -> None:
    note(database, key("mine"), "first")

    with pytest.raises(
        IdempotencyKeyError, match="idempotency key 'mine' was used for another image; use a fresh one"
    ) as caught:
        look(database, key("mine", fingerprint="other"))
    assert (caught.value.idempotency_key, caught.value.kind) == ("mine", "image")


def test_without_a_key_nothing_is_remembered(database: Database) -> None:
    note(database, None, "anything")

    with database.read() as connection:
        assert remembered(connection, None) is None
    assert count(database) == 0


def test_a_creation_that_fails_is_not_remembered(database: Database) -> None:
    def work(connection: Connection) -> None:
        remember(connection, key(), "first")
        raise OverflowError

    with pytest.raises(OverflowError):
        database.write(work)
    assert look(database, key()) is None


def test_a_key_is_remembered_for_its_lifetime_and_no_longer(database: Database) -> None:
    note(database, key(), "first")

    age(database, KEY_LIFETIME_S - MINUTE_S)
    assert look(database, key()) == "first"
    age(database, KEY_LIFETIME_S + MINUTE_S)
    assert look(database, key()) is None
    note(database, key(), "second")
    assert look(database, key()) == "second"


def test_keys_whose_time_is_over_are_cleared_away_by_the_next_creation(database: Database) -> None:
    for number in range(5):
        note(database, key(str(number)), number)
    age(database, KEY_LIFETIME_S + MINUTE_S)
    assert count(database) == 5

    note(database, key("fresh"), "new")

    assert count(database) == 1


def test_the_moment_of_a_creation_is_that_of_its_first_request(database: Database) -> None:
    before = datetime.now(UTC)
    note(database, key(), "first")

    with database.read() as connection:
        written = connection.execute(select(creations.c.created_at)).scalar_one()
    assert before <= datetime.fromisoformat(written) <= datetime.now(UTC)


def test_the_same_request_sent_by_many_at_once_creates_one_thing(database: Database) -> None:
    at_once = threading.Barrier(8)
    made: list[int] = []

    def create(number: int) -> JsonValue:
        def work(connection: Connection) -> JsonValue:
            earlier = remembered(connection, key())
            if earlier is not None:
                return earlier
            made.append(number)
            remember(connection, key(), number)
            return number

        at_once.wait()
        return database.write(work)

    with ThreadPoolExecutor(8) as people:
        answers = list(people.map(create, range(8)))

    assert len(made) == 1
    assert answers == made * 8


def test_equal_requests_have_equal_fingerprints_and_others_do_not() -> None:
    assert fingerprint_of({"a": 1, "b": [None]}) == fingerprint_of({"b": [None], "a": 1})
    assert len({fingerprint_of(one) for one in ({"a": 1}, {"a": "1"}, {"a": None}, {}, [], "\ud800")}) == 6
