"""What ``impasto queue watch`` shows: on a terminal a picture of the queue that changes, in a pipe a line for each item
that ends, with ``--json`` a line for each event.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from impasto.cli.client import Client
from impasto.cli.event_stream import EventMessage
from impasto.cli.failures import StoppedError
from impasto.cli.follow import RECONNECTS
from impasto.cli.queue_items import counts_in_words, queue_path
from impasto.cli.terminal import say
from impasto.cli.watched_queue import UNCOUNTED, EndedItem, WatchedQueue
from impasto.errors import ServerError

__all__ = ["view", "watch_queue"]

#: Width of a bar, in columns.
BAR_WIDTH = 30
STYLES = {"completed": "green", "failed": "red", "canceled": "yellow"}

#: Takes what has just happened: the event, and the items that ended with it.
Show = Callable[[EventMessage, Sequence[EndedItem]], object]


def watch_queue(client: Client, queue_id: str, *, as_json: bool) -> None:
    """Show what happens in a queue until Ctrl-C, which raises `StoppedError`; `ServerError` when the server is gone."""
    queue = WatchedQueue(queue_id)
    try:
        with _json_lines() if as_json else _picture(queue) if Console().is_terminal else _lines(queue) as show:
            _watch(client, queue, show)
    except KeyboardInterrupt:
        raise StoppedError from None


def view(queue: WatchedQueue) -> Group:
    """The queue as a picture: its counts, what runs, and what ended last."""
    running = Table(box=None, pad_edge=False, show_header=False)
    for item in queue.running.values():
        percent = "" if item.part is None else f"{item.part:4.0%}"
        bar = ProgressBar(total=None if item.part is None else 1.0, completed=item.part or 0.0, width=BAR_WIDTH)
        running.add_row(f"item {item.item_id}", bar, percent, Text(item.what))
    ended = [Text(str(item), style=STYLES[item.status]) for item in queue.ended]
    counts = Text(f"queue {queue.queue_id!r}: {counts_in_words(queue.counts)}", style="bold")
    return Group(counts, running if queue.running else Text("nothing runs"), *ended)


def _watch(client: Client, queue: WatchedQueue, show: Show) -> None:
    since, lost, path = None, 0, queue_path(queue.queue_id)
    while lost < RECONNECTS:
        with client.events(since=since, queue_id=queue.queue_id) as events:
            for event in events:
                if event.name == "hello" and (since is None or not event.data["complete"]):
                    queue.begin(client.get(f"{path}/status")["queue"], client.get(f"{path}/current"))
                else:
                    lost = 0
                since = event.id or since
                ended = queue.take(event)
                if event.name in UNCOUNTED:
                    queue.counts = client.get(f"{path}/status")["queue"]
                show(event, ended)
        lost += 1
    raise ServerError(f"the server at {client.url} ends its event stream again and again")


@contextmanager
def _picture(queue: WatchedQueue) -> Iterator[Show]:
    with Live(view(queue), transient=True) as live:
        yield lambda event, ended: live.update(view(queue))


@contextmanager
def _lines(queue: WatchedQueue) -> Iterator[Show]:
    def show(event: EventMessage, ended: Sequence[EndedItem]) -> None:
        if event.name == "hello":
            say(f"queue {queue.queue_id!r}: {counts_in_words(queue.counts)}")
        for item in ended:
            print(item, flush=True)

    yield show


@contextmanager
def _json_lines() -> Iterator[Show]:
    yield lambda event, ended: print(
        json.dumps({"id": event.id, "event": event.name, "data": event.data}, ensure_ascii=False), flush=True
    )
