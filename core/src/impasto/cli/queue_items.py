"""What ``impasto queue list``, ``show`` and ``status`` print: many items, one of them, and how many there are."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from shlex import quote as quoted
from urllib.parse import quote

from impasto.cli.client import Client, JsonObject
from impasto.cli.listings import Listing, duration_in_words, local_time
from impasto.cli.terminal import print_facts, print_json, say

__all__ = ["counts_in_words", "item_facts", "list_items", "list_queues", "print_item", "queue_path"]

#: Most items that one request may name.
PORTION = 1_000
#: Most waiting items that the server lists in their order.
MOST_WAITING = 10_000
STATUSES = ("pending", "in_progress", "completed", "failed", "canceled")


def queue_path(queue_id: str) -> str:
    """Where a queue lies on the server."""
    return f"/api/v1/queue/{quote(queue_id, safe='')}"


def list_items(
    client: Client,
    queue_id: str,
    *,
    statuses: Sequence[str] = (),
    batch_id: str | None = None,
    limit: int = 50,
    now: datetime | None = None,
) -> Listing:
    """The newest items of a queue; only those in one of these statuses or of that batch, if one is named.

    They are listed by number, and what waits after them in the order in which it is due. Of what waits alone, those
    that are due next are listed, not the newest. `limit`: at most so many. `now` is what ages are counted from.
    """
    path, moment = queue_path(queue_id), now or datetime.now(UTC)
    status = client.get(f"{path}/status")["queue"]
    if set(statuses) == {"pending"} and batch_id is None:
        items = client.get(f"{path}/waiting", limit=min(limit, MOST_WAITING))
    else:
        items = _as_they_are_due(_newest(client, path, statuses, batch_id, limit), client, queue_id)
    narrowed = bool(statuses) or batch_id is not None
    named = "" if queue_id == "default" else f" --queue {quoted(queue_id)}"
    paused = f"; paused, `impasto queue resume{named}` goes on" if _is_paused(client, queue_id) else ""
    hidden = f"; the newest {limit} are shown, --limit shows more" if not narrowed and status["total"] > limit else ""
    return Listing(
        document={"status": status, "items": items},
        columns=("item", "status", "priority", "batch", "age", "waited", "ran", "error"),
        rows=[
            (
                item["item_id"],
                item["status"],
                item["priority"],
                item["batch_id"],
                _between(item["created_at"], None, moment),
                _between(item["created_at"], item["started_at"] or item["completed_at"], moment),
                "" if item["started_at"] is None else _between(item["started_at"], item["completed_at"], moment),
                _first_line(item["error_message"]),
            )
            for item in items
        ],
        empty="no item is like that" if narrowed and status["total"] else f"the queue {queue_id!r} is empty",
        remark=f"{counts_in_words(status)}{hidden}{paused}",
    )


def _is_paused(client: Client, queue_id: str) -> bool:
    return any(queue["is_paused"] for queue in client.get("/api/v1/queue/") if queue["queue_id"] == queue_id)


def _newest(
    client: Client, path: str, statuses: Sequence[str], batch_id: str | None, limit: int
) -> Sequence[JsonObject]:
    """By number; only those in one of these statuses or of that batch, if one is named."""
    item_ids = client.get(f"{path}/item_ids", order_dir="DESC")["item_ids"]
    found: list[JsonObject] = []
    for start in range(0, len(item_ids), PORTION):
        portion = client.post(f"{path}/item_summaries_by_ids", {"item_ids": item_ids[start : start + PORTION]})
        found += [
            item
            for item in portion
            if (not statuses or item["status"] in statuses) and batch_id in (None, item["batch_id"])
        ]
        if len(found) >= limit:
            break
    return found[:limit][::-1]


def _as_they_are_due(items: Sequence[JsonObject], client: Client, queue_id: str) -> list[JsonObject]:
    """What does not wait first, and what waits in its order."""
    if not any(item["status"] == "pending" for item in items):
        return list(items)
    due = client.get(f"{queue_path(queue_id)}/waiting", limit=PORTION)
    places = {item["item_id"]: place for place, item in enumerate(due)}
    # what is far behind, or came or went since, stays where its number puts it
    return sorted(items, key=lambda item: (item["status"] == "pending", places.get(item["item_id"], len(places))))


def print_item(client: Client, queue_id: str, item_id: int, *, as_json: bool) -> None:
    """Print all there is to know of an item: with `as_json` with its session, else with what its nodes gave."""
    item = client.get(f"{queue_path(queue_id)}/i/{item_id}")
    if as_json:
        print_json(item)
        return
    print_facts(item_facts(item, datetime.now(UTC)))
    if item["error_traceback"]:
        say(item["error_traceback"].rstrip())


def item_facts(item: JsonObject, now: datetime) -> dict[str, object]:
    """An item in words, by name; what it does not have is left out."""
    session = item["session"]
    facts = {
        "item": item["item_id"],
        "status": item["status"],
        "priority": item["priority"],
        "batch": item["batch_id"],
        "session": item["session_id"],
        "origin": item["origin"],
        "destination": item["destination"],
        "does again": item["retried_from_item_id"],
        "created": local_time(item["created_at"]),
        "waited": _between(item["created_at"], item["started_at"] or item["completed_at"], now),
        "ran": None if item["started_at"] is None else _between(item["started_at"], item["completed_at"], now),
        "attempts": item["attempts"],
        "worker": item["worker_id"],
        "values": ", ".join(f"{v['node_path']}.{v['field_name']}={v['value']}" for v in item["field_values"] or ()),
        "nodes": f"{len(session['results'])} finished of {len(session['graph']['nodes'])} in the graph",
        "error": item["error_message"],
    }
    return {name: value for name, value in facts.items() if value not in (None, "")}


def list_queues(client: Client, queue_id: str | None) -> Listing:
    """How many items of every queue are in each status, and whether it is paused; of one queue if it is named."""
    queues = [queue for queue in client.get("/api/v1/queue/") if queue_id in (None, queue["queue_id"])]
    return Listing(
        document=queues,
        columns=("queue", *(name.replace("_", " ") for name in STATUSES), "total", "paused"),
        rows=[
            (
                queue["queue_id"],
                *(queue[name] for name in STATUSES),
                queue["total"],
                "yes" if queue["is_paused"] else "no",
            )
            for queue in queues
        ],
        empty="no queue was ever used" if queue_id is None else f"the queue {queue_id!r} was never used",
    )


def counts_in_words(status: Mapping[str, object]) -> str:
    """How many items are in each status: ``3 pending, 1 in progress, …``."""
    return ", ".join(f"{status.get(name, 0)} {name.replace('_', ' ')}" for name in STATUSES)


def _between(begin: str, end: str | None, now: datetime) -> str:
    """How long it is from one moment of the server to another, or to now."""
    until = now if end is None else datetime.fromisoformat(end)
    return duration_in_words((until - datetime.fromisoformat(begin)).total_seconds())


def _first_line(text: str | None) -> str:
    return (text or "").partition("\n")[0]
