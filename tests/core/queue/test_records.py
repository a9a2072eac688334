"""What clients send for the queue is read by the types that JSON knows."""

from typing import Any

import pytest
from pydantic import ValidationError
from support.batches import a_graph

from impasto.queue.records import Batch


@pytest.mark.parametrize("runs", [3, 3.0])
def test_a_whole_number_may_be_written_with_a_point(runs: float) -> None:
    batch = Batch(graph=a_graph(), runs=runs)

    assert type(batch.runs) is int
    assert batch.runs == 3


@pytest.mark.parametrize("runs", [3.5, True, "3", None, float("inf")])
def test_what_json_takes_for_no_integer_is_none(runs: Any) -> None:
    with pytest.raises(ValidationError, match="integer"):
        Batch(graph=a_graph(), runs=runs)
