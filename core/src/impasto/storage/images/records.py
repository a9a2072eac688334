"""`ImageRecords`: the rows of images, and the search index beside them. Each method is one transaction.

Called by `impasto.storage.images` only, which keeps rows and files in step.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, insert, select, update

from impasto.storage.creations import Created, CreationKey, created_before, remember
from impasto.storage.database import Database
from impasto.storage.documents import dump_document, load_document
from impasto.storage.images.dto import ImageDocuments, ImageDTO, ImageNames, ImagePage, ImageQuery
from impasto.storage.images.gallery import Position, count_statement, page_of
from impasto.storage.images.search import facets_of, forget, index, words_of
from impasto.storage.portions import portions
from impasto.storage.tables import images, unsettled_images
from impasto.storage.timestamps import timestamp, to_timestamp
from impasto_sdk.fields import JsonValue

__all__ = ["ImageRecords", "NewImage"]

# what a client is told; the rest is asked for by name
_SHOWN = tuple(images.c[name] for name in ImageDTO.model_fields if not name.endswith("_url"))
_OF_PAGE = (images.c.id, *_SHOWN)
_NAME = (images.c.image_name,)

ADD_IMAGE = insert(images)
FIND_ID = select(images.c.id).where(images.c.id == bindparam("id"))
FIND_IMAGES = select(*_SHOWN).where(images.c.image_name.in_(bindparam("names", expanding=True)))
FIND_WHOLE_IMAGES = select(images).where(images.c.image_name.in_(bindparam("names", expanding=True)))
FIND_NAMES = select(images.c.image_name).where(images.c.image_name.in_(bindparam("names", expanding=True)))
FIND_METADATA = select(images.c.metadata).where(images.c.image_name == bindparam("name"))
FIND_DOCUMENTS = select(images.c.graph, images.c.workflow).where(images.c.image_name == bindparam("name"))
ADD_UNSETTLED = insert(unsettled_images)
FIND_UNSETTLED = select(unsettled_images.c.image_name)
#: The files' side of a comparison with the folder: some of all names, in the order of the images.
FIND_SOME_NAMES = (
    select(images.c.id, images.c.image_name).where(images.c.id > bindparam("after")).order_by(images.c.id).limit(1_000)
)
UPDATE_IMAGES = update(images).where(images.c.image_name.in_(bindparam("b_names", expanding=True)))
DELETE_IMAGES = (
    delete(images)
    .where(images.c.image_name.in_(bindparam("names", expanding=True)))
    .returning(images.c.id, images.c.image_name)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewImage:
    """An image whose file is in place and whose row is to be written."""

    image_name: str
    user_id: str
    image_origin: str
    image_category: str
    width: int
    height: int
    is_intermediate: bool
    has_workflow: bool
    board_id: str | None
    session_id: str | None
    node_id: str | None
    metadata: JsonValue
    #: Only where the file does not carry them.
    documents: ImageDocuments | None
    #: Whether it goes at the next start unless it is settled before.
    unsettled: bool


class ImageRecords:
    """Rows of images."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, new: NewImage, key: CreationKey | None = None) -> Created[ImageDTO]:
        """Write the row of an image, and put its words into the search index; see `created_before` for the key."""
        kept = new.documents or ImageDocuments(None, None)
        apart = {"metadata", "documents", "unsettled"}
        columns = {name: getattr(new, name) for name in NewImage.__slots__ if name not in apart}
        columns |= {
            "starred": False,
            "deleted_at": None,
            "metadata": _text(new.metadata),
            "graph": _text(kept.graph),
            "workflow": _text(kept.workflow),
        }

        def work(connection: Connection) -> Created[ImageDTO]:
            earlier = created_before(connection, key, _find)
            if earlier is not None:
                return earlier
            moment = datetime.now(UTC)
            image_id = _free_id(connection, moment)
            row = {**columns, "id": image_id, "created_at": to_timestamp(moment), "updated_at": to_timestamp(moment)}
            connection.execute(ADD_IMAGE, row)
            index(connection, image_id, words_of(new.metadata, row["created_at"]), facets_of(row), starred=False)
            if new.unsettled:
                connection.execute(ADD_UNSETTLED, {"image_name": new.image_name})
            remember(connection, key, new.image_name)
            return Created(_dto(row), repeated=False)

        return self._database.write(work)

    def created_before(self, key: CreationKey) -> Created[ImageDTO] | None:
        """The image that a key has created, if it has; raises as `impasto.storage.creations.created_before` does."""
        with self._database.read() as connection:
            return created_before(connection, key, _find)

    def find(self, names: Sequence[str]) -> dict[str, ImageDTO]:
        """Those of these images that exist, by name."""
        with self._database.read() as connection:
            rows = (row for some in portions(names) for row in connection.execute(FIND_IMAGES, {"names": some}))
            return {row.image_name: _dto(row._mapping) for row in rows}

    def exist(self, names: Collection[str]) -> set[str]:
        """The names among these that are images'."""
        with self._database.read() as connection:
            found = (connection.execute(FIND_NAMES, {"names": some}).scalars() for some in portions(names))
            return set(chain.from_iterable(found))

    def unsettled(self) -> list[str]:
        """The names of all images that are not settled."""
        with self._database.read() as connection:
            return list(connection.execute(FIND_UNSETTLED).scalars())

    def all_names(self) -> Iterator[Sequence[str]]:
        """The names of all images, in portions, each as it is at its own moment."""
        last = 0
        while True:
            with self._database.read() as connection:
                rows = connection.execute(FIND_SOME_NAMES, {"after": last}).all()
            if not rows:
                return
            yield [row.image_name for row in rows]
            last = rows[-1].id

    def metadata(self, name: str) -> JsonValue:
        """What an image was saved with; None when that was nothing."""
        with self._database.read() as connection:
            return _document(connection.execute(FIND_METADATA, {"name": name}).scalar())

    def documents(self, name: str) -> ImageDocuments:
        """Graph and workflow of an image whose file does not carry them."""
        with self._database.read() as connection:
            row = connection.execute(FIND_DOCUMENTS, {"name": name}).one()
            return ImageDocuments(_document(row.graph), _document(row.workflow))

    def page(self, query: ImageQuery, *, after: Position | None, offset: int, limit: int) -> ImagePage:
        """One page of a query."""
        # one more than asked for, which tells whether there is a next page
        statement, values = page_of(query, _OF_PAGE, after=after, offset=offset, limit=limit + 1)
        with self._database.read() as connection:
            rows = connection.execute(statement, values).all()
        items = [_dto(row._mapping) for row in rows[:limit]]
        last = rows[limit - 1] if len(rows) > limit else None
        return ImagePage(items, None if last is None else str(Position(last.starred, last.id)))

    def names(self, query: ImageQuery) -> ImageNames:
        """The names of all images of a query, in order."""
        with self._database.read() as connection:
            names = list(connection.execute(*page_of(query, _NAME)).scalars())
            starred = connection.execute(count_statement(query, starred=True)).scalar_one()
        return ImageNames(names, starred, len(names))

    def count(self, query: ImageQuery) -> int:
        """How many images a query has."""
        with self._database.read() as connection:
            return connection.execute(count_statement(query)).scalar_one()

    def update(self, names: Sequence[str], changes: Mapping[str, object]) -> list[str]:
        """Change columns of images; the names of those that exist."""

        def work(connection: Connection) -> list[str]:
            statement = UPDATE_IMAGES.values(**changes, updated_at=timestamp())
            rows: list[Row[Any]] = []
            for some in portions(names):
                connection.execute(statement, {"b_names": some})
                rows += connection.execute(FIND_WHOLE_IMAGES, {"names": some})
            for row in rows:
                words = words_of(_document(row.metadata), row.created_at)
                index(connection, row.id, words, facets_of(row._mapping), starred=row.starred)
            return [row.image_name for row in rows]

        return self._database.write(work)

    def delete(self, names: Sequence[str]) -> list[str]:
        """Remove rows of images; the names of those that existed."""

        def work(connection: Connection) -> list[str]:
            rows = [row for some in portions(names) for row in connection.execute(DELETE_IMAGES, {"names": some})]
            forget(connection, [row.id for row in rows])
            return [row.image_name for row in rows]

        return self._database.write(work)


def _find(connection: Connection, name: str) -> ImageDTO | None:
    row = connection.execute(FIND_IMAGES, {"names": [name]}).one_or_none()
    return None if row is None else _dto(row._mapping)


def _free_id(connection: Connection, moment: datetime) -> int:
    """The number for an image made at a moment: its microseconds, or the next that no image has."""
    image_id = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    while connection.execute(FIND_ID, {"id": image_id}).scalar() is not None:
        image_id += 1
    return image_id


def _dto(row: Mapping[Any, Any]) -> ImageDTO:
    name = row["image_name"]
    address = f"api/v1/images/i/{name}"
    shown = {column.name: row[column.name] for column in _SHOWN}
    return ImageDTO(image_url=f"{address}/full", thumbnail_url=f"{address}/thumbnail", **shown)


def _text(document: JsonValue) -> str | None:
    return None if document is None else dump_document(document)


def _document(text: str | None) -> JsonValue:
    return None if text is None else load_document(text)
