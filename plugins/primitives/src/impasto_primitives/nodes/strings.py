"""Texts: joined, split, and with parts replaced."""

import re

from impasto_sdk.context import InvocationContext
from impasto_sdk.errors import InvalidInputError
from impasto_sdk.fields import (
    BaseInvocationOutput,
    InputField,
    OutputField,
    StringOutput,
    UIComponent,
    invocation_output,
)
from impasto_sdk.node import BaseInvocation, invocation

__all__ = ["StringJoin", "StringJoinThree", "StringReplace", "StringSplit", "TwoStringsOutput"]


@invocation_output("string_2_output")
class TwoStringsOutput(BaseInvocationOutput):
    """Two texts."""

    string_1: str = OutputField(description="The first text")
    string_2: str = OutputField(description="The second text")


@invocation("string_join", title="String Join", category="strings", tags=["string", "join"], version="1.0.1")
class StringJoin(BaseInvocation):
    """Put two texts together, with nothing between them."""

    string_left: str = InputField("", description="The first text", ui_component=UIComponent.TEXTAREA)
    string_right: str = InputField("", description="The second text", ui_component=UIComponent.TEXTAREA)

    def invoke(self, context: InvocationContext) -> StringOutput:
        """Left and right as one text."""
        return StringOutput(value=self.string_left + self.string_right)


@invocation(
    "string_join_three", title="String Join Three", category="strings", tags=["string", "join"], version="1.0.1"
)
class StringJoinThree(BaseInvocation):
    """Put three texts together, with nothing between them."""

    string_left: str = InputField("", description="The first text", ui_component=UIComponent.TEXTAREA)
    string_middle: str = InputField("", description="The second text", ui_component=UIComponent.TEXTAREA)
    string_right: str = InputField("", description="The third text", ui_component=UIComponent.TEXTAREA)

    def invoke(self, context: InvocationContext) -> StringOutput:
        """Left, middle and right as one text."""
        return StringOutput(value=self.string_left + self.string_middle + self.string_right)


@invocation(
    "string_replace", title="String Replace", category="strings", tags=["string", "replace", "regex"], version="1.0.1"
)
class StringReplace(BaseInvocation):
    """Replace every place where a text, or a regular expression, occurs.

    A plain search looks past upper and lower case, and its replacement is taken letter by letter. With `use_regex` both
    follow Python's regular expressions: case counts, and the replacement may name groups.
    """

    string: str = InputField("", description="The text to work on", ui_component=UIComponent.TEXTAREA)
    search_string: str = InputField(
        "", description="What to look for; nothing is replaced when it is empty", ui_component=UIComponent.TEXTAREA
    )
    replace_string: str = InputField("", description="What to put in its place", ui_component=UIComponent.TEXTAREA)
    use_regex: bool = InputField(False, description="Whether the search is a regular expression")

    def invoke(self, context: InvocationContext) -> StringOutput:
        """The text with its replacements. Raises `InvalidInputError` for an expression that is none."""
        if not self.search_string:
            return StringOutput(value=self.string)
        if not self.use_regex:
            plain = re.compile(re.escape(self.search_string), re.IGNORECASE)
            return StringOutput(value=plain.sub(lambda found: self.replace_string, self.string))
        try:
            pattern = re.compile(self.search_string)
        except re.error as error:
            raise InvalidInputError(
                "search_string", self.search_string, f"is no regular expression: {error}", "mend it or unset use_regex"
            ) from error
        try:
            return StringOutput(value=pattern.sub(self.replace_string, self.string))
        except (re.error, IndexError) as error:  # IndexError: a group called by a name that the expression lacks
            raise InvalidInputError(
                "replace_string", self.replace_string, f"does not fit the expression: {error}", "name groups it has"
            ) from error


@invocation("string_split", title="String Split", category="strings", tags=["string", "split"], version="1.0.1")
class StringSplit(BaseInvocation):
    """Split a text in two where a delimiter first occurs; the delimiter itself is dropped."""

    string: str = InputField("", description="The text to split", ui_component=UIComponent.TEXTAREA)
    delimiter: str = InputField("", description="Where to split; empty: at the first white space")

    def invoke(self, context: InvocationContext) -> TwoStringsOutput:
        """What stands before and after; the second text is empty when the delimiter does not occur."""
        if self.delimiter:
            before, _, after = self.string.partition(self.delimiter)
        else:
            before, after = [*re.split(r"\s+", self.string, maxsplit=1), ""][:2]
        return TwoStringsOutput(string_1=before, string_2=after)
