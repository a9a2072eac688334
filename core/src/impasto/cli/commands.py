"""What can be typed: every command with its arguments, its options and its help. What a command does lies elsewhere.

Bodies import what they need: ``impasto --help`` loads neither an HTTP client nor the server.
"""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from impasto.cli.options import AsJson, Root, Url
from impasto.cli.provider_commands import providers
from impasto.cli.queue_commands import queue
from impasto.cli.workflow_commands import workflow

__all__ = ["COMMAND_NAMES", "program"]

program = typer.Typer(
    name="impasto",
    help="A node platform for making images. Commands talk to the server that runs on the root folder, "
    "or to an embedded one when none does.",
    epilog="Exit status: 0 done, 1 could not be done, 2 wrong usage or setting, 3 no server, 130 stopped by Ctrl-C. "
    "Plugins may add commands; `impasto plugins --json` names them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@program.command()
def serve(
    root: Root = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.", show_default="127.0.0.1")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0: any free one.", show_default="9090")] = None,
    log_level: Annotated[str | None, typer.Option(help="debug, info, warning or error.", show_default="info")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="Any setting, as name=value; may be repeated.", show_default=False)
    ] = None,
) -> None:
    """Start the server; Ctrl-C ends it."""
    from impasto.cli.serve import flags_of, run_server

    run_server(root, flags_of(settings or (), host=host, port=port, log_level=log_level))


