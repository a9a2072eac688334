"""Make `.venv` ready: ``python scripts/set_up.py run`` for using Impasto, ``… test`` for working on it.

Uses the standard library only, for it runs before anything is installed. What was installed is remembered in the
environment as a hash of everything that decides it (constraints.txt and every pyproject.toml), so that a second call
costs nothing and a changed pin is noticed. Called by the Makefile.
"""

import hashlib
import os
import subprocess
import sys
import tomllib
import venv
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
CONSTRAINTS = ROOT / "constraints.txt"
#: What builds the distributions: installed once, so that pip need not make an environment for each.
BUILD_TOOLS = ["hatchling", "editables"]


def main(arguments: Sequence[str]) -> int:
    """Set up what the purpose given as the only argument needs; the exit status."""
    if list(arguments) not in (["run"], ["test"]):
        print("usage: set_up.py run|test", file=sys.stderr)
        return 2
    try:
        once("run", install_distributions)
        if arguments[0] == "test":
            once("test", install_test_tools)
    except subprocess.CalledProcessError as error:
        command = " ".join(map(str, error.cmd))
        print(f"\nSet-up stopped: {command} ended with status {error.returncode}.", file=sys.stderr)
        print("Mend what it says above and run the same command again; it goes on where it stopped.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nSet-up was interrupted; run the same command again and it goes on where it stopped.", file=sys.stderr)
        return 130
    return 0


def once(purpose: str, install: Callable[[], None]) -> None:
    """Call `install` unless the environment remembers that this very set was installed."""
    stamp = VENV / f".set-up-for-{purpose}"
    wanted = fingerprint()
    if works() and stamp.exists() and stamp.read_text() == wanted:
        return
    install()
    stamp.write_text(wanted)


def install_distributions() -> None:
    """Create the environment where it is missing or broken, and install every distribution as an editable one."""
    if not works():
        say(f"Creating .venv with Python {sys.version.split()[0]}")
        create()
    say("Installing Impasto and what it stands on; the first time this takes some minutes, for torch is large")
    pip(*BUILD_TOOLS)
    editable = [word for project in distributions() for word in ("-e", str(project.relative_to(ROOT)))]
    pip("--no-build-isolation", *editable)
    compile_sources()


def install_test_tools() -> None:
    """Install the dependency group `test` of the workspace."""
    say("Installing the tools that check it")
    workspace = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    pip(*workspace["dependency-groups"]["test"])


def compile_sources() -> None:
    """Compile our own modules, as pip does with what it copies.

    Python would do it at the first start, but not where it is told to write no bytecode, as container images often do.
    """
    sources = [project / "src" for project in distributions()]
    subprocess.run([PYTHON, "-m", "compileall", "-q", *sources], cwd=ROOT, check=True)


def works() -> bool:
    """Whether there is an environment whose Python runs and has pip. A moved folder or a removed Python breaks one."""
    if not PYTHON.exists():
        return False
    return subprocess.run([PYTHON, "-c", "import pip"], capture_output=True, check=False).returncode == 0


def create() -> None:
    """Make the environment anew."""
    try:
        import ensurepip  # noqa: F401
    except ImportError:
        sys.exit(
            f"{sys.executable} cannot make virtual environments: its module ensurepip is missing.\n"
            "Debian and Ubuntu keep it in the package python3-venv; install that, or set PYTHON to another Python."
        )
    venv.create(VENV, clear=True, with_pip=True, symlinks=True)


def pip(*arguments: str) -> None:
    """``pip install`` with the tested set of versions, its progress shown."""
    command: list[str | Path] = [
        PYTHON,
        "-m",
        "pip",
        "install",
        "--disable-pip-version-check",
        "-c",
        CONSTRAINTS.name,
        *arguments,
    ]
    # as root inside a container there is nothing to warn about: the environment is our own
    subprocess.run(command, cwd=ROOT, check=True, env={**os.environ, "PIP_ROOT_USER_ACTION": "ignore"})


def distributions() -> list[Path]:
    """The folders of all distributions, the sdk first."""
    manifests = [ROOT / "sdk" / "pyproject.toml", ROOT / "core" / "pyproject.toml"]
    return [manifest.parent for manifest in [*manifests, *sorted(ROOT.glob("plugins/**/pyproject.toml"))]]


def fingerprint() -> str:
    """A hash that changes whenever something else would be installed."""
    digest = hashlib.sha256()
    for path in [CONSTRAINTS, ROOT / "pyproject.toml", *(folder / "pyproject.toml" for folder in distributions())]:
        digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def say(sentence: str) -> None:
    """Print a line that stands out from pip's."""
    print(f"==> {sentence}", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
