"""Texts: joined, split, replaced."""

import pytest

from impasto_primitives.nodes.strings import StringJoin, StringJoinThree, StringReplace, StringSplit
from impasto_sdk.errors import InvalidInputError
from impasto_sdk.testing import run_node


def test_texts_are_joined_with_nothing_between_them():
    assert run_node(StringJoin(string_left="red", string_right=" star")).value == "red star"
    assert run_node(StringJoinThree(string_left="a ", string_middle="red ", string_right="star")).value == "a red star"


@pytest.mark.parametrize(
    ("string", "delimiter", "parts"),
    [
        ("a, b, c", ", ", ("a", "b, c")),
        ("no comma", ",", ("no comma", "")),
        ("red  star on blue", "", ("red", "star on blue")),
        ("", "", ("", "")),
    ],
)
def test_a_text_is_split_at_the_first_delimiter_or_else_at_white_space(string, delimiter, parts):
    output = run_node(StringSplit(string=string, delimiter=delimiter))
    assert (output.string_1, output.string_2) == parts


def replaced(string, search, replacement, use_regex=False):
    return run_node(
        StringReplace(string=string, search_string=search, replace_string=replacement, use_regex=use_regex)
    ).value


def test_a_plain_search_looks_past_upper_and_lower_case():
    assert replaced("Red star, red moon", "RED", "blue") == "blue star, blue moon"


def test_a_plain_search_takes_every_sign_for_itself():
    assert replaced("a.b (c)", ".", r"\1") == r"a\1b (c)"


def test_a_regular_expression_may_name_its_groups():
    assert replaced("star of red", r"(\w+) of (\w+)", r"\2 \1", use_regex=True) == "red star"


def test_an_empty_search_replaces_nothing():
    assert replaced("star", "", "x") == "star"


@pytest.mark.parametrize(
    ("search", "replacement", "field"),
    [("(", "", "search_string"), ("a", r"\2", "replace_string"), ("a", r"\g<name>", "replace_string")],
)
def test_a_broken_expression_names_the_input_to_mend(search, replacement, field):
    with pytest.raises(InvalidInputError) as caught:
        replaced("aa", search, replacement, use_regex=True)
    assert caught.value.field == field
