"""Model filters: which models a `Model` field may hold, by their facts and never by a list of names."""

from collections.abc import Iterator, Mapping

from impasto_sdk.fields import JsonValue
from impasto_sdk.panels.kinds import Model
from impasto_sdk.panels.reference import SameAs
from impasto_sdk.panels.scope import Scope, equal, is_empty

__all__ = ["candidates", "identifier", "unmet"]

#: The facts that make up a model's identifier, as values hold it.
IDENTIFIER = ("key", "hash", "name", "base", "type")


def unmet(field: Model, facts: Mapping[str, JsonValue], scope: Scope) -> list[str]:
    """Why a model with `facts` does not fit `field`, one sentence part for each fact; empty when it fits.

    A fact that is a list fits when it contains what is wanted. A tie to a field that is empty asks nothing.
    """
    reasons = []
    for name, wanted in (field.where or {}).items():
        tied = scope.same(wanted) if isinstance(wanted, SameAs) else wanted
        if isinstance(wanted, SameAs) and is_empty(tied):
            continue
        allowed = list(tied) if isinstance(tied, list | tuple) else [tied]
        found = facts.get(name)
        held = found if isinstance(found, list | tuple) else [found]
        if not any(equal(one, other) for one in held for other in allowed):
            reasons.append(f"its {name} is {found!r}, needed is {' or '.join(repr(one) for one in allowed)}")
    return reasons


def candidates(field: Model, scope: Scope) -> Iterator[dict[str, JsonValue]]:
    """The identifiers of the models that fit `field`, in the order of the world."""
    return (identifier(facts) for facts in scope.world.models.values() if not unmet(field, facts, scope))


def identifier(facts: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """A model's identifier, from its facts, as values hold it."""
    return {name: facts[name] for name in IDENTIFIER if name in facts}
