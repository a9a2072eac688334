"""What ``impasto providers`` asks of a server. The key goes from the prompt to the server, and is shown nowhere."""

import getpass
import sys
from collections.abc import Sequence
from urllib.parse import quote

from impasto.cli.client import Client, JsonObject
from impasto.cli.failures import CommandError, UsageError
from impasto.cli.listings import Listing

__all__ = [
    "cost_in_words",
    "find_provider",
    "list_providers",
    "read_key",
    "refuse_arguments",
    "remove_provider",
    "set_provider",
    "show_usage",
    "test_provider",
]

_PATH = "/api/v1/app/external_providers"
#: More characters than any key has; a longer standard input is none.
_LONGEST_INPUT = 100_000
#: Columns of the table of usage, and the fields that they show.
_COUNTED = {
    "requests": "requests",
    "completed": "completed",
    "refused": "refused",
    "failed": "failed",
    "canceled": "canceled",
    "pictures": "images",
    "tokens in": "input_tokens",
    "tokens out": "output_tokens",
}


def list_providers(client: Client) -> Listing:
    """Every external provider in force, and whether it can be used."""
    statuses = {one["provider_id"]: one for one in client.get(f"{_PATH}/status")}
    found = [{**config, **statuses.get(config["provider_id"], {})} for config in client.get(f"{_PATH}/config")]
    without = [one["provider_id"] for one in found if not one["api_key_configured"]]
    return Listing(
        document=found,
        columns=("provider", "service", "key", "address", "plugin"),
        rows=[
            (one["provider_id"], one["title"], _key_in_words(one), one["base_url"] or "", one["plugin"])
            for one in found
        ],
        empty="no external provider is installed",
        remark=f"set a key with `impasto providers set {without[0]}`" if without else "",
    )


def find_provider(client: Client, wanted: str) -> JsonObject:
    """What is set of a provider. Raises `CommandError` naming those there are."""
    configs: list[JsonObject] = client.get(f"{_PATH}/config")
    for config in configs:
        if config["provider_id"] == wanted:
            return config
    known = ", ".join(config["provider_id"] for config in configs)
    raise CommandError(f"no external provider {wanted!r}; {f'there are {known}' if known else 'none is installed'}")


def read_key(title: str) -> str:
    """A key: what is typed, without being shown, or all that comes through a pipe.

    Raises `CommandError` when nothing does.
    """
    if sys.stdin.isatty():
        key = getpass.getpass(f"API key of {title} (it is not shown): ")
    else:
        try:
            key = sys.stdin.read(_LONGEST_INPUT)
        except UnicodeDecodeError as error:
            raise CommandError("standard input holds no key: it is no text") from error
    if not key.strip():
        raise CommandError(f"no key of {title} was given; type it when it is asked for, or send it by standard input")
    return key


def refuse_arguments(arguments: Sequence[str], provider: str) -> None:
    """Raise `UsageError` for what was typed behind the provider, which may be a key; it is not repeated."""
    if arguments:
        raise UsageError(
            f"a key is not taken as an argument, where others see it; type `impasto providers set {provider}` and give "
            "it when it is asked for, or send it by standard input"
        )


def set_provider(client: Client, provider: str, key: str, base_url: str | None) -> JsonObject:
    """Set the key of a provider, and its address unless that is None; what is set then."""
    config: JsonObject = client.post(_path_of(provider), {"api_key": key, "base_url": base_url})
    return config


def test_provider(client: Client, provider: str) -> JsonObject:
    """What the service says of the key: ``{provider_id, ok, outcome, message}``."""
    answer: JsonObject = client.post(f"{_path_of(provider)}/test", None)
    return answer


def remove_provider(client: Client, provider: str) -> JsonObject:
    """Remove the key and the address of a provider; what is set then."""
    path = _path_of(provider)
    client.delete(path)
    return find_provider(client, provider)


def show_usage(client: Client, days: int, provider: str | None, *, by_day: bool) -> Listing:
    """What requests came to in the last days: by provider and model, or by day and provider."""
    only = {} if provider is None else {"provider_id": provider}
    report = client.get(f"{_PATH}/usage", days=days, **only)
    named = ("day", "provider_id") if by_day else ("provider_id", "model")
    rows = report["days" if by_day else "models"]
    return Listing(
        document=report,
        columns=(*(name.removesuffix("_id") for name in named), *_COUNTED, "cost"),
        rows=[
            (*(one[name] for name in (*named, *_COUNTED.values())), cost_in_words(one["cost_usd"], one["unpriced"]))
            for one in rows
        ],
        empty=f"no external service was asked for anything since {report['first_day']}",
        remark=_total_in_words(report) if rows else "",
    )


def cost_in_words(dollars: float, unpriced: int) -> str:
    """A cost, for people: ``$0.0421``; ``?`` where nothing is known of it."""
    return "?" if not dollars and unpriced else f"${dollars:,.4f}"


def _total_in_words(report: JsonObject) -> str:
    total = report["total"]
    known = f"{cost_in_words(total['cost_usd'], 0)} from {report['first_day']} to {report['last_day']} (UTC)"
    unpriced = total["unpriced"]
    if not unpriced:
        return known
    return f"{known}, without {unpriced} {'request' if unpriced == 1 else 'requests'} whose price is not known"


def _key_in_words(config: JsonObject) -> str:
    if not config["api_key_configured"]:
        return "none"
    return "from the environment" if config["api_key_source"] == "environment" else "set"


def _path_of(provider: str) -> str:
    return f"{_PATH}/config/{quote(provider, safe='')}"
