"""The set-up finds a Python that suits, and says what to do when there is none."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

from support.sources import WORKSPACE, distributions

FIND = WORKSPACE / "scripts" / "find-python.sh"


def find(path: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run the script where only the programs in `path` are found, beside the shell's own."""
    bash = "/bin/bash"
    clean = {key: value for key, value in os.environ.items() if key != "PYTHON"}
    return subprocess.run(
        [bash, str(FIND)], env={**clean, "PATH": str(path), **environment}, capture_output=True, text=True, check=False
    )


def program(path: Path, text: str) -> Path:
    path.write_text(f"#!/bin/bash\n{text}\n")
    path.chmod(0o755)
    return path


def test_a_python_that_suits_is_found_past_one_that_is_too_old(tmp_path: Path) -> None:
    program(tmp_path / "python3", "exit 1")
    newer = program(tmp_path / "python3.12", f'exec "{sys.executable}" "$@"')
    done = find(tmp_path)
    assert (done.returncode, done.stdout.strip()) == (0, str(newer))


def test_without_any_it_says_what_is_needed_and_what_to_do(tmp_path: Path) -> None:
    program(tmp_path / "python3", "exit 1")
    done = find(tmp_path)
    assert done.returncode == 1
    assert "3.11 or newer" in done.stderr
    assert "make PYTHON=" in done.stderr


def test_one_that_is_named_is_taken_or_refused_by_name(tmp_path: Path) -> None:
    old = program(tmp_path / "old", "exit 1")
    assert find(tmp_path, PYTHON=sys.executable).stdout.strip() == sys.executable
    refused = find(tmp_path, PYTHON=str(old))
    assert refused.returncode == 1
    assert str(old) in refused.stderr


def test_every_distribution_is_set_up_and_every_manifest_counts(tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("set_up", WORKSPACE / "scripts" / "set_up.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.distributions() == [distribution.folder for distribution in distributions()]
    for name in (
        "constraints.txt",
        "pyproject.toml",
        *(f"{d.folder.relative_to(WORKSPACE)}/pyproject.toml" for d in distributions()),
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    module.ROOT, module.CONSTRAINTS = tmp_path, tmp_path / "constraints.txt"
    before = module.fingerprint()
    assert module.fingerprint() == before
    (tmp_path / "plugins" / "sd" / "pyproject.toml").write_text("[project]")
    assert module.fingerprint() != before
