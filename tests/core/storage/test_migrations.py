"""How a database comes to its schema, and what is refused."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from support.batches import a_batch, a_graph
from support.queues import open_queue

from impasto.errors import DatabaseVersionError, StorageError
from impasto.storage import migrations, tables
from impasto.storage.database import Database
from impasto.storage.documents import dump_document
from impasto.storage.event_log import EventLog
from impasto.storage.migrations import HISTORY, History
from impasto.storage.queue.rows import Place
from impasto.storage.tables import POSITION_STEP
from impasto.storage.workflow_records import WorkflowRecords

LATER = '''
"""A later revision, which adds a table and carries rows over."""

from alembic import op

revision = "test_later"
down_revision = "{head}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE TABLE later (n INTEGER)")
    op.execute("INSERT INTO later SELECT last FROM item_numbers")
'''


@pytest.fixture
def later(tmp_path: Path) -> History:
    """The history of a version after this one."""
    folder = tmp_path / "versions"
    folder.mkdir()
    (folder / "later.py").write_text(LATER.format(head=HISTORY.head))
    return History(revisions=(*HISTORY.revisions, "test_later"), folders=(*HISTORY.folders, folder))


def copies(folder: Path) -> list[Path]:
    return sorted(folder.glob("impasto.db.before-*"))


def test_the_migrations_make_the_tables_that_the_statements_are_built_from(database: Database) -> None:
    with database.read() as connection:
        context = MigrationContext.configure(
            connection,
            # the search index is FTS5's own, and made by hand
            opts={"include_name": lambda name, kind, parents: not (name or "").startswith("images_search")},
        )
        assert compare_metadata(context, tables.metadata) == []


def test_the_history_lists_every_revision_file() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    script = ScriptDirectory.from_config(config)
    assert [revision.revision for revision in script.walk_revisions()][::-1] == list(HISTORY.revisions)


def test_a_database_of_an_older_version_is_copied_and_then_upgraded(tmp_path: Path, later: History) -> None:
    path = tmp_path / "impasto.db"
    with Database(path) as database:
        database.write(lambda connection: connection.exec_driver_sql("UPDATE item_numbers SET last = 42"))
    with Database(path, history=later) as database, database.read() as connection:
        assert connection.exec_driver_sql("SELECT n FROM later").scalar_one() == 42
    (copy,) = copies(tmp_path)
    with closing(sqlite3.connect(copy)) as old:
        assert old.execute("SELECT version_num FROM alembic_version").fetchone() == (HISTORY.head,)
        assert old.execute("SELECT last FROM item_numbers").fetchone() == (42,)


def test_a_database_of_the_first_version_gets_a_workflow_library_and_keeps_what_it_holds(tmp_path: Path) -> None:
    path = tmp_path / "impasto.db"
    with Database(path, history=History(revisions=HISTORY.revisions[:1], folders=HISTORY.folders)) as database:
        database.write(lambda connection: connection.exec_driver_sql("UPDATE item_numbers SET last = 42"))
    with Database(path) as database:
        assert WorkflowRecords(database, EventLog(database)).names() == {}
        with database.read() as connection:
            assert connection.exec_driver_sql("SELECT last FROM item_numbers").scalar_one() == 42
    (copy,) = copies(tmp_path)
    with closing(sqlite3.connect(copy)) as old:
        assert old.execute("SELECT version_num FROM alembic_version").fetchone() == ("0001",)


@pytest.mark.parametrize("revisions", [1, 2, 3])
def test_what_waits_in_a_database_of_an_earlier_version_keeps_its_order(tmp_path: Path, revisions: int) -> None:
    path = tmp_path / "impasto.db"
    earlier = History(revisions=HISTORY.revisions[:revisions], folders=HISTORY.folders)
    with Database(path, history=earlier) as database:
        database.write(write_an_earlier_queue)
        if revisions >= 3:  # from which on items have places
            places = f"UPDATE queue_items SET position = item_id * {POSITION_STEP}"
            database.write(lambda connection: connection.exec_driver_sql(places).close())
    with Database(path) as database:
        queue = open_queue(database, affinity_window=8)
        assert queue.recover() == 1
        assert queue.move("default", 6, Place(where="before", item_id=5)).retried_from_item_id is None
        new = queue.enqueue("default", a_batch(runs=2)).item_ids
        taken = []
        assert queue.claim("worker", needs_device=False) is None  # nobody knows what they need
        while (claimed := queue.claim("worker", warm=["a model"], needs_device=True)) is not None:
            taken.append(claimed.item_id)
        assert taken == [4, 2, 3, 6, 5, *new]
        assert list(queue.journal_lines(2)) == [{"first": {"value": 3}}]
        assert queue.retry("default", [1]).item_ids == [9]


def write_an_earlier_queue(connection: Connection) -> None:
    """A batch of six as the first versions wrote it: one failed, one runs, and one of the others has priority."""
    graph, context = (
        dump_document(a_graph()),
        dump_document({"workflow": None, "metadata": None, "metadata_bindings": []}),
    )
    counts = "pending, in_progress, failed"
    connection.exec_driver_sql("UPDATE item_numbers SET last = 6")
    connection.exec_driver_sql(f"INSERT INTO queues (queue_id, {counts}) VALUES ('default', 4, 1, 1)")
    connection.exec_driver_sql(
        "INSERT INTO batches (id, queue_id, batch_id, user_id, expansion, graph, context, requested, priority, "
        f"created_at, {counts}) VALUES (1, 'default', 'b', 'system', '{{}}', ?, ?, 6, 0, 'then', 4, 1, 1)",
        (graph, context),
    )
    for item_id, status in enumerate(["failed", "in_progress", *["pending"] * 4], start=1):
        connection.exec_driver_sql(
            "INSERT INTO queue_items (item_id, queue_id, batch, session_id, user_id, status, priority, attempts, "
            "created_at, updated_at) VALUES (?, 'default', 1, ?, 'system', ?, ?, ?, 'then', 'then')",
            (item_id, f"s{item_id}", status, int(item_id == 4), int(status != "pending")),
        )
    line = dump_document({"value": 3})
    connection.exec_driver_sql("INSERT INTO journal (item_id, execution_id, output) VALUES (2, 'first', ?)", (line,))


def test_an_upgrade_that_fails_leaves_the_database_as_it_was(tmp_path: Path, later: History) -> None:
    path = tmp_path / "impasto.db"
    with Database(path):
        pass
    file = tmp_path / "versions" / "later.py"
    file.write_text(file.read_text() + '    raise RuntimeError("half way")\n')
    with pytest.raises(RuntimeError, match="half way"):
        Database(path, history=later).open()
    with Database(path) as database, database.read() as connection:
        names = connection.exec_driver_sql("SELECT name FROM sqlite_master").scalars().all()
    assert "later" not in names


def test_a_kill_in_the_middle_of_the_copy_leaves_nothing_that_looks_like_one(tmp_path: Path, later: History) -> None:
    path = tmp_path / "impasto.db"
    with Database(path) as database:
        database.write(lambda connection: connection.exec_driver_sql("CREATE TABLE filler (value BLOB)"))
        database.write(lambda connection: connection.exec_driver_sql(f"INSERT INTO filler VALUES (zeroblob({2**24}))"))
    program = f"""
