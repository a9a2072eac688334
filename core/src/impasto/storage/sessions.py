"""`SessionFiles`: tensors and conditioning of sessions, as safetensors files that go with their session.

What is in a file is the business of the node that wrote it; here it is bytes. Called by the server on behalf of
workers, which need no disk of their own.
"""

import hashlib
import re
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

from impasto_sdk.errors import TensorNotFoundError
from impasto_sdk.ids import new_id

__all__ = ["SessionFiles"]

_NAME = re.compile(r"([0-9a-f]{32})-([0-9a-f]{32})")


class SessionFiles:
    """A folder with a folder for each session."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def save(self, session_id: str, data: bytes) -> str:
        """Store bytes for the length of a session; gives the name to `load` them by."""
        owner, own = _folder_name(session_id), new_id()
        path = self._path(owner, own)
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".part")
        # not forced to the disk: a kill of the process loses nothing, and a loss of power ends the session anyway
        try:
            unfinished.write_bytes(data)
            unfinished.replace(path)
        except BaseException:  # a full disk, say, which half a file would keep full
            unfinished.unlink(missing_ok=True)
            raise
        return f"{owner}-{own}"

    def load(self, name: str) -> bytes:
        """The bytes, whichever session they belong to. Raises `TensorNotFoundError`."""
        match = _NAME.fullmatch(name)
        if match is None:
            raise TensorNotFoundError(name, "it is no name that was given out here")
        try:
            return self._path(*match.groups()).read_bytes()
        except FileNotFoundError:
            raise TensorNotFoundError(name, "tensors go when their session does") from None

    def exist(self, names: Iterable[str]) -> set[str]:
        """Which of these names can be loaded."""
        matches = ((name, _NAME.fullmatch(name)) for name in names)
        return {name for name, match in matches if match is not None and self._path(*match.groups()).exists()}

    def delete_session(self, session_id: str) -> None:
        """Remove all that a session stored; harmless when that is nothing."""
        shutil.rmtree(self._folder / _folder_name(session_id), ignore_errors=True)

    def delete_all_but(self, open_sessions: Callable[[], Iterable[str]]) -> int:
        """Remove what sessions stored that `open_sessions` does not name; how many sessions that were.

        It is asked after the folders were listed, so that a session which begins meanwhile loses nothing.
        """
        if not self._folder.exists():
            return 0
        folders = list(self._folder.iterdir())
        kept = {_folder_name(session_id) for session_id in open_sessions()}
        ended = [folder for folder in folders if folder.name not in kept]
        for folder in ended:
            shutil.rmtree(folder, ignore_errors=True)
        return len(ended)

    def _path(self, owner: str, own: str) -> Path:
        return self._folder / owner / f"{own}.safetensors"


def _folder_name(session_id: str) -> str:
    """A client may choose its session ids, so they are not fit for paths; their hashes are."""
    return hashlib.blake2b(session_id.encode(), digest_size=16).hexdigest()
