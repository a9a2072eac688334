"""`SecretFile`: ``api_keys.yaml`` in the root folder, which only its owner may read.

Lines of ``name: secret``, apart from the settings, which may be shown to anybody. What the names mean is for
`impasto.host.secrets`, which reads and writes it. No error that is raised here, and no line that is logged, repeats
anything but names.
"""

import logging
import os
import secrets
import stat
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from glob import escape
from pathlib import Path

import yaml

from impasto.errors import SettingsError, StorageUnavailableError

__all__ = ["SecretFile"]

#: Read and written by its owner, and nobody else.
MODE = 0o600
#: What others may do with a file.
_OTHERS = 0o077
#: How the names of drafts end.
_DRAFT = ".draft"
_HEADER = "# Keys of external services. The server writes this file; names that it does not know stay in it.\n"
_NULL = "tag:yaml.org,2002:null"
_FORM = "write one `name: secret` in each line, the secret in quotes"

logger = logging.getLogger(__name__)


class SecretFile:
    """The file at `path`, which need not be there. A symbolic link is followed, and stays one."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> dict[str, str]:
        """Secrets by name, in order; none where there is no file. One that others may read is closed to them.

        Raises `SettingsError` when it cannot be read or makes no sense, with the line.
        """
        try:
            with self.path.open("rb") as file:
                self._tighten(file.fileno())
                text = file.read().decode("utf-8-sig")
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise SettingsError(str(self.path), [f"cannot be read: {error.strerror}"]) from error
        except UnicodeDecodeError:
            raise SettingsError(str(self.path), ["cannot be read: it is no text"]) from None  # which quotes it
        return self._parse(text)

    def write(self, values: Mapping[str, str]) -> None:
        """Put these in the place of all that stands there, at once or not at all.

        Raises `StorageUnavailableError` when the file cannot be written.
        """
        target = self.path.resolve()
        draft = target.with_name(f".{target.name}.{secrets.token_hex(8)}{_DRAFT}")
        lines = yaml.safe_dump(dict(values), sort_keys=False, allow_unicode=True, width=sys.maxsize) if values else ""
        try:
            # with its mode from the first byte: between a write and a change of mode anybody could read
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, MODE)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write((_HEADER + lines).encode())
                    file.flush()
                    os.fsync(descriptor)
                draft.replace(target)
            except BaseException:
                with suppress(OSError):
                    draft.unlink()
                raise
            _sync(target.parent)
        except OSError as error:
            raise StorageUnavailableError(str(self.path), "written", str(error.strerror)) from error

    @contextmanager
    def changing(self) -> Iterator[dict[str, str]]:
        """What stands there, to be changed in the block, and written when it ends well.

        One at a time, whichever process it is, so that nothing that another writes is lost. Raises
        `StorageUnavailableError` when it cannot be read or written, or makes no sense any more.
        """
        with self._alone():
            self._discard_drafts()
            try:
                values = self.read()
            except SettingsError as error:  # who asks has not written it
                raise StorageUnavailableError(str(self.path), "changed", "; ".join(error.problems)) from error
            yield values
            self.write(values)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold the lock; a file of its own, since the other is replaced by each write, and one for all links to it."""
        target = self.path.resolve()
        lock = target.with_name(f".{target.name}.lock")
        try:
            descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, MODE)
        except OSError as error:
            raise StorageUnavailableError(str(self.path), "written", str(error.strerror)) from error
        try:
            _lock(descriptor)
            yield
        finally:
            os.close(descriptor)  # which gives up the lock

    def _discard_drafts(self) -> None:
        """Remove what a process has left that was killed while it wrote. Call it with the lock held."""
        target = self.path.resolve()
        for draft in target.parent.glob(f".{escape(target.name)}.*{_DRAFT}"):
            with suppress(OSError):
                draft.unlink()

    def _tighten(self, descriptor: int) -> None:
        mode = stat.S_IMODE(os.fstat(descriptor).st_mode)
        if sys.platform == "win32" or not mode & _OTHERS:
            return
        told = "%s was open to other users of this machine (mode %04o), who may have read the keys in it; "
        try:
            os.fchmod(descriptor, MODE)
        except OSError as error:
            logger.warning(told + "its mode cannot be changed: %s", self.path, mode, error.strerror)
        else:
            logger.warning(told + "its mode is %04o now", self.path, mode, MODE)

    def _parse(self, text: str) -> dict[str, str]:
        try:
            document = yaml.compose(text, Loader=yaml.SafeLoader)
        except yaml.YAMLError as error:
            # PyYAML's own words may quote a secret
            mark = getattr(error, "problem_mark", None)
            raise self._wrong("not YAML", mark) from None
        if document is None:
            return {}
        if not isinstance(document, yaml.MappingNode):
            raise self._wrong("not a list of names and secrets", document.start_mark)
        values: dict[str, str] = {}
        for name, value in document.value:
            if not isinstance(name, yaml.ScalarNode):
                raise self._wrong("no name", name.start_mark)
            if not isinstance(value, yaml.ScalarNode):
                raise self._wrong(f"{name.value!r} is no text", value.start_mark)
            if name.value in values:
                raise self._wrong(f"{name.value!r} stands there twice", name.start_mark, "take one of the two out")
            # as it is written: a secret of nothing but digits is no number
            values[name.value] = "" if value.tag == _NULL else value.value
        return values

    def _wrong(self, problem: str, mark: yaml.Mark | None, fix: str = _FORM) -> SettingsError:
        where = f"line {mark.line + 1}: " if mark is not None else ""
        return SettingsError(str(self.path), [f"{where}{problem}; {fix}"])


def _sync(folder: Path) -> None:
    """Have the new name of a file survive a loss of power."""
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_LOCK, 1)

else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
