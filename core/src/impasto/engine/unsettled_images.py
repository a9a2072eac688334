"""`UnsettledImages`: what the nodes of one run have saved, as long as it is not certain that it is to stay.

An image stays when the node that saved it has finished, or has given an item, and that is on disk. Any other is
removed with the end of the run: a retry saves it again. When the server itself is lost, the library knows them still,
and discards them at the next start. Images are added on the wire's thread; the rest is the dispatcher's.
"""

import threading
from collections.abc import Collection

from impasto.engine.ports import ImageStore

__all__ = ["UnsettledImages"]


class UnsettledImages:
    """The images of one run that may yet have to go, in `images`."""

    def __init__(self, images: ImageStore) -> None:
        self._images = images
        self._lock = threading.Lock()
        self._names: dict[str, None] = {}
        self._closed = False

    def add(self, name: str) -> bool:
        """Count an image that was just saved; False: the run is over, and the image is gone."""
        with self._lock:
            if not self._closed:
                self._names[name] = None
                return True
        self._images.delete([name])
        return False

    def settle(self, names: Collection[str]) -> None:
        """These stay."""
        with self._lock:
            for name in names:
                self._names.pop(name, None)

    def remove(self, but: Collection[str] = ()) -> None:
        """Remove all but these."""
        kept = set(but)
        with self._lock:
            names = [name for name in self._names if name not in kept]
            for name in names:
                del self._names[name]
        if names:
            self._images.delete(names)

    def close(self) -> None:
        """The run is over: remove what is left, and whatever comes."""
        with self._lock:
            self._closed = True
        self.remove()
