"""Why the database, a file or a picture cannot be used."""

from impasto.errors.root import CoreError

__all__ = ["DatabaseVersionError", "StorageError", "StorageUnavailableError", "UnreadableImageError"]


class StorageError(CoreError):
    """The database or a file cannot be used."""


class StorageUnavailableError(StorageError):
    """Something cannot be read or written now, through no fault of who asked: the disk is full, a file is held or gone.

    `path` is what it is about, `reason` what the operating system or the database says.
    """

    #: When it may be worth asking again, in seconds.
    retry_after_s = 30

    def __init__(self, path: str, what: str, reason: str) -> None:
        super().__init__(f"{path} cannot be {what}: {reason}")
        self.path = path
        self.reason = reason


class DatabaseVersionError(StorageError):
    """The database was written by a newer version. `found` is its revision, `known` the newest this one knows."""

    def __init__(self, path: str, found: str, known: str) -> None:
        super().__init__(
            f"{path} was written by a newer Impasto (revision {found}; this one knows {known}). "
            f"Update Impasto, or start with another `root`"
        )
        self.path = path
        self.found = found
        self.known = known


class UnreadableImageError(StorageError):
    """Bytes that were given as an image are none."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"{problem}; PNG, JPEG and WebP are taken")
        self.problem = problem
