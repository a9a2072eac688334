"""The search index over the words that go with images: SQLite's FTS5 behind a few functions.

The only part of this floor that another database would need a counterpart of. A row of the index is numbered by its
image, so that hits come in the order of the gallery, and holds beside the words the *facets* that pages are narrowed by
(category, board, star …), so that a page of hits is cut from the index and no hit is looked up in vain.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, TableClause, bindparam, column, delete, insert, table

from impasto.storage.documents import storable
from impasto_sdk.fields import JsonValue

__all__ = [
    "STARRED_ROWS",
    "facets_of",
    "forget",
    "index",
    "matching",
    "row_of",
    "search_rows",
    "words_in",
    "words_of",
]

#: The index: ``rowid`` is what `row_of` gives.
search_rows: TableClause = table("images_search", column("rowid"), column("words"), column("facets"))
#: The index as FTS5 wants it named to the left of MATCH.
_whole_row: ColumnElement[str] = column("images_search")

#: Added to the row number of starred images. The gallery shows them first, and so the index, read from its end, gives
#: hits in that very order. Far above any number that microseconds reach.
STARRED_ROWS = 2**60

ADD_WORDS = insert(search_rows)
REMOVE_WORDS = delete(search_rows).where(
    search_rows.c.rowid.in_((bindparam("image_id"), bindparam("image_id") + STARRED_ROWS))
)

#: How the value of a column becomes a facet. Board ids are free text, so they are brought into digits.
_FACETS: dict[str, Callable[[Any], str]] = {
    "image_category": lambda category: f"category{category}",
    "image_origin": lambda origin: f"origin{origin}",
    "is_intermediate": lambda is_intermediate: f"intermediate{int(is_intermediate)}",
    "starred": lambda starred: f"starred{int(starred)}",
    "board_id": lambda board_id: "board" if board_id is None else f"board{board_id.encode().hex()}",
}

# scripts without spaces between words: each sign is a word, and a search for several a phrase
_SIGNS = re.compile("([\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff])")


def index(connection: Connection, image_id: int, words: str, facets: Iterable[str], *, starred: bool) -> None:
    """Put an image into the index, in place of what it held of it."""
    connection.execute(REMOVE_WORDS, {"image_id": image_id})
    connection.execute(
        ADD_WORDS, {"rowid": row_of(image_id, starred=starred), "words": words, "facets": " ".join(facets)}
    )


def row_of(image_id: int, *, starred: bool) -> int:
    """The number of an image's row."""
    return image_id + STARRED_ROWS if starred else image_id


def forget(connection: Connection, image_ids: Sequence[int]) -> None:
    """Take images out of the index."""
    if image_ids:
        connection.execute(REMOVE_WORDS, [{"image_id": image_id} for image_id in image_ids])


def matching(term: str, facets: Sequence[Sequence[str]]) -> ColumnElement[bool]:
    """The condition for rows that hold each word of `term` at the beginning of a word, and one facet of each group."""
    words = [f'"{_spaced(word)}"*' for word in words_in(term)]
    groups = [[f'"{facet}"' for facet in group] for group in facets]
    parts = [f"words : ({' AND '.join(words)})", *(f"facets : ({' OR '.join(group)})" for group in groups)]
    return _whole_row.op("MATCH", is_comparison=True)(" AND ".join(parts))


def words_in(term: str) -> list[str]:
    """The words that a search term asks for; none when it holds nothing but quotes, spaces and the like."""
    return term.replace('"', " ").replace("\0", " ").split()


def facets_of(image: Mapping[str, Any] | RowMapping) -> list[str]:
    """The facets that an image has, given some or all columns of its row: one word of letters and digits for each."""
    return [_FACETS[name](value) for name, value in image.items() if name in _FACETS]


def words_of(metadata: JsonValue, created_at: str) -> str:
    """What an image is found by: the day it was made, and every text and number in its metadata, at any depth."""
    found = [created_at[:10]]
    waiting = [metadata]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
        elif isinstance(value, str | int | float) and not isinstance(value, bool):
            found.append(str(value))
    return _spaced(storable(" ".join(found)))


def _spaced(text: str) -> str:
    return _SIGNS.sub(r" \1 ", text)
