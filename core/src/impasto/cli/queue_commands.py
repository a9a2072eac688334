"""``impasto queue …``: what can be typed for queues. What is done lies in the modules `queue_…` beside it.

Bodies import what they need, like those of `impasto.cli.commands`, which this group is a part of. A queue lies in the
database, so all but `watch` work without a server, on one that runs nothing.
"""

from enum import StrEnum
from typing import Annotated

import typer

from impasto.cli.options import AsJson, Root, Url

__all__ = ["queue"]

queue = typer.Typer(
    name="queue",
    help="Look at what waits, runs and has run, and change it.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)

QueueId = Annotated[str, typer.Option("--queue", help="Name of the queue.", metavar="NAME")]
Item = Annotated[int, typer.Argument(help="Number of an item.", metavar="ITEM", min=1, show_default=False)]
Items = Annotated[list[int], typer.Argument(help="Numbers of items.", metavar="ITEM", min=1, show_default=False)]
SomeItems = Annotated[
    list[int] | None, typer.Argument(help="Numbers of items.", metavar="ITEM", min=1, show_default=False)
]


class Status(StrEnum):
    """What an item can be in."""

    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELED = "canceled"


@queue.command("list")
def list_queue(
    queue_id: QueueId = "default",
    status: Annotated[
        list[Status] | None, typer.Option(help="Only items in this status; may be repeated.", show_default=False)
    ] = None,
    batch: Annotated[
        str | None, typer.Option(help="Only items of this batch.", metavar="ID", show_default=False)
    ] = None,
    limit: Annotated[int, typer.Option(help="How many to show: the newest; of what waits, the next.", min=1)] = 50,
    root: Root = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """List the items of a queue, oldest first."""
    from impasto.cli.connection import connect
    from impasto.cli.queue_items import list_items

    with connect(root, url, start=False) as client:
        listing = list_items(client, queue_id, statuses=status or (), batch_id=batch, limit=limit)
    listing.print(as_json=as_json)


@queue.command()
def show(
    item: Item, queue_id: QueueId = "default", root: Root = None, url: Url = None, as_json: AsJson = False
) -> None:
    """Say all there is to know of an item."""
    from impasto.cli.connection import connect
    from impasto.cli.queue_items import print_item

    with connect(root, url, start=False) as client:
        print_item(client, queue_id, item, as_json=as_json)


@queue.command()
def status(
    queue_id: Annotated[
        str | None, typer.Option("--queue", help="Only this queue.", metavar="NAME", show_default="all of them")
    ] = None,
    root: Root = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Say how many items each queue has in each status, and which are paused."""
    from impasto.cli.connection import connect
    from impasto.cli.queue_items import list_queues

    with connect(root, url, start=False) as client:
        list_queues(client, queue_id).print(as_json=as_json)


@queue.command()
def cancel(
    items: SomeItems = None,
    batches: Annotated[
        list[str] | None,
        typer.Option(
            "--batch", help="Cancel what is left of this batch; may be repeated.", metavar="ID", show_default=False
        ),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Cancel all that waits and runs.")] = False,
    queue_id: QueueId = "default",
    root: Root = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Cancel items that wait or run. Those that have ended stay as they are."""
    from impasto.cli.connection import connect
    from impasto.cli.queue_changes import cancel

    with connect(root, url, start=False) as client:
        count = cancel(client, queue_id, items or (), batch_ids=batches or (), everything=everything)
    _say_count(count, "canceled", "cancelled", as_json=as_json)


@queue.command()
def retry(
    items: Items, queue_id: QueueId = "default", root: Root = None, url: Url = None, as_json: AsJson = False
) -> None:
    """Do items again that failed or were cancelled, and print the numbers of the new ones."""
    from impasto.cli.connection import connect
    from impasto.cli.queue_changes import retry
    from impasto.cli.terminal import print_json

    with connect(root, url, start=False) as client:
        result = retry(client, queue_id, items)
    if as_json:
        print_json(result)
        return
    for item_id in result["item_ids"]:
        print(item_id)


@queue.command()
def move(
    item: Item,
    front: Annotated[bool, typer.Option("--front", help="Before all that wait.")] = False,
    back: Annotated[bool, typer.Option("--back", help="Behind all that wait.")] = False,
    before: Annotated[
        int | None, typer.Option(help="Right before this item.", metavar="ITEM", show_default=False)
    ] = None,
    after: Annotated[
        int | None, typer.Option(help="Right behind this item.", metavar="ITEM", show_default=False)
    ] = None,
    queue_id: QueueId = "default",
    root: Root = None,
    url: Url = None,
) -> None:
    """Put an item that waits somewhere else in its queue."""
    from impasto.cli.connection import connect
    from impasto.cli.queue_changes import move, place_of

    place = place_of(front=front, back=back, before=before, after=after)
    with connect(root, url, start=False) as client:
        move(client, queue_id, item, place)


@queue.command(context_settings={"ignore_unknown_options": True})  # a priority may begin with a minus
def priority(
    number: Annotated[
        int, typer.Argument(help="Higher ones run first; 0 is usual.", metavar="PRIORITY", show_default=False)
    ],
    items: Items,
    queue_id: QueueId = "default",
    root: Root = None,
    url: Url = None,
) -> None:
    """Give items that wait another priority."""
    from impasto.cli.connection import connect
    from impasto.cli.queue_changes import prioritise

    with connect(root, url, start=False) as client:
        prioritise(client, queue_id, items, number)


@queue.command()
def pause(queue_id: QueueId = "default", root: Root = None, url: Url = None) -> None:
    """Let no more items begin; what runs goes on."""
    from impasto.cli.connection import connect
    from impasto.cli.queue_changes import pause

    with connect(root, url, start=False) as client:
        pause(client, queue_id)


@queue.command()
def resume(queue_id: QueueId = "default", root: Root = None, url: Url = None) -> None:
    """Let items begin again."""
    from impasto.cli.connection import connect
    from impasto.cli.queue_changes import resume

    with connect(root, url, start=False) as client:
        resume(client, queue_id)


@queue.command()
def clear(queue_id: QueueId = "default", root: Root = None, url: Url = None, as_json: AsJson = False) -> None:
    """Cancel what runs and delete every item. Images stay."""
    from impasto.cli.connection import connect
    from impasto.cli.queue_changes import clear

    with connect(root, url, start=False) as client:
        count = clear(client, queue_id)
    _say_count(count, "deleted", "deleted", as_json=as_json)


@queue.command()
def prune(queue_id: QueueId = "default", root: Root = None, url: Url = None, as_json: AsJson = False) -> None:
    """Delete the items that have ended. Images stay."""
    from impasto.cli.connection import connect
    from impasto.cli.queue_changes import prune

    with connect(root, url, start=False) as client:
        count = prune(client, queue_id)
    _say_count(count, "deleted", "deleted", as_json=as_json)


@queue.command()
def watch(
    queue_id: QueueId = "default",
    root: Root = None,
    url: Url = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print each event as a line of JSON, for programs.")] = False,
) -> None:
    """Show what a server's queue does, as it happens; Ctrl-C ends it."""
    from impasto.cli.connection import connect
    from impasto.cli.queue_watch import watch_queue

    with connect(root, url, embed=False) as client:
        watch_queue(client, queue_id, as_json=as_json)


def _say_count(count: int, key: str, word: str, *, as_json: bool) -> None:
    from impasto.cli.terminal import print_json

    if as_json:
        print_json({key: count})
    else:
        print(f"{count} {'item' if count == 1 else 'items'} {word}")
