"""How a command ends when it cannot do what it was asked: its errors, its exit status and the lines it prints."""

from collections.abc import Mapping, Sequence
from enum import IntEnum

from impasto.errors import CoreError, ServerError, SettingsError, WorkflowFormatError
from impasto_sdk.errors import ImpastoError

__all__ = [
    "CommandError",
    "ExitStatus",
    "RequestRefusedError",
    "RunFailedError",
    "StoppedError",
    "UsageError",
    "lines_of",
    "status_of",
]


class ExitStatus(IntEnum):
    """What a command's exit status means."""

    DONE = 0
    #: It was understood and could not be done: a run failed, a thing is missing, a request was refused.
    FAILED = 1
    #: The command line or a setting is wrong.
    USAGE = 2
    #: No server can be reached or started.
    NO_SERVER = 3
    #: Ctrl-C; what was running was cancelled.
    INTERRUPTED = 130


class CommandError(CoreError):
    """What was asked for cannot be done; the message is all that a person needs."""


class UsageError(CommandError):
    """An option cannot mean anything, alone or beside the others; the message names it and shows one that would do."""


class RequestRefusedError(CommandError):
    """The server answered with a problem document.

    `status` is the HTTP status, `title` the kind of problem in words, and `errors` the entries of the document, each
    with at least a message.
    """

    def __init__(
        self, status: int, detail: str, *, title: str = "", errors: Sequence[Mapping[str, object]] = ()
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.title = title
        self.errors = tuple(errors)


class RunFailedError(CommandError):
    """A queue item did not complete. `item_id` names it, `status` is how it ended."""

    def __init__(self, item_id: int, status: str, problem: str) -> None:
        super().__init__(f"queue item {item_id} {status}: {problem}" if problem else f"queue item {item_id} {status}")
        self.item_id = item_id
        self.status = status
        self.problem = problem


class StoppedError(CommandError):
    """Ctrl-C ended the command. `item_ids` are the queue items that were cancelled for it."""

    def __init__(self, item_ids: Sequence[int] = ()) -> None:
        what = f"; cancelled queue item {', '.join(map(str, item_ids))}" if item_ids else ""
        super().__init__(f"stopped{what}")
        self.item_ids = tuple(item_ids)


def status_of(error: ImpastoError) -> ExitStatus:
    """The exit status that an error leads to."""
    if isinstance(error, StoppedError):
        return ExitStatus.INTERRUPTED
    if isinstance(error, ServerError):
        return ExitStatus.NO_SERVER
    if isinstance(error, SettingsError | UsageError):
        return ExitStatus.USAGE
    return ExitStatus.FAILED


def lines_of(error: ImpastoError) -> list[str]:
    """What is printed for an error: one line, and below it one for each problem when there are several."""
    if isinstance(error, RequestRefusedError) and len(error.errors) > 1:
        # the detail of such a document says some or all of them once more
        return [f"{error.title}, for {len(error.errors)} reasons:", *(f"  {_entry(entry)}" for entry in error.errors)]
    if isinstance(error, WorkflowFormatError) and len(error.problems) > 1:
        reasons = [f"  {problem.message}" for problem in error.problems]
        return [f"The workflow is malformed, in {len(reasons)} places:", *reasons]
    if isinstance(error, SettingsError) and len(error.problems) > 1:
        return [f"{error.source}:", *(f"  {problem}" for problem in error.problems)]
    return [str(error)]


def _entry(entry: Mapping[str, object]) -> str:
    message = str(entry.get("message", ""))
    names = [str(entry[key]) for key in ("node_id", "field") if entry.get(key)]
    place = ".".join(names) or str(entry.get("path") or "")
    # a message that begins with its node says where it is by itself
    return f"{place}: {message}" if place and not message.startswith((*names[:1], place)) else message
