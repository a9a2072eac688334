"""Model records and the identifiers that refer to them."""

import pytest
from pydantic import ValidationError

from impasto_sdk.ids import new_id
from impasto_sdk.models import DeviceInfo, ModelRecord, Precision

RECORD = ModelRecord(
    key="k",
    hash="h",
    path="/models/k",
    name="A model",
    base="sd-1",
    type="main",
    format="diffusers",
    facts={"supports": ["negative_prompt"], "name": "What clients are told"},
)


def test_a_record_gives_the_value_that_refers_to_it_or_to_a_part():
    whole, part = RECORD.identifier(), RECORD.identifier("unet")
    assert (whole.key, whole.hash, whole.name, whole.base, whole.type) == ("k", "h", "A model", "sd-1", "main")
    assert (whole.submodel_type, part.submodel_type) == (None, "unet")


def test_facts_are_the_records_own_and_the_published_ones_which_count_more():
    facts = RECORD.all_facts()
    assert (facts["base"], facts["supports"], facts["name"]) == ("sd-1", ["negative_prompt"], "What clients are told")


def test_where_weights_lie_on_the_server_is_no_fact_for_clients():
    assert "path" not in RECORD.all_facts()


def test_a_record_reads_what_other_versions_wrote_and_cannot_be_changed():
    record = ModelRecord.model_validate({**RECORD.model_dump(), "usage_info": "from elsewhere"})
    assert record == RECORD
    with pytest.raises(ValidationError, match="frozen"):
        record.name = "Another"


def test_a_device_on_the_cpu_runs_in_full_precision_unless_said_otherwise():
    device = DeviceInfo(name="cpu", kind="cpu")
    assert (device.precision, device.requested, device.notes) == (Precision.FLOAT32, "auto", ())


def test_ids_are_random_hexadecimal_digits():
    ids = {new_id() for _ in range(100)}
    assert len(ids) == 100
    assert all(len(made) == 32 and set(made) <= set("0123456789abcdef") for made in ids)
