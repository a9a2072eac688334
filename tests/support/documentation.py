"""Code out of documentation, so that tests can run what a reader would type."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from impasto_sdk.node import BaseInvocation

__all__ = ["Exchange", "code_blocks", "exchanges", "named_files", "node_table", "resembles"]

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_NAMED = re.compile(r"^`([^`\n]+)`\n\n```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def code_blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of one language, in order."""
    return [code for found, code in _BLOCK.findall(page.read_text("utf-8")) if found == language]


@dataclass(frozen=True)
class Exchange:
    """A request that a page shows, and what it says comes back."""

    method: str
    path: str
    headers: Mapping[str, str]
    #: As JSON; None for none.
    body: str | None
    #: The answer's document, as far as it is shown; None where it is not.
    answer: Any


def exchanges(page: Path) -> list[Exchange]:
    """The ``http`` blocks of a page, each a request, in order; a ``json`` block after one is the answer to it."""
    found: list[Exchange] = []
    for language, code in _BLOCK.findall(page.read_text("utf-8")):
        if language == "http":
            head, _, body = code.partition("\n\n")
            first, *headers = head.strip().splitlines()
            method, path = first.split()
            found.append(Exchange(method, path, dict(line.split(": ", 1) for line in headers), body or None, None))
        elif language == "json" and found:
            last = found.pop()
            found.append(Exchange(last.method, last.path, last.headers, last.body, json.loads(code)))
    return found


def resembles(shown: Any, real: Any) -> bool:
    """Whether a document is as a page shows it: ``"…"`` stands for anything, and objects may hold more than that."""
    if shown == "…":
        return True
    if isinstance(shown, dict) and isinstance(real, dict):
        return all(key in real and resembles(value, real[key]) for key, value in shown.items())
    if isinstance(shown, list) and isinstance(real, list):
        return len(shown) == len(real) and all(map(resembles, shown, real))
    return bool(shown == real)


def named_files(page: Path) -> dict[str, str]:
    """The files that a page has its reader write: a path on a line of its own, then the file as a block."""
    return dict(_NAMED.findall(page.read_text("utf-8")))


def node_table(nodes: Sequence[type[BaseInvocation]]) -> str:
    """The nodes of a plugin as the table of its README."""
    rows = ["| Node | Title | What it does | Inputs | Output |", "|---|---|---|---|---|"]
    for node in nodes:
        spec = node.spec
        what = spec.description.split("\n\n")[0].replace("\n", " ")
        inputs = ", ".join(f"`{name}`" for name in spec.inputs) or "none"
        rows.append(f"| `{spec.type}` | {spec.title} | {what} | {inputs} | `{spec.output.output_type}` |")
    return "\n".join(rows)
