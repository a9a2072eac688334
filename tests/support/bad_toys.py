"""The plugin `bad-toys`: nodes that do to their worker what no node should. For tests of the engine."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from PIL import Image

from impasto_sdk.context import InvocationContext
from impasto_sdk.fields import ImageOutput, InputField, IntegerOutput
from impasto_sdk.hookspecs import hookimpl
from impasto_sdk.node import BaseInvocation, invocation


@invocation("misbehave", use_cache=False)
class Misbehave(BaseInvocation):
    """Does what is asked for, and gives 1 where there is still something that can."""

    how: str = InputField("")
    path: str = InputField("")
    amount: int = InputField(0)

    def invoke(self, context: InvocationContext) -> IntegerOutput:
        getattr(self, f"_{self.how}")(context)
        return IntegerOutput(value=1)

    def _exit(self, context: InvocationContext) -> None:
        os._exit(0)

    def _segfault(self, context: InvocationContext) -> None:
        ctypes.string_at(0)

    def _abort(self, context: InvocationContext) -> None:
        os.abort()

    def _kill_the_group(self, context: InvocationContext) -> None:
        os.killpg(0, signal.SIGKILL)

    def _close_everything(self, context: InvocationContext) -> None:
        os.closerange(0, 1024)

    def _raise_system_exit(self, context: InvocationContext) -> None:
        sys.exit("enough")

    def _raise_keyboard_interrupt(self, context: InvocationContext) -> None:
        raise KeyboardInterrupt

    def _ask_for_too_much(self, context: InvocationContext) -> None:
        bytearray(2**60)

    def _hoard(self, context: InvocationContext) -> None:
        held = bytearray(b"x") * self.amount  # written to, so that it is resident
        while len(held):
            time.sleep(0.01)

    def _hoard_in_a_child(self, context: InvocationContext) -> None:
        code = f"held = bytearray(b'x') * {self.amount}\nimport time\ntime.sleep(1000)"
        subprocess.Popen([sys.executable, "-c", code]).wait()

    def _close_the_streams(self, context: InvocationContext) -> None:
        sys.stdout.close()
        for number in range(3):
            try:
                os.close(number)
            except OSError:  # the line above was faster
                continue

    def _take_the_streams(self, context: InvocationContext) -> None:
        file = Path(self.path).open("w")  # noqa: SIM115 - it is to stay open
        sys.stdout = sys.stderr = file
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)

    def _print_without_a_line_break(self, context: InvocationContext) -> None:
        for _ in range(self.amount):
            os.write(1, b"x" * 2**16)
        os.write(1, b"\n")

    def _print_lines(self, context: InvocationContext) -> None:
        for number in range(self.amount):
            print(f"line {number}")

    def _fork(self, context: InvocationContext) -> None:
        os.fork()  # and both go on

    def _fork_and_leave_the_child(self, context: InvocationContext) -> None:
        if not os.fork():
            sys.exit()

    def _wait_for_a_child(self, context: InvocationContext) -> None:
        os.wait()

    def _set_a_child_free(self, context: InvocationContext) -> None:
        child = subprocess.Popen(["sleep", "1000"], start_new_session=True)
        Path(self.path).write_text(str(child.pid))
        os._exit(0)

    def _log_without_end(self, context: InvocationContext) -> None:
        for number in range(self.amount):
            context.logger.info("number %d", number)

    def _report_without_end(self, context: InvocationContext) -> None:
        while True:
            context.progress(0.5, "still here")

    def _sleep(self, context: InvocationContext) -> None:
        while True:
            time.sleep(1000)


@invocation("say", use_cache=False)
class Say(BaseInvocation):
    """Prints a line, and asks whether its process is the one that was started."""

    text: str = InputField("")

    def invoke(self, context: InvocationContext) -> IntegerOutput:
        print(self.text)
        return IntegerOutput(value=os.getpid())


@invocation("await_file", use_cache=False)
class AwaitFile(BaseInvocation):
    """Says that it runs, waits until a file is there, deaf to everything else, and saves a picture."""

    path: str = InputField("")
    diary: str = InputField("")
    a: int = InputField(0)

    def invoke(self, context: InvocationContext) -> ImageOutput:
        with Path(self.diary).open("a") as diary:
            diary.write(f"{os.getpid()}\n")
        while not Path(self.path).exists():
            time.sleep(0.01)
        return context.images.save(Image.new("RGB", (8, 4), "white"))


@invocation("steps", use_cache=False)
class Steps(BaseInvocation):
    """Works in steps like a denoise loop: asks whether it is wanted, writes the step down, waits at the step's gate."""

    count: int = InputField(10)
    gate: str = InputField("")
    diary: str = InputField("")

    def invoke(self, context: InvocationContext) -> IntegerOutput:
        for step in range(self.count):
            context.raise_if_cancelled()
            with Path(self.diary).open("a") as diary:
                diary.write(f"{step}\n")
            Path(f"{self.gate}{step}").read_text()
            context.models.search()  # its answer comes after all that the server had sent before
        return IntegerOutput(value=self.count)


@hookimpl
def register_invocations() -> list[type[BaseInvocation]]:
    return [Misbehave, Say, AwaitFile, Steps]
