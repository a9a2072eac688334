"""What a client may say over the WebSocket of events: which ones it wants from now on. Pure; used by the route.

One JSON object in a text frame, with one key::

    {"subscribe": {"queue_id": "default", "item_id": [7, 8], "batch_id": "b", "events": ["invocation_complete"]}}
    {"subscribe_queue": {"queue_id": "default"}}
    {"unsubscribe_queue": {"queue_id": "default"}}

`subscribe` says all anew: what it leaves out does not matter any more. The other two are InvokeAI's words, and change
the queues only.
"""

from collections.abc import Callable
from dataclasses import replace

from impasto.api.event_filter import EventFilter
from impasto.storage.documents import read_foreign_document
from impasto_sdk.fields import JsonValue

__all__ = ["changed_filter"]

#: Most queues, items, batches or names that one client may list.
MOST_VALUES = 1_000
_EXAMPLE = '{"subscribe": {"queue_id": "default"}}'


def changed_filter(current: EventFilter, text: str) -> EventFilter:
    """The filter that a client asks for. Raises `ValueError` saying what is wrong and what is expected."""
    try:
        request = read_foreign_document(text.encode("utf-8", "surrogatepass"))
    except ValueError as error:
        raise ValueError(f"the frame is no JSON ({error}); send e.g. {_EXAMPLE}") from error
    if not isinstance(request, dict) or len(request) != 1:
        raise ValueError(f"a frame is an object with one key, the request: e.g. {_EXAMPLE}")
    [(name, asked)] = request.items()
    answer = _REQUESTS.get(name)
    if answer is None:
        raise ValueError(f"there is no request {name!r}; there are {', '.join(_REQUESTS)}")
    if not isinstance(asked, dict):
        raise ValueError(f"{name}: expected an object, e.g. {_EXAMPLE}, not {_shown(asked)}")
    return answer(current, asked)


def _subscribe(current: EventFilter, asked: dict[str, JsonValue]) -> EventFilter:
    _refuse_others("subscribe", asked, "queue_id", "item_id", "batch_id", "events")
    return EventFilter.of(
        _texts(asked, "queue_id"), _numbers(asked, "item_id"), _texts(asked, "batch_id"), _texts(asked, "events")
    )


def _subscribe_queue(current: EventFilter, asked: dict[str, JsonValue]) -> EventFilter:
    return replace(current, queue_ids=(current.queue_ids or frozenset()) | _queues("subscribe_queue", asked))


def _unsubscribe_queue(current: EventFilter, asked: dict[str, JsonValue]) -> EventFilter:
    left = _queues("unsubscribe_queue", asked)
    if current.queue_ids is None:
        raise ValueError(
            "unsubscribe_queue: all queues are told of; say subscribe_queue first, of those that are wanted"
        )
    return replace(current, queue_ids=current.queue_ids - left)


_REQUESTS: dict[str, Callable[[EventFilter, dict[str, JsonValue]], EventFilter]] = {
    "subscribe": _subscribe,
    "subscribe_queue": _subscribe_queue,
    "unsubscribe_queue": _unsubscribe_queue,
}


def _queues(request: str, asked: dict[str, JsonValue]) -> frozenset[str]:
    _refuse_others(request, asked, "queue_id")
    queues = _texts(asked, "queue_id")
    if queues is None:
        raise ValueError(f'{request}: which queue? Send e.g. {{"{request}": {{"queue_id": "default"}}}}')
    return queues


def _refuse_others(request: str, asked: dict[str, JsonValue], *known: str) -> None:
    others = sorted(asked.keys() - set(known))
    if others:
        raise ValueError(f"{request}: there is no {others[0]!r} to choose by; there is {', '.join(known)}")


def _texts(asked: dict[str, JsonValue], key: str) -> frozenset[str] | None:
    values = _list(asked, key)
    wrong = [value for value in values or () if not isinstance(value, str)]
    if wrong:
        raise ValueError(f"{key}: expected a text or a list of texts, not {_shown(wrong[0])}")
    return None if values is None else frozenset(values)


def _numbers(asked: dict[str, JsonValue], key: str) -> frozenset[int] | None:
    values = _list(asked, key)
    wrong = [value for value in values or () if not isinstance(value, int) or isinstance(value, bool)]
    if wrong:
        raise ValueError(f"{key}: expected a whole number or a list of them, not {_shown(wrong[0])}")
    return None if values is None else frozenset(values)


def _list(asked: dict[str, JsonValue], key: str) -> list[JsonValue] | None:
    value = asked.get(key)
    values = value if isinstance(value, list) or value is None else [value]
    if values is not None and len(values) > MOST_VALUES:
        raise ValueError(f"{key}: {len(values)} values, at most {MOST_VALUES}; leave it out for all")
    return values


def _shown(value: JsonValue) -> str:
    return repr(value)[:80]
