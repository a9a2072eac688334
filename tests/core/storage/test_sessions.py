"""Tensors go with their session, and no name leads out of the folder."""

from pathlib import Path

import pytest

from impasto.storage.sessions import SessionFiles
from impasto_sdk.errors import TensorNotFoundError


@pytest.fixture
def sessions(tmp_path: Path) -> SessionFiles:
    return SessionFiles(tmp_path / "sessions")


def test_bytes_come_back_by_the_name_they_were_given(sessions: SessionFiles) -> None:
    first, second = sessions.save("one", b"first"), sessions.save("one", b"second")
    assert (sessions.load(first), sessions.load(second)) == (b"first", b"second")


def test_deleting_a_session_removes_its_tensors_and_no_others(sessions: SessionFiles, tmp_path: Path) -> None:
    mine, other = sessions.save("mine", b"1"), sessions.save("other", b"2")
    sessions.delete_session("mine")
    sessions.delete_session("mine")
    assert sessions.exist([mine, other, "nonsense"]) == {other}
    with pytest.raises(TensorNotFoundError, match="go when their session does") as caught:
        sessions.load(mine)
    assert caught.value.name == mine
    assert sessions.load(other) == b"2"
    assert len(list((tmp_path / "sessions").iterdir())) == 1


def test_session_ids_chosen_by_clients_never_become_paths(sessions: SessionFiles, tmp_path: Path) -> None:
    for session_id in ("../../outside", "/etc", "a/b", "", "." * 300, "nul\0byte"):
        name = sessions.save(session_id, b"inside")
        assert sessions.load(name) == b"inside"
        sessions.delete_session(session_id)
    assert [path.name for path in tmp_path.iterdir()] == ["sessions"]
    assert list((tmp_path / "sessions").iterdir()) == []


@pytest.mark.parametrize("name", ["../../../etc/passwd", "", "x" * 65, "0" * 32 + "-" + "0" * 31 + "/"])
def test_a_name_that_was_not_given_out_is_not_found(sessions: SessionFiles, name: str) -> None:
    with pytest.raises(TensorNotFoundError):
        sessions.load(name)


def test_a_tensor_that_cannot_be_written_leaves_nothing(
    sessions: SessionFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(path: Path, target: Path) -> Path:
        raise OSError("disk full")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        sessions.save("mine", b"1")
    assert not [path for path in (tmp_path / "sessions").rglob("*") if path.is_file()]
