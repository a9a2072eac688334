"""`ImageFiles`: pictures and thumbnails as files, under names of our own making.

A name is 32 random hexadecimal digits and an ending; its first two digits are the folder it lies in. A file appears
under its name whole or not at all. It knows no database: `impasto.storage.images` writes the file first, then the row.
"""

import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from impasto.errors import StorageUnavailableError
from impasto_sdk.ids import new_id

__all__ = ["ImageFiles"]

_NAME = re.compile(r"[0-9a-f]{32}\.(png|jpg|webp)")
_UNFINISHED = ".part"
#: How old a thumbnail is before it is taken for left behind, in seconds: one that is being made looks the same.
_LEFT_BEHIND_S = 3600.0


class ImageFiles:
    """The folder of pictures, with one of thumbnails in it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        #: Names of files that have no row yet.
        self._saving: set[str] = set()

    def is_name(self, name: str) -> bool:
        """Whether it could name a picture. Only such names ever become paths."""
        return _NAME.fullmatch(name) is not None

    def path(self, name: str) -> Path:
        """Where the picture lies."""
        return self._folder / name[:2] / name

    def thumbnail_path(self, name: str) -> Path:
        """Where its thumbnail lies, once there is one."""
        return self._folder / "thumbnails" / name[:2] / f"{name.partition('.')[0]}.webp"

    @contextmanager
    def writing(self, data: bytes, file_type: str) -> Iterator[str]:
        """Store a picture under a fresh name, for the block to write its row; when that fails, the file goes.

        As the block begins, the file outlasts a loss of power. As long as the block runs, `left_behind` knows of it.
        Raises `StorageUnavailableError`.
        """
        name = f"{new_id()}.{file_type}"
        self._saving.add(name)
        try:
            _write_whole(self.path(name), data, lasting=True)
            try:
                yield name
            except BaseException:
                self.remove(name)
                raise
        finally:
            self._saving.discard(name)

    def write_thumbnail(self, name: str, data: bytes) -> Path:
        """Store the thumbnail of a picture. It can be made again, so it is not waited for until it is on disk."""
        path = self.thumbnail_path(name)
        _write_whole(path, data, lasting=False)
        return path

    def remove(self, name: str) -> None:
        """Remove a picture and its thumbnail; harmless when they are gone."""
        self.path(name).unlink(missing_ok=True)
        self.thumbnail_path(name).unlink(missing_ok=True)

    def there(self, name: str) -> bool:
        """Whether there is a picture of this name."""
        return self.path(name).exists()

    def left_behind(self) -> list[str]:
        """Names of all pictures but those that are being saved; some may have a row, and the rest is nobody's.

        Pictures that were never finished, and thumbnails without a picture, are removed on the way.
        """
        found = list(self._folder.glob("??/*"))
        saving = frozenset(self._saving)  # after the folders were read, and before anybody looks for rows
        names = [path.name for path in found if self.is_name(path.name) and path.name not in saving]
        for path in found:
            if path.name.endswith(_UNFINISHED) and path.name.rsplit(".", 2)[0] not in saving:
                path.unlink(missing_ok=True)
        self._remove_idle_thumbnails({name.partition(".")[0] for name in names})
        return names

    def _remove_idle_thumbnails(self, ids: set[str]) -> None:
        """Remove old thumbnails but those of pictures with these ids."""
        before = time.time() - _LEFT_BEHIND_S
        for path in self._folder.glob("thumbnails/??/*"):
            if not path.name.endswith(_UNFINISHED) and (
                path.stem in ids or any(self._folder.glob(f"{path.stem[:2]}/{path.stem}.*"))
            ):
                continue
            try:
                if path.stat().st_mtime < before:
                    path.unlink()
            except FileNotFoundError:  # deleted meanwhile, as it may be
                continue


def _write_whole(path: Path, data: bytes, *, lasting: bool) -> None:
    unfinished = path.with_name(f"{path.name}.{new_id()[:8]}{_UNFINISHED}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with unfinished.open("xb") as file:
            file.write(data)
            if lasting:  # else a loss of power could leave the row and the name, and an empty file
                file.flush()
                os.fsync(file.fileno())
        unfinished.replace(path)
    except OSError as error:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise StorageUnavailableError(str(path.parent), "written to", error.strerror or str(error)) from error
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
