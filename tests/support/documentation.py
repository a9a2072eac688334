"""Code out of documentation, so that tests can run what a reader would type."""

import re
from collections.abc import Sequence
from pathlib import Path

from impasto_sdk.node import BaseInvocation

__all__ = ["code_blocks", "named_files", "node_table"]

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_NAMED = re.compile(r"^`([^`\n]+)`\n\n```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def code_blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of one language, in order."""
    return [code for found, code in _BLOCK.findall(page.read_text("utf-8")) if found == language]


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
