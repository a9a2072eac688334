"""How documents (graphs, outputs, metadata) become text in a column and come back.

ASCII with escapes, so that any string a program can hold, lone surrogates included, can be stored.
"""

import json

from impasto_sdk.fields import JsonValue

__all__ = ["dump_document", "load_document", "storable"]


def dump_document(document: JsonValue, *, sort_keys: bool = False) -> str:
    """Compact JSON; with `sort_keys`, equal documents give equal text. Raises `TypeError` for what JSON cannot hold."""
    return json.dumps(document, separators=(",", ":"), sort_keys=sort_keys)


def load_document(text: str) -> JsonValue:
    """What `dump_document` was given."""
    return json.loads(text)


def storable(text: str) -> str:
    """`text` with lone surrogates, which no database takes, written as escapes: for messages made of file names."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
