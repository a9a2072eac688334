"""`malformed`: how a document's wrong form is told, by whichever reader meets it."""

from impasto.errors import Problem

__all__ = ["malformed"]

#: A text that is quoted in a message is shortened to this length.
QUOTED_LENGTH = 80


def malformed(
    what: str, found: object, expected: str, *, node_id: str | None = None, field: str | None = None
) -> Problem:
    """The problem that `what` (a place in the document) must be something else than it is."""
    return Problem(
        "malformed",
        f"{what} must be {expected}; it is {_shown(found)}",
        node_id=node_id,
        field=field,
        found=found,
        expected=expected,
        suggestion=f"make it {expected}",
    )


def _shown(found: object) -> str:
    if found is None:
        return "missing"
    if not isinstance(found, str | int | float):
        return f"a {type(found).__name__}"
    text = repr(found)
    return text if len(text) <= QUOTED_LENGTH else f"{text[:QUOTED_LENGTH]}…"
