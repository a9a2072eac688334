"""How the files of images and their rows are brought together after a crash. Used by `ImageLibrary`."""

from collections.abc import Sequence
from dataclasses import dataclass

from impasto.storage.images.files import ImageFiles
from impasto.storage.images.records import ImageRecords

__all__ = ["Tidied", "tidy"]


@dataclass(frozen=True, slots=True)
class Tidied:
    """What was done."""

    #: How many files had no row, and were removed.
    orphans: int
    #: Names of images whose file is gone. Their rows are kept: the folder may be restored, or not be mounted.
    missing: Sequence[str]


def tidy(records: ImageRecords, files: ImageFiles) -> Tidied:
    """Remove files without a row, and find rows without a file. Images may be saved and deleted meanwhile."""
    found = files.left_behind()
    known = records.exist(found)
    orphans = [name for name in found if name not in known]
    for name in orphans:
        files.remove(name)
    missing = [name for some in records.all_names() for name in some if not files.there(name)]
    return Tidied(len(orphans), sorted(records.exist(missing)))  # what was deleted since is not missed
