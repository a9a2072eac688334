"""``impasto providers …``: what can be typed for external image services. What is done lies in `external_providers`.

Bodies import what they need, like those of `impasto.cli.commands`, which this group is a part of. No command takes a
key as an argument: shells keep what was typed, and every program of the machine sees it.
"""

from typing import Annotated

import typer

from impasto.cli.options import AsJson, Root, Url

__all__ = ["providers"]

providers = typer.Typer(
    name="providers",
    help="Set and test the keys of external image services, and see what they cost.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Provider = Annotated[
    str, typer.Argument(help="Id of an external provider, e.g. openai.", metavar="PROVIDER", show_default=False)
]


@providers.command("list")
def list_providers(root: Root = None, url: Url = None, as_json: AsJson = False) -> None:
    """List the external providers, and which have a key."""
    from impasto.cli.connection import connect
    from impasto.cli.external_providers import list_providers

    with connect(root, url, start=False) as client:
        list_providers(client).print(as_json=as_json)


@providers.command("set", context_settings={"allow_extra_args": True})
def set_key(
    context: typer.Context,
    provider: Provider,
    base_url: Annotated[
        str | None,
        typer.Option(
            help="Where the service is, if not at its usual address; an empty one: there again.",
            metavar="URL",
            show_default=False,
        ),
    ] = None,
    root: Root = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Set the key of a provider. It is asked for without being shown, or read from standard input."""
    from impasto.cli.connection import connect
    from impasto.cli.external_providers import find_provider, read_key, refuse_arguments, set_provider
    from impasto.cli.terminal import print_json, say

    refuse_arguments(context.args, provider)
    with connect(root, url, start=False) as client:
        key = read_key(find_provider(client, provider)["title"])
        config = set_provider(client, provider, key, base_url)
    if as_json:
        print_json(config)
        return
    print(f"the key of {config['title']} is set")
    say(f"`impasto providers test {provider}` asks the service whether it takes it")


@providers.command("test")
def ask_service(provider: Provider, root: Root = None, url: Url = None, as_json: AsJson = False) -> None:
    """Ask a service whether it takes the key; costs nothing. Ends with status 1 when it does not."""
    from impasto.cli.connection import connect
    from impasto.cli.external_providers import test_provider
    from impasto.cli.failures import CommandError, ExitStatus
    from impasto.cli.terminal import print_json, waiting

    with connect(root, url, start=False) as client, waiting(f"Asking {provider}"):
        answer = test_provider(client, provider)
    if as_json:
        print_json(answer)
        if not answer["ok"]:
            raise typer.Exit(ExitStatus.FAILED)
    elif answer["ok"]:
        print(answer["message"])
    else:
        raise CommandError(f"{provider}: {answer['message']}")


@providers.command()
def remove(provider: Provider, root: Root = None, url: Url = None, as_json: AsJson = False) -> None:
    """Remove the key and the address of a provider, and with them its models. What is under way goes on."""
    from impasto.cli.connection import connect
    from impasto.cli.external_providers import remove_provider
    from impasto.cli.terminal import print_json

    with connect(root, url, start=False) as client:
        config = remove_provider(client, provider)
    if as_json:
        print_json(config)
    else:
        print(f"no key of {config['title']} is set")


@providers.command()
def usage(
    days: Annotated[int, typer.Option(help="Today, and so many days with it, in UTC.", min=1, max=3660)] = 30,
    provider: Annotated[
        str | None, typer.Option(help="Only of this provider.", metavar="PROVIDER", show_default="all of them")
    ] = None,
    by_day: Annotated[bool, typer.Option("--by-day", help="By day and provider, not by model.")] = False,
    root: Root = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Say what requests to external services came to: pictures, tokens and costs."""
    from impasto.cli.connection import connect
    from impasto.cli.external_providers import show_usage

    with connect(root, url, start=False) as client:
        show_usage(client, days, provider, by_day=by_day).print(as_json=as_json)
