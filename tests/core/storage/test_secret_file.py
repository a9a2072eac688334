"""The file of keys: for its owner only, written at once or not at all, and quiet about what is in it."""

import errno
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from impasto.errors import SettingsError, StorageError
from impasto.storage.secret_file import SecretFile

KEY = "sk-planted-0123456789"

ADD_TEN = """
import sys, pathlib
from impasto.storage.secret_file import SecretFile
file = SecretFile(pathlib.Path(sys.argv[1]))
for number in range(10):
    with file.changing() as values:
        values[f"{sys.argv[2]}_{number}"] = "a key"
"""


@pytest.fixture
def file(tmp_path: Path) -> SecretFile:
    return SecretFile(tmp_path / "api_keys.yaml")


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_file_that_is_not_there_holds_nothing_and_is_not_made_by_reading(file: SecretFile) -> None:
    assert file.read() == {}
    assert not file.path.exists()


@pytest.mark.parametrize(
    "secret",
    [KEY, "0123456789", "1e400", "null", "true", "~", "# no comment", "a: b", "'\"\\", "ключ", "*alias", "x" * 5000],
)
def test_a_secret_comes_back_as_it_was_written(file: SecretFile, secret: str) -> None:
    file.write({"one": secret, "two": "other"})
    assert file.read() == {"one": secret, "two": "other"}


def test_what_a_person_writes_is_read_as_it_stands(file: SecretFile) -> None:
    file.path.write_text("# mine\nopenai_api_key: sk-1\nnumber: 0123\nempty:\nquoted: 'a # b'\n", "utf-8")
    file.path.chmod(0o600)
    assert file.read() == {"openai_api_key": "sk-1", "number": "0123", "empty": "", "quoted": "a # b"}


def test_nobody_else_may_read_it_at_any_moment_whatever_the_umask(
    file: SecretFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[int, bytes]] = []
    fsync = os.fsync

    def look(descriptor: int) -> None:
        for path in file.path.parent.iterdir():
            seen.append((mode_of(path), path.read_bytes()))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", look)
    before = os.umask(0)
    try:
        file.write({"one": KEY})
    finally:
        os.umask(before)
    assert any(KEY.encode() in data for _, data in seen), "the draft was looked at"
    assert {mode for mode, _ in seen} == {0o600}
    assert mode_of(file.path) == 0o600


def test_a_file_that_others_may_read_is_closed_to_them_and_that_is_told(
    file: SecretFile, caplog: pytest.LogCaptureFixture
) -> None:
    file.path.write_text(f"one: {KEY}\n", "utf-8")
    file.path.chmod(0o644)
    assert file.read() == {"one": KEY}
    assert mode_of(file.path) == 0o600
    (line,) = caplog.messages
    assert line.startswith(f"{file.path} was open to other users of this machine (mode 0644)")
    caplog.clear()
    file.read()
    assert caplog.messages == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (f"good: 1\nbad: [{KEY}\n", "line 3: not YAML"),
        (f"good: 1\nbad: *{KEY}\n", "line 2: not YAML"),
        (f"good: 1\n{KEY}\n", "line 3: not YAML"),
        (f"good: 1\nbad: @{KEY}\n", "line 2: not YAML"),
        (f"good: 1\nbad: [{KEY}]\n", "line 2: 'bad' is no text"),
        (f"good: 1\nbad:\n  deep: {KEY}\n", "line 3: 'bad' is no text"),
        (f"- {KEY}\n", "line 1: not a list of names and secrets"),
        (KEY, "line 1: not a list of names and secrets"),
        (f"one: {KEY}\ntwo: 2\none: 3\n", "line 3: 'one' stands there twice"),
        (f"[{KEY}]: 1\n", "line 1: no name"),
    ],
)
def test_what_makes_no_sense_is_told_by_its_line_and_without_a_secret(
    file: SecretFile, text: str, problem: str
) -> None:
    file.path.write_text(text, "utf-8")
    file.path.chmod(0o600)
    with pytest.raises(SettingsError) as caught:
        file.read()
    assert str(file.path) in str(caught.value)
    assert problem in str(caught.value)
    error: BaseException | None = caught.value
    while error is not None:
        assert KEY not in f"{error}{error!r}"
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def test_bytes_that_are_no_text_and_a_folder_are_told_of(file: SecretFile, tmp_path: Path) -> None:
    file.path.write_bytes(b"one: \xff" + KEY.encode())
    with pytest.raises(SettingsError, match="cannot be read: it is no text") as caught:
        file.read()
    assert caught.value.__suppress_context__
    with pytest.raises(SettingsError, match="cannot be read: Is a directory"):
        SecretFile(tmp_path).read()


def test_a_write_that_fails_leaves_what_was_there_and_nothing_else(
    file: SecretFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write({"one": "before"})

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(StorageError, match=r"api_keys\.yaml cannot be written: No space left on device"):
            file.write({"one": "after"})
    assert file.read() == {"one": "before"}
    assert [path.name for path in file.path.parent.iterdir()] == ["api_keys.yaml"]


def test_what_a_write_that_was_killed_has_left_is_gone_with_the_next_change(file: SecretFile) -> None:
    script = (
        "import os, pathlib, sys; from impasto.storage.secret_file import SecretFile; "
        "os.fsync = lambda descriptor: os._exit(9); "
        "SecretFile(pathlib.Path(sys.argv[1])).write({'one': sys.argv[2]})"
    )
    assert subprocess.run([sys.executable, "-c", script, str(file.path), KEY], timeout=60).returncode == 9
    folder = file.path.parent
    assert any(KEY.encode() in path.read_bytes() for path in folder.iterdir()), "it was killed with a draft"
    (folder / ".api_keys.yaml.mine").write_text("of a person")
    with file.changing() as values:
        values["two"] = "other"
    assert file.read() == {"two": "other"}
    assert not any(KEY.encode() in path.read_bytes() for path in folder.iterdir())
    assert (folder / ".api_keys.yaml.mine").exists()


def test_two_links_to_one_file_are_changed_one_at_a_time(file: SecretFile, tmp_path: Path) -> None:
    links = [tmp_path / "left" / "api_keys.yaml", tmp_path / "right" / "api_keys.yaml"]
    for link in links:
        link.parent.mkdir()
        link.symlink_to(file.path)
    programs = [subprocess.Popen([sys.executable, "-c", ADD_TEN, str(link), link.parent.name]) for link in links]
    assert [program.wait(60) for program in programs] == [0, 0]
    assert len(file.read()) == 20


def test_a_change_that_is_given_up_changes_nothing(file: SecretFile) -> None:
    file.write({"one": "before"})
    with pytest.raises(KeyError), file.changing() as values:
        values["one"] = values.pop("not there")
    assert file.read() == {"one": "before"}


def test_processes_that_change_it_at_once_lose_nothing(file: SecretFile) -> None:
    names = ("left", "right", "middle")
    processes = [subprocess.Popen([sys.executable, "-c", ADD_TEN, str(file.path), name]) for name in names]
    assert [process.wait(60) for process in processes] == [0, 0, 0]
    assert file.read().keys() == {f"{name}_{number}" for name in names for number in range(10)}


def test_a_link_is_followed_and_stays_one(file: SecretFile, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    file.path.symlink_to(elsewhere / "keys.yaml")
    file.write({"one": KEY})
    assert file.path.is_symlink()
    assert (elsewhere / "keys.yaml").read_text("utf-8").endswith(f"one: {KEY}\n")
    assert file.read() == {"one": KEY}
