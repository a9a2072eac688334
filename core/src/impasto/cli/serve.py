"""``impasto serve``: the server, until Ctrl-C."""

import difflib
import gc
import logging
import shlex
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import typer
import yaml

from impasto.cli.failures import status_of
from impasto.cli.logs import log_to_stderr
from impasto.cli.terminal import say
from impasto.errors import SettingsError
from impasto.settings import DEFAULT_ROOT, Settings
from impasto_sdk.errors import ImpastoError

__all__ = ["flags_of", "line_to_try", "run_server"]

logger = logging.getLogger(__name__)

PROMPT_TO_TRY = "a red star on a blue background"


def flags_of(assignments: Sequence[str], **named: object) -> dict[str, object]:
    """The settings given as ``name=value`` and by options of their own (None: not given).

    A value is read as in ``impasto.yaml``; dots lead into ``plugins``. Raises `SettingsError` for what is no setting.
    """
    flags: dict[str, object] = {name: value for name, value in named.items() if value is not None}
    for assignment in assignments:
        name, equals, text = assignment.partition("=")
        parts = name.split(".")
        if not equals:
            raise SettingsError("--set", [f"{assignment!r} is no setting; write name=value, e.g. precision=float16"])
        if name == "root":
            raise SettingsError("--set", ["root says where the settings lie, so it has an option of its own: --root"])
        if parts[0] not in Settings.model_fields or (len(parts) > 1 and parts[0] != "plugins"):
            near = difflib.get_close_matches(parts[0], Settings.model_fields.keys() - {"root"}, n=1)
            hint = f"did you mean {near[0]!r}?" if near else "`impasto settings` lists them"
            raise SettingsError("--set", [f"no setting is called {name!r}; {hint}"])
        place = flags
        for part in parts[:-1]:
            inner = place.setdefault(part, {})
            assert isinstance(inner, dict)
            place = inner
        try:
            place[parts[-1]] = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise SettingsError("--set", [f"{assignment!r}: the value is not YAML"]) from error
    return flags


def run_server(root: Path | None, flags: Mapping[str, object]) -> None:
    """Serve until Ctrl-C. Raises `SettingsError` for unusable settings and `ServerError` when it cannot start."""
    settings = Settings.load(root=root, flags=flags)
    # what start-up makes lives as long as the server: looking through it for garbage would cost a tenth of the start
    gc.disable()
    # the whole server is imported once the settings are known to be good
    from impasto.api.server import serve
    from impasto.app import Impasto

    mask = log_to_stderr(settings.log_level, settings.log_format)
    try:
        serve(Impasto.build(settings, mask), on_ready=lambda url: _ready(url, settings))
    except ImpastoError as error:
        if settings.log_format == "text":
            raise
        logger.critical("the server ends: %s", error)
        raise typer.Exit(status_of(error)) from error
    if settings.log_format == "text":  # programs read standard error, where every line is an entry of the log
        say("Impasto has stopped.")
    else:
        logger.info("Impasto has stopped")


def _ready(url: str, settings: Settings) -> None:
    gc.freeze()
    gc.enable()
    if settings.log_format == "text":
        welcome(url, settings)


def welcome(url: str, settings: Settings) -> None:
    """Say where the server is and what to try."""
    say(f"Impasto serves {url}   (Ctrl-C ends it)")
    say(f"It keeps its data in {settings.root}")
    say(f"Try: {line_to_try(settings.root)}")


def line_to_try(root: Path) -> str:
    """A line for another terminal in the same folder that makes a picture on this server."""
    words = [_program(), "generate", PROMPT_TO_TRY, "--out", "star.png"]
    if root != DEFAULT_ROOT.absolute():
        words += ["--root", str(root)]
    # the prompt reads better in double quotes, and holds nothing that they would not cover
    return " ".join(f'"{word}"' if word == PROMPT_TO_TRY else shlex.quote(word) for word in words)


def _program() -> str:
    """How this program is typed here."""
    program = Path(sys.argv[0])
    if program.name == "__main__.py":
        return f"{Path(sys.executable).name} -m impasto"
    found = shutil.which(program.name)
    if found is not None and Path(found).resolve() == program.resolve():
        return program.name
    try:
        return str(program.absolute().relative_to(Path.cwd()))
    except ValueError:
        return str(program.absolute())
