"""Documents of strangers are read as every program reads them, or not at all."""

import json

import pytest

from impasto.storage.documents import MOST_LEVELS, read_foreign_document

WHOLE_NUMBER = 10**400


@pytest.mark.parametrize(
    "document",
    [None, "ein Bär 🐻", 2**64 - 1, WHOLE_NUMBER, 1.5e300, {"a": [{}, [], "\\ud800 as text"]}, [[]] * 1000],
)
def test_what_json_can_hold_comes_back(document: object) -> None:
    assert read_foreign_document(json.dumps(document).encode()) == document


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"{", "property name"),
        (b"NaN", "NaN"),
        (b'{"a": -Infinity}', "-Infinity"),
        (b'["\\uD800"]', "surrogate"),
        (b'["\\udc00\\ud800"]', "surrogate"),
        (b"[1e999]", "range"),
        (b"[-1E+400]", "range"),
        (b"1" * 400 + b".0", "range"),
        (b"1" * 5000, "range"),
        (b"\xff\xfe", "UTF-8"),
        (b"[" * 100_000, "in one another"),
    ],
)
def test_what_other_programs_do_not_read_is_no_json(text: bytes, said: str) -> None:
    with pytest.raises(json.JSONDecodeError, match=said):
        read_foreign_document(text)


def test_lists_and_objects_are_nested_to_a_bound() -> None:
    def nested(levels: int) -> bytes:
        return b'[{"a":' * (levels // 2) + b"1" + b"}]" * (levels // 2)

    assert read_foreign_document(nested(MOST_LEVELS))
    with pytest.raises(json.JSONDecodeError, match="in one another"):
        read_foreign_document(nested(MOST_LEVELS + 2))
