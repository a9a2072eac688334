"""The command line: `main` is what ``impasto`` runs.

Commands talk HTTP, to the server that runs on the root folder or to an embedded one that lives as long as the command.
What can be typed is declared in `impasto.cli.commands`; what a command does lies in a module of its own, imported when
it is called, so that ``impasto --help`` is quick.
"""

from impasto.cli.program import main

__all__ = ["main"]
