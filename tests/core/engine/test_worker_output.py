"""What a worker prints reaches the log, as much of it as a log can hold."""

import logging
import os
import threading
from collections.abc import Iterator

import pytest

from impasto.engine.worker_output import WorkerOutput
from impasto.host.mask import Mask


class Printer:
    """The other end of a worker's output."""

    def __init__(self) -> None:
        reading, self._writing = os.pipe()
        self.time = 100.0
        self.mask = Mask()
        stream = os.fdopen(reading, "rb", buffering=0)
        self.output = WorkerOutput("cpu-0", stream, self.mask, now=lambda: self.time)
        self.output.start()
        self._open = True

    def write(self, data: bytes) -> None:
        while data:
            data = data[os.write(self._writing, data) :]

    def end(self) -> None:
        """No more comes, and all is read."""
        os.close(self._writing)
        self._open = False
        self.output.finish(60)

    def abandon(self) -> None:
        """The output is done with, though somebody could still write to it."""
        self.output.finish(0)

    def close(self) -> None:
        if self._open:
            os.close(self._writing)


@pytest.fixture
def printer(caplog: pytest.LogCaptureFixture) -> Iterator[Printer]:
    caplog.set_level(logging.INFO, "impasto.worker.output")
    one = Printer()
    yield one
    one.close()


def test_lines_are_logged_with_the_workers_name(printer: Printer, caplog: pytest.LogCaptureFixture):
    printer.write(b"one\ntw")
    printer.write(b"o\n\nfour")
    printer.end()
    assert caplog.messages == ["one", "two", "", "four"]
    assert printer.output.last_line == "four"


def test_a_line_that_does_not_end_is_cut(printer: Printer, caplog: pytest.LogCaptureFixture):
    printer.write(b"x" * 10_000)
    printer.write(b"\nnext\n")
    printer.end()
    assert [len(message) for message in caplog.messages] == [4096, 4096, 1808, 4]


def test_bytes_that_are_no_text_are_shown_all_the_same(printer: Printer, caplog: pytest.LogCaptureFixture):
    printer.write(b"caf\xe9\n")
    printer.end()
    assert caplog.messages == ["caf�"]


def test_of_more_lines_than_a_log_can_hold_the_number_is_told(printer: Printer, caplog: pytest.LogCaptureFixture):
    printer.write(b"".join(b"line %d\n" % number for number in range(2_000)))
    printer.end()
    assert caplog.messages[499] == "line 499"
    assert caplog.messages[500:] == ["1500 more lines are left out"]
    assert printer.output.last_line == "line 1999"  # why a process has ended is said at the end


def test_after_a_while_lines_are_logged_again(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO, "impasto.worker.output")
    times = iter([0.0] * 600 + [5.0])
    reading, writing = os.pipe()
    output = WorkerOutput("cpu-0", os.fdopen(reading, "rb", buffering=0), Mask(), now=lambda: next(times))
    output.start()
    with os.fdopen(writing, "wb") as stream:
        stream.write(b"early\n" * 600 + b"late\n")
    output.finish(60)
    assert caplog.messages[500:] == ["100 more lines are left out", "late"]


def test_a_pipe_that_somebody_keeps_open_is_closed_all_the_same(printer: Printer):
    before = threading.active_count()
    printer.write(b"last words\n")
    printer.abandon()
    assert threading.active_count() == before - 1
    with pytest.raises(BrokenPipeError):
        printer.write(b"to nobody")


def test_a_secret_is_hidden_from_the_moment_it_is_known(printer: Printer, caplog: pytest.LogCaptureFixture):
    printer.mask.add("sk-one-1234567")
    printer.write(b"before sk-one-1234567 after\n")
    printer.end()
    assert caplog.messages == ["before *** after"]
    assert printer.output.last_line == "before *** after"


def test_a_secret_is_hidden_where_a_line_without_end_is_cut(printer: Printer, caplog: pytest.LogCaptureFixture):
    printer.mask.add("sk-one-1234567")
    printer.write(b"x" * 4090 + b"sk-one")
    printer.write(b"-1234567" + b"y" * 5000)
    printer.end()
    assert "".join(caplog.messages) == "x" * 4090 + "***" + "y" * 5000
