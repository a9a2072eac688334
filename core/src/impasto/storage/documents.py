"""How documents (graphs, outputs, metadata) become text in a column and come back, and how a stranger's are read.

ASCII with escapes, so that any string a program can hold, lone surrogates included, can be stored.
"""

import json
import re
from typing import NoReturn

from impasto_sdk.fields import JsonValue

__all__ = ["MOST_LEVELS", "dump_document", "load_document", "read_foreign_document", "storable"]

#: How deeply lists and objects of a stranger may be nested; pydantic writes 255 levels and no more.
MOST_LEVELS = 128
#: What may be half of a surrogate pair, or a number beyond the range of floating point.
_SUSPICIOUS = re.compile(rb"\\ud|[0-9][eE]\+?[0-9]{3}|[0-9]{308}", re.IGNORECASE)
#: Made once: `json.dumps` would make one for each document, of which a large batch has thousands.
_COMPACT = json.JSONEncoder(separators=(",", ":"))
_SORTED = json.JSONEncoder(separators=(",", ":"), sort_keys=True)


def dump_document(document: JsonValue, *, sort_keys: bool = False) -> str:
    """Compact JSON; with `sort_keys`, equal documents give equal text. Raises `TypeError` for what JSON cannot hold."""
    return (_SORTED if sort_keys else _COMPACT).encode(document)


def load_document(text: str) -> JsonValue:
    """What `dump_document` was given."""
    return json.loads(text)


def storable(text: str) -> str:
    """`text` with lone surrogates, which no database takes, written as escapes: for messages made of file names."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def read_foreign_document(text: bytes) -> JsonValue:
    """JSON that came from outside, as every program reads it.

    Raises `json.JSONDecodeError` for what is no JSON, and for what Python takes although it could not be stored or
    sent on: ``NaN``, numbers beyond the range of floating point, half of a surrogate pair, bytes that are not UTF-8,
    and more than `MOST_LEVELS` lists and objects in one another.
    """
    try:
        value: JsonValue = json.loads(text.decode(), parse_constant=_refuse_constant)
        if _SUSPICIOUS.search(text):
            json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except UnicodeDecodeError as error:
        raise json.JSONDecodeError("not UTF-8", "", error.start) from error
    except UnicodeEncodeError as error:
        raise json.JSONDecodeError("half of a surrogate pair", "", 0) from error
    except RecursionError as error:
        raise _too_deep() from error
    except json.JSONDecodeError:
        raise
    except ValueError as error:  # a number that no float or int of ours can be
        raise json.JSONDecodeError("a number out of range", "", 0) from error
    if text.count(b"[") + text.count(b"{") > MOST_LEVELS and _levels(value) > MOST_LEVELS:
        raise _too_deep()
    return value


def _levels(value: JsonValue) -> int:
    """How many lists and objects are in one another, counted no further than one more than may be."""
    levels, row = 0, [value]
    while row := [each for each in row if isinstance(each, dict | list)]:
        levels += 1
        if levels > MOST_LEVELS:
            break
        row = [inner for outer in row for inner in (outer.values() if isinstance(outer, dict) else outer)]
    return levels


def _too_deep() -> json.JSONDecodeError:
    return json.JSONDecodeError(f"more than {MOST_LEVELS} lists and objects in one another", "", 0)


def _refuse_constant(name: str) -> NoReturn:
    raise json.JSONDecodeError(f"{name} is no JSON value", "", 0)
