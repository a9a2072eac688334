"""The errors of impasto-sd.

::

    impasto_sdk.errors.InvalidInputError
    └── PromptSyntaxError           a prompt uses the weighting syntax in a way that means nothing

Everything else is raised as an error of the sdk.
"""

from impasto_sdk.errors import InvalidInputError

__all__ = ["PromptSyntaxError"]


class PromptSyntaxError(InvalidInputError):
    """A prompt uses the weighting syntax in a way that means nothing.

    `position` is the character at which it goes wrong, from 0.
    """

    def __init__(self, prompt: str, position: int, problem: str, fix: str = "") -> None:
        super().__init__("prompt", prompt, f"at character {position}, {problem}", fix)
        self.position = position
