"""`RootClaim`: a root folder belongs to one server, which says there where it is found.

The claim is a lock of the operating system on ``server.lock``, so it ends with the process that holds it, however that
ends. ``server.json`` beside it tells clients on this machine the address and the process. Used by the server and by the
command line, which looks for one; it loads neither the database nor the API.
"""

import json
import os
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from impasto.errors import ServerError

__all__ = ["LOCK_FILE", "SERVER_FILE", "RootClaim", "find_server", "make_root"]

#: Name of the file in the root folder: ``{"url": …, "pid": …}``.
SERVER_FILE = "server.json"
#: Name of the file that is locked.
LOCK_FILE = "server.lock"
LOCK_TRIES, LOCK_WAIT_S = 4, 0.05


class RootClaim:
    """Holds a root folder for one server, as a context manager.

    Entering makes the folder where it is missing, and raises `ServerError` when another server holds it or it cannot be
    used.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._lock: IO[bytes] | None = None

    def __enter__(self) -> Self:
        make_root(self._root)
        try:
            lock = (self._root / LOCK_FILE).open("ab")
        except OSError as error:
            raise _unusable(self._root, error) from error
        if not _lock_soon(lock):
            lock.close()
            raise ServerError(_refusal(self._root, find_server(self._root)))
        self._lock = lock
        # whatever stands there is of a server that was killed
        (self._root / SERVER_FILE).unlink(missing_ok=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        (self._root / SERVER_FILE).unlink(missing_ok=True)
        if self._lock is not None:
            self._lock.close()

    def publish(self, url: str) -> None:
        """Tell clients on this machine where the server is, now that it answers."""
        draft = self._root / f"{SERVER_FILE}.new"
        draft.write_text(json.dumps({"url": url, "pid": os.getpid()}), "utf-8")
        draft.replace(self._root / SERVER_FILE)


def make_root(root: Path) -> None:
    """Make a root folder where it is missing. Raises `ServerError` when it cannot be made."""
    try:
        root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unusable(root, error) from error


def find_server(root: Path) -> dict[str, Any] | None:
    """``{"url", "pid"}`` of the server that runs on `root`; None when none does, or it does not answer yet."""
    try:
        found = json.loads((root / SERVER_FILE).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and _is_held(root) else None


def _is_held(root: Path) -> bool:
    try:
        with (root / LOCK_FILE).open("rb+") as lock:
            return not _try_lock(lock)
    except FileNotFoundError:
        return False
    except OSError:
        return True  # it is another user's; whether a server answers is for the client to see


def _lock_soon(file: IO[bytes]) -> bool:
    # who only asks whether the root is held, holds the lock for an instant
    for _ in range(LOCK_TRIES):
        if _try_lock(file):
            return True
        time.sleep(LOCK_WAIT_S)
    return False


def _unusable(root: Path, error: OSError) -> ServerError:
    return ServerError(f"the root folder {root} cannot be used: {error.strerror}; choose another with --root")


def _refusal(root: Path, holder: dict[str, Any] | None) -> str:
    who = f"the server at {holder['url']} (process {holder['pid']})" if holder else "another server, which is starting"
    return f"{root} is in use by {who}; use that one, stop it, or start with another `root`"


if sys.platform == "win32":
    import msvcrt

    def _try_lock(file: IO[bytes]) -> bool:
        try:
            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _try_lock(file: IO[bytes]) -> bool:
        try:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True
