"""Writing pictures where a person asked for them: checked before work is done, and never half a file."""

import os
from pathlib import Path

from impasto.cli.failures import CommandError, UsageError

__all__ = ["check_writable", "make_folder", "numbered", "write_picture"]

#: What the server makes.
PICTURE_ENDING = ".png"


def check_writable(path: Path) -> None:
    """Raise `CommandError` when a picture cannot be written to `path`, before it is made."""
    if path.is_dir():
        raise UsageError(f"{path} is a folder; give --out the name of a file")
    if path.suffix.lower() != PICTURE_ENDING:
        raise UsageError(f"pictures are PNG files: give --out a name like {path.with_suffix(PICTURE_ENDING)}")
    folder = path.absolute().parent
    if not folder.is_dir():
        raise CommandError(f"the folder {folder} does not exist; make it first, or give --out another name")
    if not os.access(folder, os.W_OK):
        raise CommandError(f"no file can be written to the folder {folder}")


def make_folder(folder: Path) -> None:
    """Make a folder for pictures where it is missing. Raises `CommandError` when they cannot be written there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise UsageError(f"{folder} is a file; give --out the name of a folder") from error
    except OSError as error:
        raise CommandError(f"the folder {folder} cannot be made: {error.strerror}") from error
    if not os.access(folder, os.W_OK):
        raise CommandError(f"no file can be written to the folder {folder}")


def numbered(path: Path, count: int) -> list[Path]:
    """`path` for a single picture; for several ``name-1.png``, ``name-2.png`` …"""
    if count == 1:
        return [path]
    return [path.with_name(f"{path.stem}-{number}{path.suffix}") for number in range(1, count + 1)]


def write_picture(path: Path, data: bytes) -> None:
    """Write the whole file or nothing; a file of that name is replaced. Raises `CommandError`."""
    unfinished = path.with_name(f".{path.name}.part")
    try:
        unfinished.write_bytes(data)
        unfinished.replace(path)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise CommandError(f"{path} cannot be written: {error.strerror}") from error
