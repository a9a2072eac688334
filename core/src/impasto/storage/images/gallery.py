"""How a page of the gallery is asked for: from a query to one statement that walks indexes and never sorts the whole.

Each combination of values that an index leads to (starred, intermediate, category) is a *branch*, already in the order
of the page; a branch gives at most one page, and only those few rows are merged. Pure; used by
`impasto.storage.images.records`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Select,
    bindparam,
    func,
    literal,
    select,
    union_all,
)

from impasto.errors import StorageError
from impasto.storage.images.dto import CATEGORIES, UNCATEGORIZED, ImageQuery
from impasto.storage.images.search import STARRED_ROWS, facets_of, matching, row_of, search_rows, words_in
from impasto.storage.tables import images

__all__ = ["Position", "count_statement", "page_of"]


@dataclass(frozen=True, slots=True)
class Position:
    """Where a page ended. As text it is what clients hand back, and no offset that new images would shift."""

    starred: bool
    image_id: int

    def __str__(self) -> str:
        return f"{int(self.starred)}.{self.image_id}"

    @classmethod
    def parse(cls, text: str) -> "Position":
        """The position that `str` made. Raises `StorageError`."""
        starred, _, image_id = text.partition(".")
        if starred not in {"0", "1"} or not image_id.isdecimal() or len(image_id) > 18:
            raise StorageError(f"{text!r} is no position in the gallery; take `next` of the page before, or none")
        return cls(starred == "1", int(image_id))


def page_of(
    query: ImageQuery,
    columns: tuple[ColumnElement[Any], ...],
    *,
    after: Position | None = None,
    limit: int | None = None,
    offset: int = 0,
) -> tuple[Select[Any], dict[str, int]]:
    """The statement for `columns` of the images of one page, in order, and its parameters.

    Without a limit it gives all images of the query from there on.
    """
    stretches = _stretches(query, after)
    parameters = (
        {} if after is None else {"after": after.image_id, "after_row": row_of(after.image_id, starred=after.starred)}
    )
    if limit is not None:
        parameters |= {"limit": limit, "offset": offset, "longest": limit + offset}
    return _page_statement(query, columns, tuple(stretches), limited=limit is not None), parameters


@lru_cache(maxsize=256)
def _page_statement(
    query: ImageQuery,
    columns: tuple[ColumnElement[Any], ...],
    stretches: tuple[tuple[bool | None, bool], ...],
    *,
    limited: bool,
) -> Select[Any]:
    """Kept, since putting it together costs more than running it, and a gallery asks the same again and again."""
    branches = [
        branch.limit(bindparam("longest", type_=BigInteger)) if limited else branch
        for starred, keyed in stretches
        for branch in _branches(query, starred=starred, keyed=keyed)
    ]
    merged = union_all(*(select(branch.subquery()) for branch in branches)).subquery("merged")
    page: FromClause = merged
    if limited:  # the numbers are cut to the page before a single image is looked up
        cut = select(merged).order_by(*_order(query, merged)).limit(bindparam("limit")).offset(bindparam("offset"))
        page = cut.subquery("page")
    return select(*columns).select_from(page.join(images, images.c.id == page.c.id)).order_by(*_order(query, page))


def _order(query: ImageQuery, rows: FromClause) -> list[ColumnElement[Any]]:
    by_number = rows.c.id.desc() if query.newest_first else rows.c.id.asc()
    return [rows.c.starred.desc(), by_number] if query.starred_first else [by_number]


@lru_cache(maxsize=256)
def count_statement(query: ImageQuery, *, starred: bool | None = None) -> Select[int]:
    """How many images a query has; with `starred`, only the starred or the others of them."""
    if _searches(query):
        return select(func.count(search_rows.c.rowid)).where(_hits(query, starred=starred))
    counts = [
        select(func.count(images.c.id).label("n")).where(*conditions)
        for star in ((True, False) if starred is None else (starred,))
        for conditions in _conditions(query, starred=star)
    ]
    each = union_all(*counts).subquery()
    return select(func.coalesce(func.sum(each.c.n), literal(0)))


def _stretches(query: ImageQuery, after: Position | None) -> list[tuple[bool | None, bool]]:
    """The starred images and the others (None: both in one go), and whether a stretch begins after `after`."""
    keyed = after is not None
    if _searches(query) and query.starred_first and query.newest_first:
        return [(None, keyed)]  # the order of the search index itself
    if after is None or not query.starred_first:
        return [(True, keyed), (False, keyed)]
    return [(True, True), (False, False)] if after.starred else [(False, True)]


def _searches(query: ImageQuery) -> bool:
    return bool(words_in(query.search_term or ""))


def _branches(query: ImageQuery, *, starred: bool | None, keyed: bool) -> Iterator[Select[Any]]:
    """The numbers of each branch of a stretch, in order."""
    if starred is None or _searches(query):
        yield _hit_numbers(query, starred=starred, keyed=keyed)
        return
    for conditions in _conditions(query, starred=starred):
        statement = select(images.c.id, literal(starred).label("starred")).where(*conditions)
        yield _in_order(query, statement, images.c.id, bindparam("after", type_=BigInteger) if keyed else None)


def _hit_numbers(query: ImageQuery, *, starred: bool | None, keyed: bool) -> Select[Any]:
    row = search_rows.c.rowid
    statement = select((row % STARRED_ROWS).label("id"), (row >= STARRED_ROWS).label("starred"))
    statement = statement.where(_hits(query, starred=starred))
    key: ColumnElement[int] | None = None
    if keyed:
        shift = STARRED_ROWS if starred else 0
        key = bindparam("after_row") if starred is None else bindparam("after", type_=BigInteger) + shift
    return _in_order(query, statement, row, key)


def _in_order(
    query: ImageQuery, statement: Select[Any], number: ColumnElement[int], key: ColumnElement[int] | None
) -> Select[Any]:
    if key is not None:
        statement = statement.where(number < key if query.newest_first else number > key)
    return statement.order_by(number.desc() if query.newest_first else number)


def _conditions(query: ImageQuery, *, starred: bool) -> Iterator[list[ColumnElement[bool]]]:
    """The conditions of each branch: one entry into an index."""
    kinds = (False, True) if query.is_intermediate is None else (query.is_intermediate,)
    alike = []
    if query.image_origin is not None:
        alike.append(images.c.image_origin == query.image_origin)
    if query.board_id is not None:
        alike.append(images.c.board_id == (None if query.board_id == UNCATEGORIZED else query.board_id))
    for is_intermediate, category in product(kinds, query.categories or CATEGORIES):
        yield [
            images.c.is_intermediate == bindparam(None, is_intermediate),
            images.c.image_category == category,
            images.c.starred == bindparam(None, starred),
            *alike,
        ]


def _hits(query: ImageQuery, *, starred: bool | None) -> ColumnElement[bool]:
    """The same conditions as words of the search index: one of each group."""
    wanted: list[list[dict[str, object]]] = []
    if starred is not None:
        wanted.append([{"starred": starred}])
    if query.is_intermediate is not None:
        wanted.append([{"is_intermediate": query.is_intermediate}])
    if query.image_origin is not None:
        wanted.append([{"image_origin": query.image_origin}])
    if query.board_id is not None:
        wanted.append([{"board_id": None if query.board_id == UNCATEGORIZED else query.board_id}])
    if query.categories is not None:
        wanted.append([{"image_category": category} for category in query.categories])
    facets = [[facet for choice in group for facet in facets_of(choice)] for group in wanted]
    return matching(query.search_term or "", facets)
