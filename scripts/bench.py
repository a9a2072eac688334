"""Run every benchmark of tests/benchmarks, each in a process of its own, and print all rows as one table.

Those of tests/benchmarks/peers compare with other programs. They are run with the Python that ``PEER_PYTHON`` names, in
whose environment the peer is installed; where it is not, they say what to install and have no rows.

Ends with status 1 when a benchmark fails; a budget that is not kept is printed and fails nothing, for machines differ.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BENCHMARKS = ROOT / "tests" / "benchmarks"
sys.path.insert(0, str(ROOT / "tests"))

from benchmarks.harness import Row, table  # noqa: E402  found only now


def main() -> int:
    """Run them all, or those whose names are given; the exit status."""
    wanted = sys.argv[1:]
    rows: list[Row] = []
    failed = []
    for path in [*sorted(BENCHMARKS.glob("*.py")), *sorted((BENCHMARKS / "peers").glob("*.py"))]:
        if wanted and path.stem not in wanted:
            continue
        print(f"measuring {path.stem} …", file=sys.stderr, flush=True)
        done = run(path)
        if done.returncode != 0:
            failed.append(path.stem)
            print(done.stderr, file=sys.stderr)
            continue
        found = [Row(**row) for row in json.loads(done.stdout.splitlines()[-1])]
        rows += found
        if not found:  # it says why
            print(done.stderr.strip(), file=sys.stderr)
    print(table(rows))
    if failed:
        print(f"these failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def run(path: Path) -> "subprocess.CompletedProcess[str]":
    """Run one benchmark."""
    python = os.environ.get("PEER_PYTHON") if path.parent.name == "peers" else None
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "tests"), "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [python or sys.executable, path, "--json"], env=environment, capture_output=True, text=True, check=False
    )


if __name__ == "__main__":
    sys.exit(main())
