"""`ImageLibrary`: the images of the server, each a file and a row that come and go together.

The file is written first and the row after it, and removed the other way round, so that whatever a crash leaves behind
is a file that nobody sees, which `tidy` removes. Called by the application for clients, and by the engine for nodes.
Thumbnails are made after the save, on a thread of their own.
"""

import hashlib
import logging
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from impasto.errors import StorageError
from impasto.storage.creations import Created, CreationKey, fingerprint_of
from impasto.storage.database import Database
from impasto.storage.images.dto import (
    CATEGORIES,
    ORIGINS,
    ImageChanges,
    ImageDocuments,
    ImageDTO,
    ImageNames,
    ImagePage,
    ImageQuery,
)
from impasto.storage.images.files import ImageFiles
from impasto.storage.images.gallery import Position
from impasto.storage.images.new_pictures import NewPicture, as_facts, documents_in, read_picture
from impasto.storage.images.records import ImageRecords, NewImage
from impasto.storage.images.thumbnails import Thumbnails
from impasto.storage.images.upkeep import Tidied, tidy
from impasto.storage.png_chunks import is_png
from impasto_sdk.errors import ImageNotFoundError
from impasto_sdk.fields import JsonValue

__all__ = ["ImageLibrary"]

logger = logging.getLogger(__name__)

#: Most images of one page.
MAX_PAGE = 1_000


