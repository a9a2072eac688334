"""The hash that names weights on every machine: SHA-256, over one file or over the weight files of a folder.

For a file it is the hash that model sites publish. Pure but for reading the files; called on the registry's own thread,
as gigabytes take their time.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path

__all__ = ["PENDING", "HashingStoppedError", "hash_model", "size_of_model"]

#: Begins the placeholder that a record has until its weights are hashed.
PENDING = "pending:"
#: How much is read at a time, in bytes.
_BLOCK_BYTES = 2**20


class HashingStoppedError(Exception):
    """Nobody waits for the hash any more."""


def hash_model(path: Path, stopped: Callable[[], bool] = lambda: False) -> str:
    """``sha256:…`` of a file, or of the names and contents of all files of a folder.

    Raises `OSError`, and `HashingStoppedError` soon after `stopped` says so.
    """
    if path.is_file():
        return f"sha256:{_hash_file(path, stopped)}"
    total = hashlib.sha256()
    for file in _files(path):
        # the digest is of fixed length and the name cannot hold a zero, so no two folders make the same text
        total.update(
            f"{file.relative_to(path).as_posix()}\0{_hash_file(file, stopped)}".encode("utf-8", "surrogateescape")
        )
    return f"sha256:{total.hexdigest()}"


def size_of_model(path: Path) -> int:
    """Bytes on disk of a file, or of all files of a folder. Raises `OSError`."""
    return path.stat().st_size if path.is_file() else sum(file.stat().st_size for file in _files(path))


def _files(folder: Path) -> list[Path]:
    """All files of a folder in one order everywhere; hidden ones, which downloads leave, are none of the model's."""
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder} is gone")
    files = (file for file in folder.rglob("*") if file.is_file())
    return sorted(file for file in files if not any(part.startswith(".") for part in file.relative_to(folder).parts))


def _hash_file(path: Path, stopped: Callable[[], bool]) -> str:
    found = hashlib.sha256()
    buffer = bytearray(_BLOCK_BYTES)
    with path.open("rb", buffering=0) as file:
        while size := file.readinto(buffer):
            if stopped():
                raise HashingStoppedError(str(path))
            found.update(memoryview(buffer)[:size])
    return found.hexdigest()
