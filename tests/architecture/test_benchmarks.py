"""The benchmarks measure what they say: their clock, their counting, their fit, and the peer that may not be there."""

import ast
import importlib.util
import subprocess
import sys
import tracemalloc
from collections.abc import Callable

import pytest
from benchmarks.harness import Row, exponent, in_turns, peak_bytes, table
from support.sources import WORKSPACE

BENCHMARKS = WORKSPACE / "tests" / "benchmarks"
PEER = BENCHMARKS / "peers" / "invokeai_engine.py"


@pytest.mark.parametrize("power", [1.0, 1.5, 2.0])
def test_the_exponent_is_the_power_of_the_size(power: float) -> None:
    assert exponent({size: [size**power] for size in (100, 1_000, 10_000)}) == pytest.approx(power)


def test_one_turn_on_a_busy_machine_does_not_change_the_exponent() -> None:
    turns = {100: [1.0, 1.0, 1.0], 1_000: [10.0, 10.0, 10.0], 10_000: [100.0, 250.0, 100.0]}
    assert exponent(turns) == pytest.approx(1)


def test_contestants_take_turns_and_are_prepared_anew_for_each() -> None:
    seen: list[str] = []

    def contestant(name: str) -> Callable[[], Callable[[], object]]:
        def prepare() -> Callable[[], object]:
            seen.append(f"prepare {name}")
            return lambda: seen.append(name)

        return prepare

    seconds = in_turns({name: contestant(name) for name in ("one", "two")}, turns=2)
    assert seen == ["prepare one", "one", "prepare two", "two"] * 2
    assert {name: len(turns) for name, turns in seconds.items()} == {"one": 2, "two": 2}


def test_the_peak_counts_what_was_let_go_and_not_what_was_there_before() -> None:
    def prepare() -> Callable[[], object]:
        before = bytearray(10_000_000)

        def work() -> int:
            held = bytearray(1_000_000)
            return len(before) + len(held)

        return work

    assert 1_000_000 <= peak_bytes(prepare) < 1_100_000


def test_counting_ends_when_the_work_fails() -> None:
    with pytest.raises(ZeroDivisionError):
        peak_bytes(lambda: lambda: 1 / 0)
    assert not tracemalloc.is_tracing()


def test_the_table_says_which_budgets_are_kept() -> None:
    rows = [Row("quick", 1.2345, "ms", 2), Row("slow", 12_345.6, "ms", 2, "a peer 7 ms"), Row("free", 0.5, "")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in table(rows).splitlines()[2:]]
    assert cells == [
        ["quick", "1.23 ms", "2 ms", "kept", ""],
        ["slow", "12,346 ms", "2 ms", "OVER", "a peer 7 ms"],
        ["free", "0.5", "", "", ""],
    ]


@pytest.mark.parametrize("path", [*sorted(BENCHMARKS.glob("*.py")), PEER], ids=lambda path: path.stem)
def test_every_file_that_make_bench_runs_gives_rows(path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    assert "rows" in [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    assert ast.unparse(tree.body[-1]) == "if __name__ == '__main__':\n    main_of(rows)"


@pytest.mark.skipif(importlib.util.find_spec("invokeai") is not None, reason="the peer is installed here")
@pytest.mark.parametrize(("arguments", "status", "printed"), [([], 1, ""), (["--json"], 0, "[]\n")])
def test_without_the_peer_its_benchmark_says_what_to_install(arguments: list[str], status: int, printed: str) -> None:
    done = subprocess.run([sys.executable, PEER, *arguments], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (status, printed), done.stderr
    assert "Install invokeai and pluggy" in done.stderr
