"""What a command prints: tables and JSON on standard output, remarks on standard error.

rich is loaded by what needs it: ``impasto serve`` is not to wait for it.
"""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

__all__ = ["print_facts", "print_json", "print_table", "say", "waiting"]

#: Columns of a table that no terminal shows.
PIPE_WIDTH = 10_000


def print_json(value: object) -> None:
    """Print a value as JSON, for programs."""
    print(json.dumps(value, indent=2, ensure_ascii=False))


def print_table(columns: Sequence[str], rows: Sequence[Sequence[object]], *, empty: str) -> None:
    """Print rows as a table; when there are none, the sentence `empty`."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

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


def print_facts(facts: Mapping[str, object]) -> None:
    """Print what is known of one thing: a line for each fact, its name first."""
    width = max(map(len, facts), default=0)
    for name, value in facts.items():
        print(f"{name:<{width}}  {value}")


def say(sentence: str) -> None:
    """Print a line for a person, beside what a program would read."""
    print(sentence, file=sys.stderr, flush=True)


@contextmanager
def waiting(what: str) -> Iterator[None]:
    """Show on a terminal that something takes a while."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(f"{what} …"):
        yield
