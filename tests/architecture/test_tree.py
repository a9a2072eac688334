"""What must not be in the tree: paths of a machine, package registries, weights that could hold code."""

import re
import subprocess
from pathlib import Path

import pytest
from support.sources import WORKSPACE

#: Written so that this file does not hold them itself.
FORBIDDEN = {
    "a path of somebody's machine": re.compile(r"/(?:home|Users)/[a-z]|/(?:root|work)/(?!\*)[a-zA-Z.]"),
    "a package registry": re.compile(r"(?:pypi\.org|pythonhosted\.org|registry\.npmjs|download\.pytorch)"),
    "a number of an issue": re.compile(r"\b[Ii]ssue #?\d"),
}
SELF = Path(__file__)
#: Formats that run code when they are read.
PICKLES = {".pkl", ".pickle", ".pt", ".pth", ".ckpt", ".bin", ".joblib", ".npy", ".npz"}


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=WORKSPACE, capture_output=True, text=True)
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    return [path for name in listed.stdout.split("\0") if name and (path := WORKSPACE / name).is_file()]


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_holds(what: str) -> None:
    found = []
    for path in tracked():
        if path == SELF or path.suffix in (".safetensors", ".png", ".webp"):
            continue
        for number, line in enumerate(path.read_text("utf-8", errors="replace").splitlines(), 1):
            if FORBIDDEN[what].search(line):
                found.append(f"{path.relative_to(WORKSPACE)}:{number}: {line.strip()[:120]}")
    assert found == []


def test_no_file_is_of_a_format_that_runs_code_when_it_is_read() -> None:
    assert [str(path) for path in tracked() if path.suffix in PICKLES] == []


def test_what_a_person_runs_is_executable() -> None:
    for name in (".ci/run", "scripts/find-python.sh"):
        assert (WORKSPACE / name).stat().st_mode & 0o111, f"{name} is not executable"
