"""What ``impasto plugins``, ``nodes`` and ``models`` print: an answer of the server, as rows; and values in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from impasto.cli.client import Client
from impasto.cli.terminal import print_json, print_table, say

__all__ = [
    "Listing",
    "duration_in_words",
    "list_models",
    "list_nodes",
    "list_plugins",
    "local_time",
    "size_in_words",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A list, for people and for programs."""

    #: As the server gave it.
    document: Any
    columns: Sequence[str]
    rows: Sequence[Sequence[object]]
    #: What is said instead of a table without rows.
    empty: str
    #: What is said below the table.
    remark: str = ""

    def print(self, *, as_json: bool) -> None:
        """Print it as a table, or as JSON."""
        if as_json:
            print_json(self.document)
            return
        print_table(self.columns, self.rows, empty=self.empty)
        if self.remark:
            say(self.remark)


def list_plugins(client: Client) -> Listing:
    """Every installed plugin and what became of it."""
    plugins = client.get("/api/v1/plugins")["plugins"]
    return Listing(
        document=plugins,
        columns=("plugin", "version", "state", "sdk", "adds", "reason"),
        rows=[
            (p["name"], p["version"], p["state"], p["sdk_range"], _counts(p["contributions"]), p["reason"])
            for p in plugins
        ],
        empty="no plugin is installed",
    )


def list_nodes(client: Client, search: str = "") -> Listing:
    """Every node type in force; with `search`, those whose name, title, category or tags contain it."""
    nodes = client.get("/api/v1/nodes")["nodes"]
    if search:
        nodes = [node for node in nodes if search.casefold() in _searched(node)]
    return Listing(
        document=nodes,
        columns=("node", "title", "category", "version", "plugin"),
        rows=[(n["type"], n["title"], n["category"], n["version"], n["plugin"]["name"]) for n in nodes],
        empty=f"no node type contains {search!r}" if search else "no node type is in force; install a plugin",
    )


def list_models(client: Client) -> Listing:
    """Every registered model."""
    models = client.get("/api/v2/models/")["models"]
    return Listing(
        document=models,
        columns=("model", "type", "base", "format", "size", "key", "path"),
        rows=[
            (m["name"], m["type"], m["base"], m["format"], size_in_words(m["file_size"]), m["key"], m["path"])
            for m in models
        ],
        empty="no model is registered",
    )


def size_in_words(count: int | None) -> str:
    """A number of bytes, for people: ``25.0 MB``; nothing for None."""
    if count is None:
        return ""
    for unit, size in (("GB", 10**9), ("MB", 10**6)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count / 1000:.0f} kB"


def duration_in_words(seconds: float) -> str:
    """A length of time, for people: ``0.4 s``, ``12 s``, ``3 min 5 s``, ``2 h 5 min``, ``3 d 4 h``."""
    if seconds < 10:
        return f"{max(seconds, 0.0):.1f} s"
    whole = int(seconds)
    for unit, size, part, small in (("d", 86_400, "h", 3600), ("h", 3600, "min", 60), ("min", 60, "s", 1)):
        if whole >= size:
            return f"{whole // size} {unit} {whole % size // small} {part}"
    return f"{whole} s"


def local_time(moment: str | None) -> str:
    """A time of the server, for people: to the second, on the clock of this machine."""
    return "" if moment is None else f"{datetime.fromisoformat(moment).astimezone():%Y-%m-%d %H:%M:%S}"


def _counts(contributions: Mapping[str, Sequence[str]]) -> str:
    return ", ".join(f"{kind.replace('_', ' ')} {len(names)}" for kind, names in contributions.items())


def _searched(node: Mapping[str, Any]) -> str:
    return " ".join([node["type"], node["title"], node["category"], *node["tags"]]).casefold()
