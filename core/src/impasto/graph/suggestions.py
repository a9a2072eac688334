"""`Suggester`: "did you mean" for names that do not exist.

Comparing words is far dearer than anything else in a check of a graph, so one check gives only so many suggestions;
a graph whose every node is wrong is told about every node, but not given a suggestion for each.
"""

from collections.abc import Collection
from difflib import get_close_matches

__all__ = ["Suggester", "say"]


def say(message: str, suggestion: str | None) -> str:
    """The message, with what to do at its end."""
    return f"{message}; {suggestion}" if suggestion else message


class Suggester:
    """Gives suggestions for the first misspelt names of one check."""

    #: How many different questions one check may ask.
    BUDGET = 25
    #: Choices beyond this many are not compared.
    MOST_CHOICES = 2000

    def __init__(self) -> None:
        # by name and by which choices; those are held, so that no others can come to bear their identity
        self._known: dict[tuple[str, int], tuple[Collection[str], str | None]] = {}

    def did_you_mean(self, name: str, choices: Collection[str]) -> str | None:
        """``did you mean 'width'?``, or None when nothing is near, or too much was asked already.

        `choices` must not change while the check lasts.
        """
        if len(choices) > self.MOST_CHOICES:
            return None
        question = (name, id(choices))
        if question not in self._known:
            if len(self._known) >= self.BUDGET:
                return None
            near = get_close_matches(name, choices, n=1, cutoff=0.6)
            self._known[question] = (choices, f"did you mean {near[0]!r}?" if near else None)
        return self._known[question][1]
