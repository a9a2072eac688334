"""The weighting syntax: what compel's users write, and what anybody may write by accident."""

import subprocess
import sys

import pytest

from impasto_sd.errors import PromptSyntaxError
from impasto_sd.prompts.syntax import Blend, Conjunction, Fragment, WeightedText, parse_prompt


def fragments(prompt: str) -> list[tuple[str, float]]:
    (part,) = parse_prompt(prompt).parts
    assert isinstance(part, WeightedText)
    return [(fragment.text, round(fragment.weight, 4)) for fragment in part.fragments]


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("a red ball", [("a red ball", 1)]),
        ("", [("", 1)]),
        ("a (red)1.3 ball", [("a", 1), ("red", 1.3), ("ball", 1)]),
        ("a (red).5 ball", [("a", 1), ("red", 0.5), ("ball", 1)]),
        ("a red++ ball", [("a", 1), ("red", 1.21), ("ball", 1)]),
        ("a red-- ball, blue", [("a", 1), ("red", 0.81), ("ball, blue", 1)]),
        ("a red+, ball", [("a", 1), ("red", 1.1), (", ball", 1)]),
        ('a "red ball"++ x', [("a", 1), ("red ball", 1.21), ("x", 1)]),
        ("(a (red)++ ball)1.2", [("a", 1.2), ("red", 1.452), ("ball", 1.2)]),
        ("((a))", [("a", 1)]),
        ("(((a)+)+)+", [("a", 1.331)]),
        ("(red)1.3, (blue)0.7", [("red", 1.3), (",", 1), ("blue", 0.7)]),
    ],
)
def test_weights_are_read_as_compel_reads_them(prompt: str, expected: list[tuple[str, float]]) -> None:
    assert fragments(prompt) == expected


@pytest.mark.parametrize(
    ("prompt", "text"),
    [
        ("a (red ball", "a (red ball"),
        ("a red) ball", "a red) ball"),
        ('5" nail', '5" nail'),
        ("well-known a - b", "well-known a - b"),
        ("e.g. 1.5", "e.g. 1.5"),
        (r"a \(smiling\) face", "a (smiling) face"),
        (r"red\+ ball", "red+ ball"),
        (r"a \"quoted\" word", 'a "quoted" word'),
        ("--", "--"),
    ],
)
def test_what_means_nothing_is_text(prompt: str, text: str) -> None:
    assert fragments(prompt) == [(text, 1)]


def test_a_blend_has_prompts_and_weights() -> None:
    (blend,) = parse_prompt('("a (red)1.2 ball", "a cube").blend(0.7, 0.3)').parts
    assert blend == Blend(
        (WeightedText((Fragment("a"), Fragment("red", 1.2), Fragment("ball"))), WeightedText((Fragment("a cube"),))),
        (0.7, 0.3),
        normalize=True,
    )


def test_a_blend_may_leave_its_weights_as_they_are() -> None:
    (blend,) = parse_prompt('("a", "b").blend(1, -1, no_normalize)').parts
    assert isinstance(blend, Blend)
    assert blend.weights == (1, -1)
    assert not blend.normalize


def test_commas_inside_quotes_do_not_part_the_prompts_of_a_list() -> None:
    (first, second) = parse_prompt('("a, b", "c (d, e)1.5").and()').parts
    assert first == WeightedText((Fragment("a, b"),))
    assert second == WeightedText((Fragment("c"), Fragment("d, e", 1.5)))


def test_parts_of_a_conjunction_weigh_one_unless_told_otherwise() -> None:
    assert parse_prompt('("a", "b").and()').weights == (1, 1)
    assert parse_prompt('("a", "b").and(1, 0.5)').weights == (1, 0.5)
    assert parse_prompt("a") == Conjunction((WeightedText((Fragment("a"),)),), (1.0,))


@pytest.mark.parametrize(
    ("prompt", "position", "words"),
    [
        ('("a", "b", "c").blend(1, 1)', 15, "3 prompts have 2 weights"),
        ('("a", "b").blend(1, much)', 10, "'much' is no weight"),
        ('("a", "b").blend(1, -1)', 10, "no_normalize"),
        ('x ("a", "b").blend(1, 1)', 12, "write the whole prompt"),
        ("(a cat).swap(a dog)", 7, "not supported"),
    ],
)
def test_a_call_that_cannot_be_read_says_where_and_why(prompt: str, position: int, words: str) -> None:
    with pytest.raises(PromptSyntaxError, match="at character") as caught:
        parse_prompt(prompt)
    assert caught.value.position == position
    assert caught.value.value == prompt
    assert words in str(caught.value)


def test_deep_nesting_is_read_at_all() -> None:
    # a parser that tries its alternatives one after another needs 4^n steps for n brackets
    assert fragments("(" * 5000 + "a" + ")+" * 5000)[0][0] == "a"
    assert fragments("(" * 5000 + "a")[0] == ("(" * 5000 + "a", 1)


def test_the_syntax_needs_no_torch() -> None:
    script = "import sys, impasto_sd.prompts.syntax; print('torch' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "False"