class ImageLibrary:
    """Saves, finds, lists, changes and deletes images. Every method may be called from any thread."""

    def __init__(self, database: Database, folder: Path) -> None:
        self._records = ImageRecords(database)
        self._files = ImageFiles(folder)
        self._thumbnails = Thumbnails(self._files, self.read)

    def close(self) -> None:
        """Stop making thumbnails; those still missing are made when they are asked for."""
        self._thumbnails.close()

    def save(
        self,
        data: bytes,
        *,
        category: str = "general",
        origin: str = "internal",
        is_intermediate: bool = False,
        session_id: str | None = None,
        node_id: str | None = None,
        board_id: str | None = None,
        metadata: Mapping[str, JsonValue] | None = None,
        graph: JsonValue = None,
        workflow: JsonValue = None,
        user_id: str = "system",
        unsettled: bool = False,
        embed: bool = True,
    ) -> ImageDTO:
        """Store an encoded picture (PNG, JPEG or WebP) as it is; when it returns, it is on disk.

        Into a PNG, `metadata`, `graph` and `workflow` are written as texts, without encoding it anew; what is not given
        is taken from the texts that it brings; without `embed` they are kept in the database only, and no byte of the
        file is changed. `unsettled`: it goes with `discard_unsettled` unless the queue's journal
        names it before. Raises `UnreadableImageError` for bytes that are no picture, are damaged or incomplete, or
        have too many pixels; nothing is stored then.
        """
        _check_kind(category, origin)
        picture = read_picture(data, metadata, graph, workflow, thoroughly=origin == "external", embed=embed)
        return self._store(
            picture,
            category=category,
            origin=origin,
            is_intermediate=is_intermediate,
            session_id=session_id,
            node_id=node_id,
            board_id=board_id,
            user_id=user_id,
            unsettled=unsettled,
        ).thing

    def upload(
        self,
        data: bytes,
        *,
        category: str = "user",
        is_intermediate: bool = False,
        session_id: str | None = None,
        board_id: str | None = None,
        metadata: Mapping[str, JsonValue] | None = None,
        user_id: str = "system",
        idempotency_key: str | None = None,
    ) -> Created[ImageDTO]:
        """Store a picture that somebody brings, as `save` does; with a key that stored one before, that one is given.

        Raises also `IdempotencyKeyError` for a key that was used for another picture or other facts of it, and
        `CreationGoneError` when the image that it stored was deleted since.
        """
        key = None
        if idempotency_key is not None:
            facts = [category, is_intermediate, session_id, board_id, None if metadata is None else dict(metadata)]
            fingerprint = fingerprint_of([hashlib.blake2b(data).hexdigest(), *facts])
            key = CreationKey("image", idempotency_key, fingerprint, user_id)
            earlier = self._records.created_before(key)  # saves unpacking it again
            if earlier is not None:
                return earlier
        _check_kind(category, "external")
        return self._store(
            read_picture(data, metadata, thoroughly=True),
            category=category,
            origin="external",
            is_intermediate=is_intermediate,
            session_id=session_id,
            board_id=board_id,
            user_id=user_id,
            key=key,
        )

    def _store(
        self,
        picture: NewPicture,
        *,
        category: str,
        origin: str,
        is_intermediate: bool,
        session_id: str | None,
        board_id: str | None,
        user_id: str,
        node_id: str | None = None,
        unsettled: bool = False,
        key: CreationKey | None = None,
    ) -> Created[ImageDTO]:
        with self._files.writing(picture.data, picture.info.file_type) as name:
            new = NewImage(
                image_name=name,
                user_id=user_id,
                image_origin=origin,
                image_category=category,
                width=picture.info.width,
                height=picture.info.height,
                is_intermediate=is_intermediate,
                has_workflow=picture.has_workflow,
                board_id=board_id,
                session_id=session_id,
                node_id=node_id,
                metadata=picture.metadata,
                documents=picture.documents,
                unsettled=unsettled,
            )
            created = self._records.add(new, key)
            if created.repeated:  # the same request came in meanwhile, on another thread
                self._files.remove(name)
        if not created.repeated and not is_intermediate:  # few of those are ever looked at
            self._thumbnails.make_soon(name)
        return created

    # --- one image ---

    def get(self, name: str) -> ImageDTO:
        """What is known of an image. Raises `ImageNotFoundError`, as all below that take a name do."""
        found = self._records.find([name]).get(name)
        if found is None:
            raise ImageNotFoundError(name, "it was deleted, or never stored here")
        return found

    def path(self, name: str) -> Path:
        """Where its file lies."""
        return self._files.path(self.get(name).image_name)

    def thumbnail(self, name: str) -> Path:
        """Where its thumbnail lies: WebP, at most 256 px a side. Made now if it is not there yet."""
        return self._thumbnails.made(self.get(name).image_name)

    def read(self, name: str) -> bytes:
        """Its file, byte for byte."""
        try:
            return self.path(name).read_bytes()
        except FileNotFoundError:
            raise ImageNotFoundError(name, "its file is gone from the images folder") from None

    def metadata(self, name: str) -> dict[str, JsonValue] | None:
        """The facts it was saved with, or brought along; None when there are none."""
        return as_facts(self._records.metadata(self.get(name).image_name))

    def documents(self, name: str) -> ImageDocuments:
        """Graph and workflow it was made with; None where there is none."""
        data, kept = self.read(name), self._records.documents(name)
        if not is_png(data) or kept != ImageDocuments(None, None):
            return kept
        return documents_in(data)

    def update(self, name: str, changes: ImageChanges | Mapping[str, object]) -> ImageDTO:
        """Change category, session, board, star, or whether it is intermediate; what is not given stays as it is.

        Raises pydantic's `ValidationError` for anything else in a mapping.
        """
        wanted = changes if isinstance(changes, ImageChanges) else ImageChanges.model_validate(changes)
        self._records.update([self.get(name).image_name], wanted.model_dump(exclude_unset=True))
        return self.get(name)

    # --- many images ---

    def list(
        self, query: ImageQuery | None = None, *, after: str | None = None, offset: int = 0, limit: int = 50
    ) -> ImagePage:
        """One page of a query; `after` is `next` of the page before. Raises `StorageError` for one that is not.

        `offset` is for clients that know no other way: it costs more the larger it is.
        """
        position = None if after is None else Position.parse(after)
        return self._records.page(
            query or ImageQuery(), after=position, offset=max(offset, 0), limit=min(max(limit, 1), MAX_PAGE)
        )

    def names(self, query: ImageQuery | None = None) -> ImageNames:
        """The names of all images of a query, in order."""
        return self._records.names(query or ImageQuery())

    def count(self, query: ImageQuery | None = None) -> int:
        """How many images a query has."""
        return self._records.count(query or ImageQuery())

    def get_many(self, names: Sequence[str]) -> Sequence[ImageDTO]:
        """Those of these images that exist, in the order asked for."""
        found = self._records.find(names)
        return [found[name] for name in names if name in found]

    def exist(self, names: Collection[str]) -> set[str]:
        """The names among these that are images'."""
        return self._records.exist(names)

    def set_starred(self, names: Sequence[str], *, starred: bool) -> Sequence[str]:
        """Star images, or take the star from them; the names of those that exist."""
        return self._records.update(names, {"starred": starred})

    def delete(self, names: Sequence[str]) -> Sequence[str]:
        """Delete images with their files and thumbnails; the names of those that existed."""
        deleted = self._records.delete(names)
        for name in deleted:
            try:
                self._files.remove(name)
            except OSError as error:  # the image is gone for everyone; `tidy` tries again
                logger.warning("the file of image %s cannot be removed: %s", name, error)
        return deleted

    def discard_unsettled(self) -> int:
        """Delete every image that is not settled; how many. For a start: nothing runs that could settle one."""
        return len(self.delete(self._records.unsettled()))

    def tidy(self) -> Tidied:
        """Remove files that a crash left without a row, and find rows whose file is gone. Looks at every image."""
        return tidy(self._records, self._files)


def _check_kind(category: str, origin: str) -> None:
    if category not in CATEGORIES:
        raise StorageError(f"there is no image category {category!r}; there are {', '.join(CATEGORIES)}")
    if origin not in ORIGINS:
        raise StorageError(f"there is no image origin {origin!r}; there are {', '.join(ORIGINS)}")
