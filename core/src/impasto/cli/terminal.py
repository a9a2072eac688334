"""What a command prints: tables and JSON on standard output; progress and remarks on standard error."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from impasto.cli.event_stream import EventMessage

__all__ = ["RunProgress", "print_json", "print_table", "run_progress", "say", "waiting"]


#: Columns of a table that no terminal shows.
PIPE_WIDTH = 10_000


def print_json(value: object) -> None:
    """Print a value as JSON, for programs."""
    print(json.dumps(value, indent=2, ensure_ascii=False))


def print_table(columns: Sequence[str], rows: Sequence[Sequence[object]], *, empty: str) -> None:
    """Print rows as a table; when there are none, the sentence `empty`."""
    if not rows:
        say(empty)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        # as text: a value may hold what rich would take for markup
        table.add_row(*(Text("" if value is None else str(value)) for value in row))
    # into a pipe or a file, a row is a line, however long
    console = Console() if Console().is_terminal else Console(width=PIPE_WIDTH)
    console.print(table)


def say(sentence: str) -> None:
    """Print a line for a person, beside what a program would read."""
    Console(stderr=True, highlight=False, soft_wrap=True, markup=False).print(sentence)


@contextmanager
def waiting(what: str) -> Iterator[None]:
    """Show on a terminal that something takes a while."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield
        return
    with console.status(f"{what} …"):
        yield


class RunProgress:
    """Shows how far a run is, from its events."""

    def __init__(self, progress: Progress, items: int) -> None:
        self._progress = progress
        self._items = items
        self._ended = 0
        self._task = progress.add_task("waiting", total=None)

    def show(self, event: EventMessage) -> None:
        """Take in an event of the run."""
        if event.name == "invocation_started":
            self._update(_node_type(event.data), None)
        elif event.name == "invocation_progress":
            message = str(event.data.get("message") or _node_type(event.data))
            self._update(message, event.data.get("percentage"))
        elif event.name == "queue_item_status_changed" and event.data.get("status") == "completed":
            self._ended += 1

    def _update(self, what: str, part: float | None) -> None:
        prefix = f"{min(self._ended + 1, self._items)} of {self._items}: " if self._items > 1 else ""
        total = None if part is None else 1.0
        self._progress.update(self._task, description=f"{prefix}{what}", total=total, completed=part or 0.0)


@contextmanager
def run_progress(items: int) -> Iterator[RunProgress]:
    """A progress bar for a run of `items` queue items; nothing where standard error is no terminal."""
    console = Console(stderr=True)
    progress = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    with progress:
        yield RunProgress(progress, items)


def _node_type(data: Mapping[str, object]) -> str:
    invocation = data.get("invocation")
    return str(invocation.get("type", "")) if isinstance(invocation, Mapping) else ""
