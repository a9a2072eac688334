"""Suggestions help with the first misspelt names, and cost nothing however many there are."""

from collections.abc import Iterator

from impasto.graph.suggestions import Suggester


class Choices(dict[str, int]):
    """Counts how often it is gone through."""

    walks = 0

    def __iter__(self) -> Iterator[str]:
        self.walks += 1
        return super().__iter__()


def test_what_is_near_is_suggested_and_what_is_not_is_not() -> None:
    suggester = Suggester()

    assert suggester.did_you_mean("widht", ["width", "height"]) == "did you mean 'width'?"
    assert suggester.did_you_mean("seed", ["width", "height"]) is None


def test_the_same_name_among_other_choices_is_another_question() -> None:
    suggester = Suggester()

    assert suggester.did_you_mean("widht", ["width"]) == "did you mean 'width'?"
    assert suggester.did_you_mean("widht", ["weight"]) == "did you mean 'weight'?"


def test_choices_are_gone_through_for_the_first_questions_only() -> None:
    suggester, choices = Suggester(), Choices(width=1, height=2)
    for number in range(1000):
        suggester.did_you_mean("widht", choices)
        suggester.did_you_mean(f"widht{number}", choices)

    assert choices.walks <= Suggester.BUDGET
    assert suggester.did_you_mean("widht", choices) == "did you mean 'width'?"
