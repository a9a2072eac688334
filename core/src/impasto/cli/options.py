"""Options that many commands have."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["AsJson", "Root", "Url"]

#: The folder of the server that is meant.
Root = Annotated[
    Path | None,
    typer.Option(help="Folder with the server's data.", envvar="IMPASTO_ROOT", show_default="./impasto-data"),
]
#: The address of a server, in place of a folder.
Url = Annotated[str | None, typer.Option(help="Address of a server to talk to, wherever it is.", show_default=False)]
#: Whether a program reads along.
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