import os, signal, sys
from pathlib import Path
from impasto.storage import database
from impasto.storage.migrations import History

history = History({later.revisions!r}, tuple(map(Path, {[str(folder) for folder in later.folders]!r})))
back_up = database.Database._back_up

def die_when_it_is_there():
    if any(Path({str(tmp_path)!r}).glob("impasto.db.[bc]*")):
        os.kill(os.getpid(), signal.SIGKILL)

def back_up_and_die(self, engine, revision):
    with engine.connect() as connection:
        connection.connection.driver_connection.set_progress_handler(die_when_it_is_there, 1)
    back_up(self, engine, revision)

database.Database._back_up = back_up_and_die
database.Database(Path({str(path)!r}), history=history).open()
"""
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == -9
    assert copies(tmp_path) == []

    with Database(path, history=later):
        pass
    (copy,) = copies(tmp_path)
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("SELECT length(value) FROM filler").fetchone() == (2**24,)
    assert list(tmp_path.glob("*.copying*")) == []


def test_a_database_of_a_newer_version_is_refused_and_left_alone(tmp_path: Path, later: History) -> None:
    path = tmp_path / "impasto.db"
    with Database(path, history=later):
        pass
    before = path.read_bytes()
    with pytest.raises(DatabaseVersionError) as caught:
        Database(path).open()
    assert (caught.value.path, caught.value.found, caught.value.known) == (str(path), "test_later", HISTORY.head)
    assert path.read_bytes() == before
    assert copies(tmp_path) == []


def test_a_database_of_another_program_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "impasto.db"
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE recipes (name TEXT)")
    with pytest.raises(StorageError, match="holds a table 'recipes'"):
        Database(path).open()


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "impasto.db"
    path.write_bytes(b"this is no database, however long one looks at it" * 100)
    with pytest.raises(StorageError, match=r"impasto\.db cannot be opened"):
        Database(path).open()


def test_a_database_that_is_up_to_date_is_opened_without_alembic(tmp_path: Path) -> None:
    path = tmp_path / "impasto.db"
    with Database(path):
        pass
    program = f"""
import sys
from pathlib import Path
from impasto.storage.database import Database
with Database(Path({str(path)!r})):
    pass
print("alembic" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "False"
