"""The doctor calls a problem what keeps something from working, and says of the rest what was found."""

from pathlib import Path

from impasto.cli.doctor import (
    Report,
    devices_found,
    folder_found,
    models_found,
    plugins_found,
    queues_found,
    workers_found,
)

CPU = {"name": "cpu", "kind": "cpu", "description": "", "memory_bytes": None, "precision": "float32", "notes": []}


def plugin(state: str, reason: str = "") -> dict[str, object]:
    return {"name": "impasto-x", "version": "1.0.0", "state": state, "reason": reason}


def test_a_device_is_described_and_what_it_fell_back_to_is_a_note() -> None:
    gpu = {**CPU, "name": "cuda:0", "kind": "cuda", "description": "NVIDIA H100", "memory_bytes": 80 * 10**9}
    plain, fallen = devices_found([gpu, {**CPU, "notes": ["no CUDA driver was found"]}], [])
    assert (plain.verdict, plain.what) == ("ok", "cuda:0 (NVIDIA H100, 80.0 GB) in float32")
    assert (fallen.verdict, fallen.what, fallen.notes) == (
        "note",
        "cpu (cpu) in float32",
        ("no CUDA driver was found",),
    )


def test_no_worker_that_is_ready_is_a_problem_with_its_reasons() -> None:
    (found,) = devices_found([], ["worker 'auto-0' is lost: torch is missing"])
    assert (found.verdict, found.notes) == ("problem", ("worker 'auto-0' is lost: torch is missing",))


def test_a_worker_is_shown_with_what_it_does_and_how_often_it_was_started_again() -> None:
    facts = {
        "worker_id": "cpu-0", "kind": "device", "status": "ready", "item_id": None, "reason": None, "starts": 1
    }  # fmt: skip
    ready, busy, lost, io = workers_found(
        [
            facts,
            {**facts, "status": "busy", "item_id": 7, "starts": 3},
            {**facts, "status": "lost", "starts": 2, "reason": "it exited with status 3"},
            {**facts, "worker_id": "io-0", "kind": "io", "status": "busy", "item_id": 8},
        ]
    )
    assert (ready.verdict, ready.what, ready.notes) == ("ok", "cpu-0 is ready", ())
    assert (busy.verdict, busy.what) == ("note", "cpu-0 is busy with item 7, started again 2 times")
    assert (lost.verdict, lost.what) == ("note", "cpu-0 is lost, started again 1 time")
    assert lost.notes == ("it exited with status 3",)
    assert (io.verdict, io.what) == ("ok", "io-0, without a device, is busy with item 8")


def test_a_queue_is_shown_when_there_is_something_to_say_of_it() -> None:
    empty = {"queue_id": "default", "pending": 0, "in_progress": 0, "completed": 9, "is_paused": False}
    full, paused = queues_found([empty, {**empty, "pending": 3, "in_progress": 1}, {**empty, "is_paused": True}])
    assert (full.verdict, full.what, full.notes) == ("ok", "default: 3 wait, 1 run", ())
    assert (paused.verdict, paused.what) == ("note", "default: 0 wait, 0 run")
    assert paused.notes


def test_a_plugin_that_failed_is_a_problem_and_a_disabled_one_is_not() -> None:
    summary, disabled, failed = plugins_found([plugin("active"), plugin("disabled"), plugin("failed", "No module 'x'")])
    assert (summary.verdict, summary.what) == ("ok", "1 of 3 active")
    assert disabled.verdict == "note"
    assert (failed.verdict, failed.notes) == ("problem", ("No module 'x'",))
    assert not Report([summary, disabled, failed]).healthy
    assert Report([summary, disabled]).healthy


def test_no_active_plugin_at_all_is_a_problem() -> None:
    assert plugins_found([])[0].verdict == "problem"


def test_a_model_whose_files_are_gone_is_a_problem(tmp_path: Path) -> None:
    there, gone = {"name": "a", "path": str(tmp_path)}, {"name": "b", "path": str(tmp_path / "gone")}
    assert models_found([there]).verdict == "ok"
    assert models_found([there, gone]).verdict == "problem"
    assert models_found([there, gone]).notes == (f"b: nothing is at {tmp_path / 'gone'}",)
    assert models_found([]).verdict == "note"


def test_the_folder_is_named_with_its_database_and_the_space_that_is_left(tmp_path: Path) -> None:
    before = {finding.subject: finding.what for finding in folder_found(tmp_path)}
    (tmp_path / "impasto.db").write_bytes(bytes(1_500_000))
    after = {finding.subject: finding.what for finding in folder_found(tmp_path)}
    assert before["root folder"] == str(tmp_path)
    assert "not there yet" in before["database"]
    assert "1.5 MB" in after["database"]
    (tmp_path / "impasto.db-wal").write_bytes(bytes(2_000_000))  # what was written last
    assert "3.5 MB" in {finding.subject: finding.what for finding in folder_found(tmp_path)}["database"]
    assert after["disk"].endswith("B free")