@program.command()
def generate(
    prompt: Annotated[str, typer.Argument(help="What the picture should show.", show_default=False)],
    out: Annotated[
        Path | None,
        typer.Option(help="PNG file to write; several pictures are numbered.", show_default="impasto-<seed>.png"),
    ] = None,
    model: Annotated[str | None, typer.Option(help="Name or key of a model.", show_default="the first")] = None,
    seed: Annotated[
        int | None,
        typer.Option(help="The same seed makes the same picture.", min=0, max=2**64 - 1, show_default="random"),
    ] = None,
    steps: Annotated[int | None, typer.Option(help="Steps of denoising.", min=1, show_default="the model's")] = None,
    size: Annotated[
        str | None, typer.Option(help="Width and height, e.g. 128x128 or 128.", show_default="the model's")
    ] = None,
    negative: Annotated[str | None, typer.Option(help="What it should not show.", show_default=False)] = None,
    cfg: Annotated[
        float | None, typer.Option(help="How closely to follow the prompt.", show_default="the model's")
    ] = None,
    scheduler: Annotated[str | None, typer.Option(help="e.g. ddim, euler.", show_default="the model's")] = None,
    init_image: Annotated[Path | None, typer.Option(help="A picture to start from.", show_default=False)] = None,
    strength: Annotated[
        float | None, typer.Option(help="How much of the picture to start from may change, 0 to 1.", show_default=False)
    ] = None,
    count: Annotated[int, typer.Option(help="How many pictures to make.", min=1)] = 1,
    root: Root = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Make a picture from words."""
    from impasto.cli.connection import connect
    from impasto.cli.generate import GenerateOptions, parse_size
    from impasto.cli.generate import generate as make
    from impasto.cli.terminal import print_json

    options = GenerateOptions(
        prompt=prompt,
        out=out,
        model=model,
        seed=seed,
        steps=steps,
        size=None if size is None else parse_size(size),
        negative=negative,
        cfg_scale=cfg,
        scheduler=scheduler,
        init_image=init_image,
        strength=strength,
        count=count,
    )
    with connect(root, url) as client:
        pictures = make(client, options)
    if as_json:
        print_json([picture.to_document() for picture in pictures])
        return
    for picture in pictures:
        print(f"{picture.path}   {picture.width} × {picture.height}   seed {picture.seed}   {picture.seconds:.1f} s")


@program.command()
def run(
    graph: Annotated[
        Path, typer.Argument(help="A graph or a workflow as JSON; - reads standard input.", show_default=False)
    ],
    values: Annotated[
        list[str] | None,
        typer.Option(
            "--set", help="node.field=value; may be repeated. A value is JSON, else a text.", show_default=False
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the pictures; made if need be.", show_default=False)
    ] = None,
    targets: Annotated[
        list[str] | None,
        typer.Option(
            "--target", help="Run only what this node needs; may be repeated.", metavar="NODE", show_default=False
        ),
    ] = None,
    root: Root = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Run any graph or workflow, or a part of it, and print its outputs."""
    from impasto.cli.connection import connect
    from impasto.cli.graph_file import read_graph
    from impasto.cli.run_graph import print_run, run_graph

    file = read_graph(graph).with_values(values or ())
    with connect(root, url) as client:
        done = run_graph(client, file, out, targets=targets or None)
    print_run(done, as_json=as_json)


@program.command()
def plugins(root: Root = None, url: Url = None, as_json: AsJson = False) -> None:
    """List the installed plugins and what became of them."""
    from impasto.cli.connection import connect
    from impasto.cli.listings import list_plugins

    with connect(root, url, start=False) as client:
        list_plugins(client).print(as_json=as_json)


@program.command()
def nodes(
    search: Annotated[str, typer.Argument(help="Only nodes whose names or tags contain it.", show_default=False)] = "",
    root: Root = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """List the node types that graphs may use."""
    from impasto.cli.connection import connect
    from impasto.cli.listings import list_nodes

    with connect(root, url, start=False) as client:
        list_nodes(client, search).print(as_json=as_json)


@program.command()
def models(root: Root = None, url: Url = None, as_json: AsJson = False) -> None:
    """List the registered models."""
    from impasto.cli.connection import connect
    from impasto.cli.listings import list_models

    with connect(root, url, start=False) as client:
        list_models(client).print(as_json=as_json)


class CacheAction(StrEnum):
    """What can be done with the invocation caches."""

    CLEAR = "clear"
    ENABLE = "enable"
    DISABLE = "disable"


@program.command()
def cache(
    action: Annotated[
        CacheAction | None,
        typer.Argument(help="Clear them, or have nodes use them or not.", show_default="say how they do"),
    ] = None,
    root: Root = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Say how a running server's caches of nodes' results do, or change that."""
    from impasto.cli.connection import connect
    from impasto.cli.invocation_cache import change_cache, list_caches

    with connect(root, url, embed=False) as client:
        if action is not None:
            change_cache(client, action.value)
        list_caches(client).print(as_json=as_json)


@program.command()
def settings(root: Root = None, as_json: AsJson = False) -> None:
    """List every setting, its value and where that comes from."""
    from impasto.cli.settings_table import print_settings

    print_settings(root, as_json=as_json)


@program.command()
def doctor(
    root: Root = None,
    url: Url = None,
    wait: Annotated[float, typer.Option(help="Seconds to wait for workers to find their devices.", min=0)] = 60.0,
    as_json: AsJson = False,
) -> None:
    """Say what was found here: devices, plugins, models, folders. Ends with status 1 when something is wrong."""
    from impasto.cli.connection import connect
    from impasto.cli.doctor import examine, print_report
    from impasto.cli.failures import ExitStatus
    from impasto.settings import Settings

    with connect(root, url) as client:
        report = examine(client, None if url else Settings.load(root=root).root, wait_s=wait)
    print_report(report, as_json=as_json)
    if not report.healthy:
        raise typer.Exit(ExitStatus.FAILED)


@program.command()
def version(as_json: AsJson = False) -> None:
    """Print the versions that a bug report needs."""
    from impasto.cli.terminal import print_json
    from impasto.cli.versions import versions

    found = versions()
    if as_json:
        print_json(found)
        return
    for name, number in found.items():
        print(f"{name} {number}")


program.add_typer(providers)
program.add_typer(queue)
program.add_typer(workflow)

#: The names of our own commands; any other may be a plugin's.
COMMAND_NAMES = frozenset(
    command.name or command.callback.__name__ for command in program.registered_commands if command.callback is not None
) | {group.typer_instance.info.name for group in program.registered_groups if group.typer_instance is not None}
