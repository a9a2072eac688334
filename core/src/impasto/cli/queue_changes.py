"""What ``impasto queue`` asks a server to change: cancel, do again, move, prefer, halt, tidy up."""

from collections.abc import Sequence

from impasto.cli.client import Client, JsonObject
from impasto.cli.failures import UsageError
from impasto.cli.queue_items import queue_path

__all__ = ["Place", "cancel", "clear", "move", "pause", "place_of", "prioritise", "prune", "resume", "retry"]

#: Where an item is to go, as the server takes it: ``{"to": "front"}``, ``{"before": 7}`` …
Place = dict[str, str | int]


def cancel(
    client: Client, queue_id: str, item_ids: Sequence[int], *, batch_ids: Sequence[str] = (), everything: bool = False
) -> int:
    """Cancel these items, what is left of these batches, or all that waits and runs; how many items that was.

    An item that has ended stays as it is and is not counted. Raises `UsageError` unless exactly one is asked for.
    """
    if [bool(item_ids), bool(batch_ids), everything].count(True) != 1:
        raise UsageError("say what to cancel: items by their numbers, or --batch, or --all")
    path = queue_path(queue_id)
    if everything:
        return int(client.put(f"{path}/cancel_all")["canceled"])
    if batch_ids:
        return int(client.put(f"{path}/cancel_by_batch_ids", {"batch_ids": list(batch_ids)})["canceled"])
    items = [client.get(f"{path}/i/{item_id}") for item_id in item_ids]  # an unknown one is refused before any is lost
    open_ids = [item["item_id"] for item in items if item["status"] in ("pending", "in_progress", "waiting")]
    return sum(client.put(f"{path}/i/{item_id}/cancel")["status"] == "canceled" for item_id in open_ids)


def retry(client: Client, queue_id: str, item_ids: Sequence[int]) -> JsonObject:
    """Do failed and cancelled items again, as new items; the server's answer."""
    result: JsonObject = client.put(f"{queue_path(queue_id)}/retry_items_by_id", list(item_ids))
    return result


def place_of(*, front: bool, back: bool, before: int | None, after: int | None) -> Place:
    """Where an item is to go. Raises `UsageError` unless exactly one place is named."""
    named: list[Place] = []
    named += [{"to": "front"}] if front else []
    named += [{"to": "back"}] if back else []
    named += [{"before": before}] if before is not None else []
    named += [{"after": after}] if after is not None else []
    if len(named) != 1:
        raise UsageError("say where to: --front, --back, --before ITEM or --after ITEM")
    return named[0]


def move(client: Client, queue_id: str, item_id: int, place: Place) -> None:
    """Put an item that waits somewhere else in its queue."""
    client.put(f"{queue_path(queue_id)}/i/{item_id}/move", place)


def prioritise(client: Client, queue_id: str, item_ids: Sequence[int], priority: int) -> None:
    """Give items that wait another priority."""
    for item_id in item_ids:  # an unknown one is refused before any is changed
        client.get(f"{queue_path(queue_id)}/i/{item_id}")
    for item_id in item_ids:
        client.put(f"{queue_path(queue_id)}/i/{item_id}/priority", {"priority": priority})


def pause(client: Client, queue_id: str) -> None:
    """Let no more items of a queue begin; what runs goes on."""
    client.put(f"{queue_path(queue_id)}/processor/pause")


def resume(client: Client, queue_id: str) -> None:
    """Let items of a queue begin again."""
    client.put(f"{queue_path(queue_id)}/processor/resume")


def clear(client: Client, queue_id: str) -> int:
    """Cancel what runs and delete every item; how many that was."""
    return int(client.put(f"{queue_path(queue_id)}/clear")["deleted"])


def prune(client: Client, queue_id: str) -> int:
    """Delete the items that have ended; how many that was."""
    return int(client.put(f"{queue_path(queue_id)}/prune")["deleted"])
