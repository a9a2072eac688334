"""``impasto workflow …``: what can be typed for the library of saved workflows. What is done lies in `saved_workflows`.

Bodies import what they need, like those of `impasto.cli.commands`, which this group is a part of.
"""

from pathlib import Path
from typing import Annotated

import typer

from impasto.cli.options import AsJson, Root, Url

__all__ = ["workflow"]

workflow = typer.Typer(
    name="workflow",
    help="Save workflows in a server's library, look at them and run them.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Wanted = Annotated[str, typer.Argument(help="Id or name of a saved workflow.", metavar="WORKFLOW", show_default=False)]


@workflow.command("list")
def list_workflows(root: Root = None, url: Url = None, as_json: AsJson = False) -> None:
    """List the saved workflows."""
    from impasto.cli.connection import connect
    from impasto.cli.saved_workflows import list_workflows

    with connect(root, url, start=False) as client:
        list_workflows(client).print(as_json=as_json)


@workflow.command()
def save(
    file: Annotated[Path, typer.Argument(help="A workflow as JSON; - reads standard input.", show_default=False)],
    replace: Annotated[
        str | None,
        typer.Option(help="Id or name of the one to put it in the place of.", metavar="WORKFLOW", show_default=False),
    ] = None,
    root: Root = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Save a workflow and print its id."""
    from impasto.cli.connection import connect
    from impasto.cli.graph_file import read_json
    from impasto.cli.saved_workflows import save_workflow
    from impasto.cli.terminal import print_json

    document = read_json(file)
    with connect(root, url, start=False) as client:
        record = save_workflow(client, document, replace)
    if as_json:
        print_json(record)
    else:
        print(record["workflow_id"])


@workflow.command()
def show(wanted: Wanted, root: Root = None, url: Url = None) -> None:
    """Print a saved workflow as JSON, as it could be saved again."""
    from impasto.cli.connection import connect
    from impasto.cli.saved_workflows import get_workflow
    from impasto.cli.terminal import print_json

    with connect(root, url, start=False) as client:
        print_json(get_workflow(client, wanted)["workflow"])


@workflow.command()
def delete(wanted: Wanted, root: Root = None, url: Url = None) -> None:
    """Forget a saved workflow."""
    from impasto.cli.connection import connect
    from impasto.cli.saved_workflows import delete_workflow

    with connect(root, url, start=False) as client:
        delete_workflow(client, wanted)


@workflow.command()
def run(
    wanted: Wanted,
    values: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="node.field=value for an input that it exposes; may be repeated. A value is JSON, else a text.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the pictures; made if need be.", show_default=False)
    ] = None,
    root: Root = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Run a saved workflow and print its outputs."""
    from impasto.cli.connection import connect
    from impasto.cli.run_graph import print_run
    from impasto.cli.saved_workflows import run_workflow

    with connect(root, url) as client:
        done = run_workflow(client, wanted, values or (), out)
    print_run(done, as_json=as_json)
