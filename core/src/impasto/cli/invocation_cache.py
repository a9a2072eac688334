"""What ``impasto cache`` asks of a server: how the invocation caches of its workers do, and to change that."""

from impasto.cli.client import Client
from impasto.cli.listings import Listing, size_in_words

__all__ = ["change_cache", "list_caches"]

_PATH = "/api/v1/app/invocation_cache"


def list_caches(client: Client) -> Listing:
    """The cache of every worker."""
    status = client.get(f"{_PATH}/status")
    return Listing(
        document=status,
        columns=("worker", "enabled", "entries", "takes", "at most", "hits", "misses"),
        rows=[
            (
                cache["worker_id"],
                "yes" if cache["enabled"] else "no",
                cache["size"],
                size_in_words(cache["bytes"]),
                size_in_words(cache["max_bytes"]),
                cache["hits"],
                cache["misses"],
            )
            for cache in status["workers"]
        ],
        empty="the server has no workers",
    )


def change_cache(client: Client, action: str) -> None:
    """Have all caches cleared (`clear`), or used (`enable`) or not (`disable`) by nodes from now on."""
    if action == "clear":
        client.delete(_PATH)
    else:
        client.put(f"{_PATH}/{action}")
