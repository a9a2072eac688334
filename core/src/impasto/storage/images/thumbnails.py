"""`Thumbnails`: small pictures of the images, made once, soon after an image was saved or when somebody asks for one.

They can always be made again, so nothing waits for them. Used by `ImageLibrary`, which knows what images there are.
"""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from impasto.errors import StorageUnavailableError, UnreadableImageError
from impasto.storage.images.files import ImageFiles
from impasto.storage.pictures import decode, encode_thumbnail
from impasto_sdk.errors import ImageNotFoundError

__all__ = ["Thumbnails"]

logger = logging.getLogger(__name__)

#: How many may be made at once, when many are asked for that are not there yet.
AT_ONCE = 8


class Thumbnails:
    """The thumbnails of `files`; `read` gives the picture of an image, or raises `ImageNotFoundError`."""

    def __init__(self, files: ImageFiles, read: Callable[[str], bytes]) -> None:
        self._files = files
        self._read = read
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="thumbnails")
        self._making = [threading.Lock() for _ in range(AT_ONCE)]

    def close(self) -> None:
        """Make no more soon; those still missing are made when they are asked for."""
        self._thread.shutdown(cancel_futures=True)

    def make_soon(self, name: str) -> None:
        """Make the thumbnail of an image on a thread of its own; what goes wrong there is logged."""
        with suppress(RuntimeError):  # closed: it is made when it is asked for
            self._thread.submit(self._try, name)

    def made(self, name: str) -> Path:
        """Where the thumbnail of an image lies, which is made now if it is not there yet.

        Raises `ImageNotFoundError`, `UnreadableImageError` and `StorageUnavailableError`.
        """
        # made once, whoever asks first: a second file of the same name would be another one to a client that has it
        with self._making[hash(name) % len(self._making)]:
            path = self._files.thumbnail_path(name)
            # an empty one is what a loss of power leaves
            if path.exists() and path.stat().st_size:
                return path
            return self._make(name)

    def _try(self, name: str) -> None:
        try:
            self.made(name)
        except (UnreadableImageError, ImageNotFoundError, StorageUnavailableError, OSError) as error:
            logger.warning("no thumbnail of image %s: %s", name, error)

    def _make(self, name: str) -> Path:
        thumbnail = self._files.write_thumbnail(name, encode_thumbnail(decode(self._read(name))))
        if not self._files.path(name).exists():  # deleted meanwhile, by someone who could not know of it
            self._files.remove(name)
            raise ImageNotFoundError(name, "it was deleted")
        return thumbnail
