"""How a command finds its server: the one it is told of, the one that runs on the root folder, or one of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from impasto.cli.client import Client
from impasto.cli.failures import CommandError, RequestRefusedError
from impasto.cli.logs import log_to_file
from impasto.cli.terminal import waiting
from impasto.errors import ServerError
from impasto.settings import Settings
from impasto.storage.root_claim import find_server, make_root

__all__ = ["connect", "running_server"]

#: Where an embedded server logs, in its root folder: its words are not to mix with the command's.
LOG_FILE = "impasto.log"
#: From this HTTP status on, the server is to blame.
INTERNAL_ERROR = 500
#: A server on this machine that takes longer to say that it lives is none.
ALIVE_TIMEOUT_S = 5.0


@contextmanager
def connect(root: Path | None, url: str | None, *, start: bool = True, embed: bool = True) -> Iterator[Client]:
    """A client of the server to talk to; an embedded server ends with the block.

    `url` names the server; without it, the one that runs on `root` is taken, else one is embedded on a free port. With
    `start=False` the embedded one starts no workers and runs nothing: it can only be asked. With `embed=False` there is
    none: what is asked for is in the memory of a server. Raises `ServerError` when there is no server at `url`, none
    that runs, or none can be started, `SettingsError` for unusable settings.
    """
    if url is not None:
        address = url if "://" in url else f"http://{url}"
        if not _is_alive(address):
            raise ServerError(
                f"no Impasto server answers at {address}; start one with `impasto serve`, or leave out --url"
            )
        with Client(address) as client:
            yield client
        return
    settings = Settings.load(root=root, flags={"port": 0, "host": "127.0.0.1"})
    found = running_server(settings.root)
    if found is None and not embed:
        raise ServerError(f"no server runs on {settings.root}; start one with `impasto serve`, or name one with --url")
    with (
        _existing(found) if found is not None else _embedded(settings, start=start) as address,
        Client(address) as client,
    ):
        yield client


def running_server(root: Path) -> str | None:
    """The address of the server that runs on a root folder; None when none does."""
    found = find_server(root)
    url = "" if found is None else str(found.get("url", ""))
    return url if url and _is_alive(url) else None


@contextmanager
def _existing(url: str) -> Iterator[str]:
    yield url


@contextmanager
def _embedded(settings: Settings, *, start: bool) -> Iterator[str]:
    """A server in this process, on a free port."""
    # the whole server is imported only by a command that needs one of its own
    from impasto.api.server import Server
    from impasto.app import Impasto

    make_root(settings.root)  # the log comes before the server
    log = settings.root / LOG_FILE
    with log_to_file(log, settings.log_level, settings.log_format) as mask:
        with waiting("Starting an embedded server"):
            server = Server(Impasto.build(settings, mask), work=start)
            url = server.start_in_thread()
        try:
            yield url
        except RequestRefusedError as refusal:
            if refusal.status < INTERNAL_ERROR:
                raise
            raise CommandError(f"{refusal}; the log is {log}") from refusal
        finally:
            with waiting("Stopping the embedded server"):
                server.stop()


def _is_alive(url: str) -> bool:
    try:
        # certificates take longer to read than the answer
        verify = url.startswith("https:")
        response = httpx.get(f"{url}/health", timeout=ALIVE_TIMEOUT_S, trust_env=False, verify=verify)
        return response.is_success and response.json()["status"] == "ok"
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, TypeError):
        return False
