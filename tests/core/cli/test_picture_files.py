"""Pictures are written where they were asked for, whole or not at all, and a bad place is told of beforehand."""

from pathlib import Path

import pytest

from impasto.cli.failures import CommandError, UsageError
from impasto.cli.picture_files import check_writable, make_folder, numbered, write_picture


def test_a_place_that_can_be_written_to_is_fine(tmp_path: Path) -> None:
    check_writable(tmp_path / "star.png")
    check_writable(tmp_path / "STAR.PNG")


def test_a_bad_place_is_told_of_in_words(tmp_path: Path) -> None:
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(CommandError, match=r"PNG files: give --out a name like .*star\.png"):
        check_writable(tmp_path / "star.jpg")
    for folder in (tmp_path / "folder.png", tmp_path, Path(), Path("..")):
        with pytest.raises(UsageError, match="is a folder"):
            check_writable(folder)
    with pytest.raises(CommandError, match=r"the folder .*gone does not exist"):
        check_writable(tmp_path / "gone" / "star.png")


def test_a_folder_for_pictures_is_made_with_those_above_it(tmp_path: Path) -> None:
    make_folder(tmp_path / "a" / "b")
    make_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(UsageError, match="file is a file"):
        make_folder(tmp_path / "file")
    with pytest.raises(CommandError, match="inner cannot be made: Not a directory"):
        make_folder(tmp_path / "file" / "inner")


def test_several_pictures_are_numbered_and_one_is_not() -> None:
    assert numbered(Path("a/star.png"), 1) == [Path("a/star.png")]
    assert numbered(Path("a/star.png"), 2) == [Path("a/star-1.png"), Path("a/star-2.png")]


def test_writing_replaces_a_file_and_leaves_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "star.png"
    path.write_bytes(b"old")
    write_picture(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "star.png").mkdir()
    with pytest.raises(CommandError, match=r"star\.png cannot be written"):
        write_picture(tmp_path / "star.png", b"new")
    assert list(tmp_path.iterdir()) == [tmp_path / "star.png"]
