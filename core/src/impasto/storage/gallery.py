"""How a page of the gallery is asked for: from a query to one statement that walks indexes and never sorts the whole.

Each combination of values that an index leads to (starred, intermediate, category) is a *branch*, already in the order
of the page; a branch gives at most one page, and only those few rows are merged. Pure; used by
`impasto.storage.image_records`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnClause,
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
from impasto.storage.image_dto import CATEGORIES, UNCATEGORIZED, ImageQuery
from impasto.storage.image_search import facets_of, matching, search_rows, words_in
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
    parameters = {} if after is None else {"after": after.image_id}
    if limit is not None:
        parameters |= {"limit": limit, "offset": offset, "longest": limit + offset}
    keyed = tuple((starred, key is not None) for starred, key in stretches)
    return _page_statement(query, columns, keyed, limited=limit is not None), parameters


@lru_cache(maxsize=256)
def _page_statement(
    query: ImageQuery,
    columns: tuple[ColumnElement[Any], ...],
    stretches: tuple[tuple[bool, bool], ...],
    *,
    limited: bool,
) -> Select[Any]:
    """Kept, since putting it together costs more than running it, and a gallery asks the same again and again."""
    branches = [
        _branch(query, image_id, conditions, starred=starred, keyed=keyed, limited=limited)
        for starred, keyed in stretches
        for image_id, conditions in _conditions(query, starred=starred)
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
    counts = [
        select(func.count(image_id).label("n")).where(*conditions)
        for star in ((True, False) if starred is None else (starred,))
        for image_id, conditions in _conditions(query, starred=star)
    ]
    each = union_all(*counts).subquery()
    return select(func.coalesce(func.sum(each.c.n), literal(0)))


def _stretches(query: ImageQuery, after: Position | None) -> list[tuple[bool, int | None]]:
    """The starred images and the others, where anything of them is still to come, and the image to go on from."""
    if after is None:
        return [(True, None), (False, None)]
    if not query.starred_first:
        return [(True, after.image_id), (False, after.image_id)]
    if after.starred:
        return [(True, after.image_id), (False, None)]
    return [(False, after.image_id)]


def _conditions(query: ImageQuery, *, starred: bool) -> Iterator[tuple[ColumnClause[int], list[ColumnElement[bool]]]]:
    """The column of image numbers and the conditions of each branch."""
    if query.search_term and words_in(query.search_term):
        yield search_rows.c.rowid, [matching(query.search_term, _facets(query, starred=starred))]
        return
    kinds = (False, True) if query.is_intermediate is None else (query.is_intermediate,)
    alike = []
    if query.image_origin is not None:
        alike.append(images.c.image_origin == query.image_origin)
    if query.board_id is not None:
        alike.append(images.c.board_id == (None if query.board_id == UNCATEGORIZED else query.board_id))
    for is_intermediate, category in product(kinds, query.categories or CATEGORIES):
        yield (
            images.c.id,
            [
                images.c.is_intermediate == bindparam(None, is_intermediate),
                images.c.image_category == category,
                images.c.starred == bindparam(None, starred),
                *alike,
            ],
        )


def _facets(query: ImageQuery, *, starred: bool) -> list[list[str]]:
    """The same conditions as words of the search index: one of each group."""
    wanted: list[list[dict[str, object]]] = [[{"starred": starred}]]
    if query.is_intermediate is not None:
        wanted.append([{"is_intermediate": query.is_intermediate}])
    if query.image_origin is not None:
        wanted.append([{"image_origin": query.image_origin}])
    if query.board_id is not None:
        wanted.append([{"board_id": None if query.board_id == UNCATEGORIZED else query.board_id}])
    if query.categories is not None:
        wanted.append([{"image_category": category} for category in query.categories])
    return [[facet for choice in group for facet in facets_of(choice)] for group in wanted]


def _branch(
    query: ImageQuery,
    image_id: ColumnClause[int],
    conditions: list[ColumnElement[bool]],
    *,
    starred: bool,
    keyed: bool,
    limited: bool,
) -> Select[int, bool]:
    """The numbers of one branch, in order."""
    statement = select(image_id.label("id"), literal(starred).label("starred")).where(*conditions)
    if keyed:
        key = bindparam("after", type_=BigInteger)
        statement = statement.where(image_id < key if query.newest_first else image_id > key)
    statement = statement.order_by(image_id.desc() if query.newest_first else image_id)
    return statement.limit(bindparam("longest", type_=BigInteger)) if limited else statement
