"""What every benchmark has in common. A benchmark is a file of the folder above with a function `rows() -> list[Row]`.

It ends with::

    if __name__ == "__main__":
        main_of(rows)

``make bench`` runs each file in a process of its own and prints all rows as one table.
"""

from benchmarks.harness.memory import peak_bytes
from benchmarks.harness.rows import Row, main_of, table
from benchmarks.harness.timing import cpu_seconds, exponent, in_turns

__all__ = ["Row", "cpu_seconds", "exponent", "in_turns", "main_of", "peak_bytes", "table"]
