"""`main`: runs the command that was typed, and turns errors into one clear line and an exit status."""

import sys
from collections.abc import Sequence

from impasto.cli.commands import COMMAND_NAMES, program

__all__ = ["main"]


def main() -> None:
    """Run the command line of this process and exit.

    A mistake in what was typed, and whatever else a person can mend, ends as a line on standard error; a traceback is a
    bug. `impasto.cli.failures.ExitStatus` lists the statuses.
    """
    arguments = sys.argv[1:]
    try:
        sys.exit(_run_plugin_command(arguments) if _may_be_of_a_plugin(arguments) else program())
    except Exception as error:
        # our errors come with the whole sdk, for which ``impasto --help`` is not to wait
        from impasto.cli.failures import lines_of, status_of
        from impasto_sdk.errors import ImpastoError

        if not isinstance(error, ImpastoError):
            raise
        first, *more = lines_of(error)
        print(f"impasto: {first}", *more, sep="\n", file=sys.stderr)
        sys.exit(status_of(error))


def _may_be_of_a_plugin(arguments: Sequence[str]) -> bool:
    return bool(arguments) and not arguments[0].startswith("-") and arguments[0] not in COMMAND_NAMES


def _run_plugin_command(arguments: Sequence[str]) -> int | None:
    """Run a command that a plugin registered; the program's own complaint when none did."""
    # loading the plugins takes a while, which no command of our own is to pay
    from impasto.cli.plugin_commands import find_plugin_command

    command = find_plugin_command(arguments[0])
    return command.run(arguments[1:]) if command is not None else program()
