"""A server without workers that publishes as it is told on its standard input: a program, for the benchmark of events.

Its argument is the root folder; it prints its address. A line ``COUNT PER_SECOND`` has it publish so many events, and
one that ends the round; 0 in a second: as fast as it can. An event's batch id says when it was published, in seconds on
the clock that all processes of a machine share.
"""

import sys
import time
from pathlib import Path

from impasto.api.server import Server
from impasto.app import Impasto
from impasto.settings import Settings
from impasto_sdk.events import BatchEnqueuedEvent

__all__ = ["LAST"]

#: Batch id of the event that ends a round.
LAST = "last"


def main() -> None:
    """Serve until standard input ends."""
    app = Impasto.build(Settings.load(root=Path(sys.argv[1]), flags={"port": 0, "host": "127.0.0.1"}))
    server = Server(app, work=False)
    print(server.start_in_thread(), flush=True)
    try:
        for line in sys.stdin:
            count, per_second = map(int, line.split())
            begin = time.perf_counter()
            for number in range(count):
                if per_second:
                    time.sleep(max(0.0, begin + number / per_second - time.perf_counter()))
                app.bus.publish(_event(repr(time.perf_counter())))
            app.bus.publish(_event(LAST))
    finally:
        server.stop()


def _event(batch_id: str) -> BatchEnqueuedEvent:
    # as many bytes as an invocation_complete of a small node
    return BatchEnqueuedEvent(
        queue_id="default", batch_id=batch_id, enqueued=1, requested=1, priority=0, origin="x" * 300
    )


if __name__ == "__main__":
    main()
