"""Which models each session of a batch names, so that a worker that holds them may take it first.

Who enqueues finds them in the graph and in the values to put in, once for each; here they are put together for each
session, as the queue keeps them. Pure; used by the session queue.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product, repeat

from impasto.queue.expansion import count_sessions
from impasto.queue.records import Batch, BatchDatum

__all__ = ["SessionModels", "models_of_sessions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionModels:
    """Keys of models, by the input that names them: its node's id and its field."""

    #: What the graph names.
    written: Mapping[tuple[str, str], Collection[str]] = field(default_factory=dict)
    #: What the batch's data name instead, for each of an input's values.
    given: Mapping[tuple[str, str], Sequence[Collection[str]]] = field(default_factory=dict)


def models_of_sessions(batch: Batch, models: SessionModels) -> Iterable[str | None]:
    """The models of each session as the store keeps them (``,a,b,``; None for none), in the order of `expand`."""
    common = frozenset(key for place, keys in models.written.items() if place not in models.given for key in keys)
    if not models.given:
        return repeat(_text(common), count_sessions(batch))
    return _differing(batch, models, common)


def _differing(batch: Batch, models: SessionModels, common: frozenset[str]) -> Iterator[str | None]:
    texts: dict[frozenset[str], str | None] = {}
    groups = [_steps(group, models) for group in batch.data or () if group]
    for combination in product(*groups):
        keys = common.union(*combination)
        if keys not in texts:
            texts[keys] = _text(keys)
        for _ in range(batch.runs):
            yield texts[keys]


def _steps(group: Sequence[BatchDatum], models: SessionModels) -> list[frozenset[str]]:
    """The keys that each step of lists that go together brings."""
    places = [(datum.node_path, datum.field_name) for datum in group]
    given = [models.given[place] for place in places if place in models.given]
    if not given:
        return [frozenset()] * len(group[0].items)
    return [frozenset().union(*keys) for keys in zip(*given, strict=True)]


def _text(keys: Iterable[str]) -> str | None:
    ordered = sorted(keys)
    return f",{','.join(ordered)}," if ordered else None
