"""How far a run is, as a bar on a terminal."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from impasto.cli.event_stream import EventMessage

__all__ = ["RunProgress", "run_progress"]


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
