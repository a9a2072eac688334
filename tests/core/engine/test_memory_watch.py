"""How much memory a group of processes takes, and that somebody is told when it is too much."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator

import pytest

from impasto.engine import memory_watch
from impasto.engine.memory_watch import MemoryWatch, resident_bytes

MEBIBYTE = 2**20
Grow = Callable[[int], "subprocess.Popen[bytes]"]

#: Takes so many bytes, and has a child that takes as many; says when it has.
HOLDER = r"""
import os, sys
held = bytearray(b"x") * int(sys.argv[1])
child = os.fork()
held[:] = b"y" * len(held)
os.write(1, b"held\n")
sys.stdin.read()
"""


@pytest.fixture
def grow() -> Iterator[Grow]:
    started = []

    def start(size_bytes: int) -> "subprocess.Popen[bytes]":
        process = subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(size_bytes)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        started.append(process)
        assert process.stdout is not None
        assert [process.stdout.readline() for _ in range(2)] == [b"held\n"] * 2
        return process

    yield start
    for process in started:
        process.communicate()


def test_the_memory_of_a_group_is_that_of_all_its_processes(grow: Grow):
    small, large = resident_bytes(grow(1).pid), resident_bytes(grow(64 * MEBIBYTE).pid)
    assert 2 * 60 * MEBIBYTE < large - small < 3 * 64 * MEBIBYTE


def test_a_group_that_is_gone_takes_nothing(grow: Grow):
    process = grow(1)
    process.communicate()
    assert resident_bytes(process.pid) == 0


def test_what_is_over_the_limit_is_told_once_with_its_size(grow: Grow, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(memory_watch, "_LOOK_S", 0.01)
    told, sizes = threading.Event(), []
    process = grow(32 * MEBIBYTE)
    watch = MemoryWatch(process.pid, 32 * MEBIBYTE, lambda size: (sizes.append(size), told.set()))
    watch.start()
    assert told.wait(60)
    watch.stop()
    assert len(sizes) == 1
    assert sizes[0] > 64 * MEBIBYTE


def test_a_watch_that_is_stopped_says_nothing(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(memory_watch, "_LOOK_S", 0.001)
    looked, told = threading.Event(), []

    def look(group: int) -> int:
        looked.set()
        return 0

    monkeypatch.setattr(memory_watch, "resident_bytes", look)
    watch = MemoryWatch(os.getpid(), 0, told.append)
    watch.start()
    assert looked.wait(60)
    watch.stop()
    monkeypatch.setattr(memory_watch, "resident_bytes", lambda group: 1)
    assert told == []
    assert not watch._thread.is_alive()
