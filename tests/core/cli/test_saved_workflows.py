"""Saved workflows are named by id or by name."""

import pytest

from impasto.cli.failures import CommandError
from impasto.cli.saved_workflows import find_workflow

WORKFLOWS = [
    {"workflow_id": "w1", "name": "Upscale"},
    {"workflow_id": "w2", "name": "Sketch"},
    {"workflow_id": "w3", "name": "sketch"},
    {"workflow_id": "w4", "name": "w1"},
]


@pytest.mark.parametrize(("wanted", "found"), [("w2", "w2"), ("upscale", "w1"), ("w1", "w1")])
def test_a_workflow_is_found_by_its_id_and_else_by_its_name_in_any_case(wanted: str, found: str) -> None:
    assert find_workflow(WORKFLOWS, wanted)["workflow_id"] == found


def test_a_name_that_two_workflows_have_asks_for_an_id() -> None:
    with pytest.raises(CommandError, match="w2, w3"):
        find_workflow(WORKFLOWS, "SKETCH")


def test_an_unknown_workflow_is_answered_with_the_nearest_name_or_where_they_are_listed() -> None:
    with pytest.raises(CommandError, match="did you mean 'Upscale'"):
        find_workflow(WORKFLOWS, "Upscaler")
    with pytest.raises(CommandError, match="impasto workflow list"):
        find_workflow([], "Upscale")
