"""An error becomes one line, a line below it for each of several problems, and a status."""

import pytest

from impasto.cli.failures import (
    CommandError,
    ExitStatus,
    RequestRefusedError,
    RunFailedError,
    StoppedError,
    UsageError,
    lines_of,
    status_of,
)
from impasto.errors import ServerError, SettingsError
from impasto_sdk.errors import ImpastoError


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (CommandError("no"), 1),
        (RequestRefusedError(422, "no"), 1),
        (RunFailedError(3, "failed", "no"), 1),
        (SettingsError("port", ["no"]), 2),
        (UsageError("no"), 2),
        (ServerError("no"), 3),
        (StoppedError(), 130),
    ],
    ids=lambda value: type(value).__name__,
)
def test_each_error_has_its_status(error: ImpastoError, status: int) -> None:
    assert status_of(error) == ExitStatus(status)
    assert len(lines_of(error)) == 1


def test_several_problems_are_listed_with_their_places() -> None:
    error = RequestRefusedError(
        422,
        "add.a: missing (and 3 more)",
        title="Graph cannot run",
        errors=[
            {"message": "the input is missing", "node_id": "add", "field": "a"},
            {"message": "is above 500", "path": "/steps", "node_id": None},
            {"message": "add.b: is text", "node_id": "add", "field": "b"},
            {"message": "add (sum): 'c' is no input", "node_id": "add", "field": "c"},
            {"message": "the graph has a cycle"},
        ],
    )
    assert lines_of(error) == [
        "Graph cannot run, for 5 reasons:",
        "  add.a: the input is missing",
        "  /steps: is above 500",
        "  add.b: is text",
        "  add (sum): 'c' is no input",
        "  the graph has a cycle",
    ]


def test_a_single_problem_is_not_said_twice() -> None:
    assert lines_of(RequestRefusedError(422, "steps is above 500", errors=[{"message": "steps is above 500"}])) == [
        "steps is above 500"
    ]


def test_what_was_cancelled_is_named() -> None:
    assert lines_of(StoppedError([4, 5])) == ["stopped; cancelled queue item 4, 5"]
