"""Metadata that says of each image what its own session ran with."""

from typing import Any

import pytest
from support.batches import a_batch, a_graph, values

from impasto.errors import BatchError
from impasto.queue.metadata_bindings import check_bindings, resolve_bindings
from impasto.queue.records import Batch, MetadataBinding


def binding(pointer: str, node_path: str = "first", field_name: str = "a") -> MetadataBinding:
    return MetadataBinding(pointer=pointer, node_path=node_path, field_name=field_name)


def bound(metadata: dict[str, Any], *pointers: str) -> dict[str, Any] | None:
    return resolve_bindings(metadata, [binding(pointer) for pointer in pointers], a_graph())


def test_a_value_of_the_graph_is_put_where_the_pointer_says() -> None:
    metadata = {"values": {"seed": 0, "size": [512, 512], "a/b": {"~": 0}}, "other": {"kept": True}}
    done = bound(metadata, "/values/seed", "/values/size/1", "/values/a~1b/~0", "/values/new")
    assert done == {
        "values": {"seed": 1, "size": [512, 1], "a/b": {"~": 1}, "new": 1},
        "other": {"kept": True},
    }
    assert metadata["values"] == {"seed": 0, "size": [512, 512], "a/b": {"~": 0}}


def test_no_metadata_stays_none() -> None:
    assert resolve_bindings(None, [], a_graph()) is None


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (binding("seed"), "begins with '/'"),
        (binding("/values/size/7"), "has 2 entries, none is numbered '7'"),
        (binding("/values/size/-1"), "none is numbered '-1'"),
        (binding("/nothing/seed"), "no 'nothing' to go into"),
        (binding("/values/seed/deeper"), "no 'deeper' to go into"),
        (binding("/values/seed", "third"), "third.a has no value"),
        (binding("/values/seed", "first", "c"), "first.c has no value"),
    ],
)
def test_a_binding_that_leads_nowhere_is_refused(bad: MetadataBinding, message: str) -> None:
    batch = a_batch(metadata={"values": {"seed": 0, "size": [1, 2]}}, metadata_bindings=[bad])
    with pytest.raises(BatchError, match=message) as caught:
        check_bindings(batch)
    assert (caught.value.node_id, caught.value.field) == (bad.node_path, bad.field_name)


def test_bindings_without_metadata_are_refused() -> None:
    with pytest.raises(BatchError, match="need metadata"):
        check_bindings(a_batch(metadata_bindings=[binding("/seed")]))


def test_an_input_that_only_the_data_sets_can_be_bound() -> None:
    batch: Batch = a_batch(
        [values("second", "seed", 1, 2)],
        metadata={"seed": None},
        metadata_bindings=[binding("/seed", "second", "seed")],
    )
    check_bindings(batch)
