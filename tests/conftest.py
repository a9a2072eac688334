"""What holds for every test."""

import signal


def pytest_configure() -> None:
    """Let Ctrl-C be heard where whoever started the tests had it ignored, as a shell does for its background jobs.

    Commands that a test starts inherit that, and would go on for ever when the test sends them SIGINT.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
