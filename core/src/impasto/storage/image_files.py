"""`ImageFiles`: pictures and thumbnails as files, under names of our own making.

A name is 32 random hexadecimal digits and an ending; its first two digits are the folder it lies in. A file appears
under its name whole or not at all. It knows no database: `impasto.storage.images` writes the file first, then the row.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from impasto_sdk.ids import new_id

__all__ = ["ImageFiles"]

_NAME = re.compile(r"[0-9a-f]{32}\.(png|jpg|webp)")
_UNFINISHED = ".part"


class ImageFiles:
    """The folder of pictures, with one of thumbnails in it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def is_name(self, name: str) -> bool:
        """Whether it could name a picture. Only such names ever become paths."""
        return _NAME.fullmatch(name) is not None

    def path(self, name: str) -> Path:
        """Where the picture lies."""
        return self._folder / name[:2] / name

    def thumbnail_path(self, name: str) -> Path:
        """Where its thumbnail lies, once there is one."""
        return self._folder / "thumbnails" / name[:2] / f"{name.partition('.')[0]}.webp"

    def write(self, data: bytes, file_type: str) -> str:
        """Store a picture under a fresh name. When it returns, the file outlasts a loss of power."""
        name = f"{new_id()}.{file_type}"
        _write_whole(self.path(name), data, lasting=True)
        return name

    def write_thumbnail(self, name: str, data: bytes) -> Path:
        """Store the thumbnail of a picture. It can be made again, so it is not waited for until it is on disk."""
        path = self.thumbnail_path(name)
        _write_whole(path, data, lasting=False)
        return path

    def remove(self, name: str) -> None:
        """Remove a picture and its thumbnail; harmless when they are gone."""
        self.path(name).unlink(missing_ok=True)
        self.thumbnail_path(name).unlink(missing_ok=True)

    def names(self, *, before: float) -> Iterator[str]:
        """Names of all pictures that were last changed before a moment, in seconds since 1970.

        Files of that age which were never finished, and thumbnails without a picture, are removed on the way.
        """
        ids = set()
        for path in self._finished("??/*", before):
            if self.is_name(path.name):
                ids.add(path.stem)
                yield path.name
        for path in self._finished("thumbnails/??/*", before):
            if path.stem not in ids and not any(self._folder.glob(f"{path.stem[:2]}/{path.stem}.*")):
                path.unlink(missing_ok=True)

    def _finished(self, pattern: str, before: float) -> Iterator[Path]:
        for path in self._folder.glob(pattern):
            try:
                old = path.stat().st_mtime < before
            except FileNotFoundError:  # deleted meanwhile, as it may be
                continue
            if old and path.name.endswith(_UNFINISHED):
                path.unlink(missing_ok=True)
            elif old:
                yield path


def _write_whole(path: Path, data: bytes, *, lasting: bool) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.{new_id()[:8]}{_UNFINISHED}")
    try:
        with unfinished.open("xb") as file:
            file.write(data)
            if lasting:  # else a loss of power could leave the row and the name, and an empty file
                file.flush()
                os.fsync(file.fileno())
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
