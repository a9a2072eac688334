"""The gallery among 100,000 images: CPU time of a page of 50, medians, from the query to the records that clients get.

The rows are written straight into the database, without files: a page reads none. The search terms are the kinds that
there are: a word of few images, a word of all, two words of all, the first letter of many words.
"""

import os
import random
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # for `benchmarks`, when run as a script

from sqlalchemy import Connection

from impasto.storage.database import Database
from impasto.storage.documents import dump_document
from impasto.storage.images import ImageLibrary, ImageQuery
from impasto.storage.images.records import ADD_IMAGE
from impasto.storage.images.search import ADD_WORDS, facets_of, row_of, words_of
from impasto.storage.timestamps import to_timestamp

from benchmarks.harness import Row, cpu_seconds, main_of  # isort: skip

IMAGES = 100_000
PAGE = 50
GENERAL = ImageQuery(is_intermediate=False, categories=("general",))


def fill(connection: Connection) -> None:
    """Images of three boards, with prompts of made-up words beside two that all of them have."""
    chance = random.Random(1)
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = ["".join(chance.choices(letters, k=chance.randint(3, 9))) for _ in range(3000)]
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    rows, entries = [], []
    for i in range(IMAGES):
        moment = begin + timedelta(minutes=i)
        metadata = {
            "positive_prompt": f"photograph of a cat, {' '.join(chance.choices(words, k=15))}",
            "seed": chance.randrange(2**32),
            "steps": 30,
            "scheduler": "euler_a",
            "model": {"name": "a model", "key": os.urandom(16).hex()},
        }
        row = {
            "id": int(moment.timestamp()) * 10**6, "image_name": f"{os.urandom(16).hex()}.png", "user_id": "system",
            "image_origin": "internal", "image_category": "general", "width": 512, "height": 512,
            "is_intermediate": False, "starred": i % 50 == 0, "has_workflow": False,
            "board_id": (None, "one", "two")[i % 3], "session_id": None, "node_id": None,
            "metadata": dump_document(metadata), "graph": None, "workflow": None,
            "created_at": to_timestamp(moment), "updated_at": to_timestamp(moment), "deleted_at": None,
        }  # fmt: skip
        rows.append(row)
        entries.append(
            {
                "rowid": row_of(row["id"], starred=row["starred"]),
                "words": words_of(metadata, row["created_at"]),
                "facets": " ".join(facets_of(row)),
            }
        )
    connection.execute(ADD_IMAGE, rows)
    connection.execute(ADD_WORDS, entries)
    # what only one image in a hundred has, so that there is something to look for
    connection.exec_driver_sql(
        "UPDATE images_search SET words = words || ' needle' WHERE rowid % (1 << 60) % 6000000000 = 0"
    )


def cpu_ms(work: Callable[[], object]) -> float:
    """The median CPU time of a call in milliseconds, after one that does not count."""
    work()
    return cpu_seconds(work, repeats=30) * 1000


def rows() -> list[Row]:
    """Pages, deep pages and searches."""
    with tempfile.TemporaryDirectory() as folder, Database(Path(folder) / "impasto.db") as database:
        database.write(fill)
        library = ImageLibrary(database, Path(folder) / "images")
        middle = library.list(GENERAL, offset=IMAGES // 2, limit=PAGE).next
        first = cpu_ms(lambda: library.list(GENERAL, limit=PAGE))
        deep = cpu_ms(lambda: library.list(GENERAL, after=middle, limit=PAGE))
        found = {
            name: cpu_ms(lambda term=term: _search(library, term))
            for name, term in {
                "a word of 1,000 images": "needle",
                "a word of all": "photograph",
                "two words of all": "photograph cat",
                "a first letter": "c",
            }.items()
        }
        counted = cpu_ms(lambda: library.count(GENERAL))
        library.close()
    what = "gallery page among 100,000 images"
    return [
        Row(f"{what}: first", first, "ms", 3, "InvokeAI 142 ms"),
        Row(f"{what}: deep", deep, "ms", 3, "InvokeAI 190 ms"),
        *(Row(f"{what}: search for {name}", taken, "ms", 15, "InvokeAI 153 ms") for name, taken in found.items()),
        Row("count of 100,000 images", counted, "ms"),
    ]


def _search(library: ImageLibrary, term: str) -> None:
    query = ImageQuery(is_intermediate=False, categories=("general",), search_term=term)
    assert len(library.list(query, limit=PAGE).items) == PAGE


if __name__ == "__main__":
    main_of(rows)
