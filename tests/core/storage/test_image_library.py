"""Images as files and rows that come and go together."""

import io
import json
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image
from pydantic import ValidationError

from impasto.errors import (
    CreationGoneError,
    IdempotencyKeyError,
    StorageError,
    StorageUnavailableError,
    UnreadableImageError,
)
from impasto.storage import portions as portions_module
from impasto.storage.creations import Created, CreationKey
from impasto.storage.database import Database
from impasto.storage.images import ImageDTO, ImageLibrary, ImageQuery, Tidied, thumbnails
from impasto.storage.images.records import ImageRecords, NewImage
from impasto.storage.pictures import encode_thumbnail
from impasto.storage.png_chunks import read_texts, with_texts
from impasto_sdk.errors import ImageNotFoundError


def encoded(file_format: str = "PNG", size: tuple[int, int] = (300, 200), **options: object) -> bytes:
    out = io.BytesIO()
    Image.effect_noise(size, 60).convert("RGB").save(out, file_format, **options)
    return out.getvalue()


def files(tmp_path: Path) -> list[Path]:
    return [path for path in (tmp_path / "images").rglob("*") if path.is_file() and "thumbnails" not in path.parts]


def test_an_image_has_every_field_of_its_dto_with_nulls(library: ImageLibrary) -> None:
    image = library.save(encoded())
    assert library.get(image.image_name) == image
    document = image.model_dump(mode="json")
    name = document.pop("image_name")
    assert document.pop("created_at") == document.pop("updated_at")
    assert document == {
        "image_url": f"api/v1/images/i/{name}/full",
        "thumbnail_url": f"api/v1/images/i/{name}/thumbnail",
        "image_origin": "internal",
        "image_category": "general",
        "width": 300,
        "height": 200,
        "deleted_at": None,
        "is_intermediate": False,
        "session_id": None,
        "node_id": None,
        "starred": False,
        "has_workflow": False,
        "board_id": None,
    }


def test_images_that_were_not_settled_are_discarded_and_no_others(library: ImageLibrary, tmp_path: Path) -> None:
    kept = library.save(encoded()).image_name
    for intermediate in (False, True):
        library.save(encoded(), session_id="s", node_id="a", unsettled=True, is_intermediate=intermediate)
    assert library.discard_unsettled() == 2
    assert [path.name for path in files(tmp_path)] == [kept]
    assert library.names().image_names == [kept]
    assert library.discard_unsettled() == 0


def test_a_folder_that_cannot_be_written_to_is_named_and_nothing_is_left(library: ImageLibrary, tmp_path: Path) -> None:
    (tmp_path / "images").write_text("in the way")
    with pytest.raises(StorageUnavailableError, match=r"images/.. cannot be written to: (Not a directory|File exists)"):
        library.save(encoded())
    assert library.names().image_names == []


def test_an_unsettled_image_that_somebody_deletes_is_forgotten(library: ImageLibrary) -> None:
    library.delete([library.save(encoded(), unsettled=True).image_name])
    assert library.discard_unsettled() == 0


def test_a_png_is_stored_byte_for_byte_when_nothing_is_to_be_written_into_it(library: ImageLibrary) -> None:
    data = encoded()
    assert library.read(library.save(data).image_name) == data


@pytest.mark.parametrize(("file_format", "ending"), [("JPEG", "jpg"), ("WEBP", "webp")])
def test_jpeg_and_webp_are_kept_as_they_are(library: ImageLibrary, file_format: str, ending: str) -> None:
    data = encoded(file_format)
    image = library.save(data, metadata={"seed": 1}, graph={"nodes": {}}, workflow={"name": "flow"})
    assert image.image_name.endswith(f".{ending}")
    assert library.read(image.image_name) == data
    assert library.metadata(image.image_name) == {"seed": 1}
    documents = library.documents(image.image_name)
    assert (documents.graph, documents.workflow, image.has_workflow) == ({"nodes": {}}, {"name": "flow"}, True)


def test_what_an_image_was_made_with_is_in_its_file(library: ImageLibrary) -> None:
    metadata = {"prompt": "café ☃ 写真 \ud800", "seed": 2**64 - 1}
    image = library.save(encoded(), metadata=metadata, graph={"id": "g"}, workflow={"name": "é"})
    texts = read_texts(library.read(image.image_name))
    assert json.loads(texts["invokeai_metadata"]) == metadata == library.metadata(image.image_name)
    assert json.loads(texts["invokeai_graph"]) == {"id": "g"} == library.documents(image.image_name).graph
    assert json.loads(texts["invokeai_workflow"]) == {"name": "é"} == library.documents(image.image_name).workflow
    assert image.has_workflow


def test_a_signed_png_keeps_every_byte_and_what_it_was_made_with_is_kept_beside_it(library: ImageLibrary) -> None:
    signed = with_texts(encoded(), {"invokeai_graph": '{"id": "the signer\'s"}'})
    image = library.save(signed, metadata={"seed": 1}, graph={"id": "ours"}, workflow={"name": "flow"}, embed=False)
    assert library.read(image.image_name) == signed
    assert library.metadata(image.image_name) == {"seed": 1}
    documents = library.documents(image.image_name)
    assert (documents.graph, documents.workflow, image.has_workflow) == ({"id": "ours"}, {"name": "flow"}, True)


def test_an_upload_keeps_what_it_brings_along(library: ImageLibrary) -> None:
    first = library.save(encoded(), metadata={"seed": 7}, graph={"id": "g"}, workflow={"name": "w"})
    data = library.read(first.image_name)
    again = library.save(data, origin="external", category="user")
    assert library.metadata(again.image_name) == {"seed": 7}
    assert library.documents(again.image_name) == library.documents(first.image_name)
    assert again.has_workflow
    assert library.read(again.image_name) == data


def test_metadata_that_is_given_wins_over_what_the_file_brings(library: ImageLibrary) -> None:
    data = with_texts(encoded(), {"invokeai_metadata": '{"seed":1}', "parameters": "steps: 20"})
    image = library.save(data, metadata={"seed": 2})
    assert library.metadata(image.image_name) == {"seed": 2}
    assert read_texts(library.read(image.image_name)) == {"invokeai_metadata": '{"seed":2}', "parameters": "steps: 20"}


@pytest.mark.parametrize("text", ["", "no json", "[1, 2]", "[" * 100_000])
def test_metadata_of_an_upload_that_is_no_object_is_none(library: ImageLibrary, text: str) -> None:
    image = library.save(with_texts(encoded(), {"invokeai_metadata": text}), origin="external")
    assert library.metadata(image.image_name) is None


@pytest.mark.parametrize("origin", ["internal", "external"])
@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "WEBP"])
def test_a_picture_that_is_incomplete_is_refused_and_nothing_is_stored(
    library: ImageLibrary, tmp_path: Path, file_format: str, origin: str
) -> None:
    data = encoded(file_format)
    for broken in (data[: len(data) // 2], b"", b"text", *([data[:-1]] if file_format == "PNG" else [])):
        with pytest.raises(UnreadableImageError):
            library.save(broken, origin=origin)
    assert files(tmp_path) == []
    assert library.count() == 0


def test_a_row_that_cannot_be_written_takes_its_file_with_it(
    library: ImageLibrary, database: Database, tmp_path: Path
) -> None:
    database.close()
    with pytest.raises(StorageError, match="is not open"):
        library.save(encoded())
    assert files(tmp_path) == []


@pytest.mark.parametrize("kind", ["category", "origin"])
def test_an_unknown_category_or_origin_is_refused(library: ImageLibrary, kind: str) -> None:
    with pytest.raises(StorageError, match="'selfie'"):
        library.save(encoded(), **{kind: "selfie"})


@pytest.mark.parametrize(
    "name", ["", "nothing.png", "../../impasto.db", "/etc/passwd", "0" * 32 + ".png", "a" * 5000, "x.png\0"]
)
def test_a_name_that_is_no_images_is_not_found(library: ImageLibrary, name: str) -> None:
    for ask in (library.get, library.path, library.thumbnail, library.read, library.metadata, library.documents):
        with pytest.raises(ImageNotFoundError) as caught:
            ask(name)
        assert caught.value.name == name
    assert library.delete([name]) == []


def test_names_are_random_and_files_lie_in_folders_by_prefix(library: ImageLibrary, tmp_path: Path) -> None:
    images = [library.save(encoded(size=(8, 8))) for _ in range(20)]
    assert len({image.image_name for image in images}) == 20
    for image in images:
        path = library.path(image.image_name)
        assert path == tmp_path / "images" / image.image_name[:2] / image.image_name
        assert path.is_file()
    assert len(files(tmp_path)) == 20  # no unfinished ones are left


def test_a_thumbnail_is_made_once_whoever_asks_first(library: ImageLibrary, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go_on, made = threading.Event(), threading.Event(), []

    def slowly(picture: Image.Image) -> bytes:
        made.append(picture.size)
        begun.set()
        assert go_on.wait(30)
        return encode_thumbnail(picture)

    monkeypatch.setattr(thumbnails, "encode_thumbnail", slowly)
    name = library.save(encoded()).image_name
    assert begun.wait(30)  # the library's own thread has it in hand
    with ThreadPoolExecutor(1) as client:
        asked = client.submit(library.thumbnail, name)
        go_on.set()
        assert asked.result(30).exists()
    assert made == [(300, 200)]


def test_a_thumbnail_is_made_after_the_save_on_a_thread_of_its_own(library: ImageLibrary, tmp_path: Path) -> None:
    library.save(encoded(size=(1000, 500)))
    library.close()  # ends when the thread has nothing more to do
    (path,) = (tmp_path / "images" / "thumbnails").rglob("*.webp")
    with Image.open(path) as thumbnail:
        assert (thumbnail.format, thumbnail.size) == ("WEBP", (256, 128))


def test_a_missing_or_empty_thumbnail_is_made_when_it_is_asked_for(library: ImageLibrary) -> None:
    name = library.save(encoded(), is_intermediate=True).image_name
    path = library.thumbnail(name)
    made = path.read_bytes()
    path.write_bytes(b"")
    assert library.thumbnail(name).read_bytes() == made
    path.unlink()
    assert library.thumbnail(name).read_bytes() == made


def test_a_thumbnail_that_is_there_is_not_made_again(library: ImageLibrary) -> None:
    name = library.save(encoded(), is_intermediate=True).image_name  # of those none is made in the background
    path = library.thumbnail(name)
    path.write_bytes(b"as it is")
    assert library.thumbnail(name).read_bytes() == b"as it is"


def test_deleting_removes_row_file_and_thumbnail_and_tells_what_was_there(
    library: ImageLibrary, tmp_path: Path
) -> None:
    gone, kept = library.save(encoded()).image_name, library.save(encoded()).image_name
    path, thumbnail = library.path(gone), library.thumbnail(gone)
    assert library.delete([gone, "unknown.png", gone]) == [gone]
    assert not path.exists()
    assert not thumbnail.exists()
    assert library.exist([gone, kept]) == {kept}
    assert [path.name for path in files(tmp_path)] == [kept]


def test_an_image_whose_file_is_gone_says_so(library: ImageLibrary) -> None:
    name = library.save(encoded()).image_name
    library.path(name).unlink()
    with pytest.raises(ImageNotFoundError, match="its file is gone"):
        library.read(name)


def test_changes_touch_only_what_they_name(library: ImageLibrary) -> None:
    before = library.save(encoded(), board_id="holidays", session_id="s", metadata={"seed": 1})
    after = library.update(before.image_name, {"starred": True, "board_id": None})
    assert after == before.model_copy(update={"starred": True, "board_id": None, "updated_at": after.updated_at})
    assert after.updated_at > before.updated_at
    assert library.update(before.image_name, {"image_category": "mask"}).starred


@pytest.mark.parametrize("changes", [{"width": 5}, {"image_category": "selfie"}, {"starred": "perhaps"}])
def test_other_changes_are_refused(library: ImageLibrary, changes: dict[str, object]) -> None:
    name = library.save(encoded()).image_name
    with pytest.raises(ValidationError):
        library.update(name, changes)


def test_many_are_starred_at_once(library: ImageLibrary) -> None:
    names = [library.save(encoded(size=(8, 8))).image_name for _ in range(3)]
    assert set(library.set_starred([names[0], names[2], "unknown"], starred=True)) == {names[0], names[2]}
    assert [image.starred for image in library.get_many(names)] == [True, False, True]


def test_more_names_than_a_statement_takes_are_looked_up_changed_and_deleted(
    library: ImageLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(portions_module, "PORTION", 2)
    names = [library.save(encoded(size=(8, 8))).image_name for _ in range(5)]
    assert library.exist(names) == set(names)
    assert set(library.set_starred(names, starred=True)) == set(names)
    assert [image.starred for image in library.get_many(names)] == [True] * 5
    assert set(library.delete(names)) == set(names)
    assert library.exist(names) == set()


def test_what_is_asked_for_by_names_comes_in_that_order(library: ImageLibrary) -> None:
    names = [library.save(encoded(size=(8, 8))).image_name for _ in range(4)]
    wanted = [names[2], "unknown", names[0], names[3]]
    assert [image.image_name for image in library.get_many(wanted)] == [names[2], names[0], names[3]]


def test_an_image_deleted_while_its_thumbnail_is_made_leaves_none(
    library: ImageLibrary, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = library.save(encoded(), is_intermediate=True).image_name

    def delete_first(image: Image.Image) -> bytes:
        library.delete([name])
        return encode_thumbnail(image)

    monkeypatch.setattr(thumbnails, "encode_thumbnail", delete_first)
    with pytest.raises(ImageNotFoundError):
        library.thumbnail(name)
    assert not [path for path in (tmp_path / "images").rglob("*") if path.is_file()]


def test_an_image_saved_while_the_library_closes_is_saved(library: ImageLibrary) -> None:
    library.close()
    name = library.save(encoded()).image_name
    assert library.thumbnail(name).exists()


def test_tidying_removes_what_a_crash_left_and_nothing_else(library: ImageLibrary, tmp_path: Path) -> None:
    kept = library.save(encoded()).image_name
    folder = tmp_path / "images"
    orphan = folder / "00" / f"{'0' * 32}.png"
    unfinished = folder / "22" / f"{'2' * 32}.png.deadbeef.part"
    thumbnail, half = (folder / "thumbnails" / "33" / f"{'3' * 32}.webp{end}" for end in ("", ".deadbeef.part"))
    in_hand = folder / "thumbnails" / "44" / f"{'4' * 32}.webp.deadbeef.part"
    for path in (orphan, unfinished, thumbnail, half, in_hand):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"left behind")
    of_kept = library.thumbnail(kept)
    hours_ago = time.time() - 7200
    for path in (thumbnail, half, of_kept, library.path(kept)):
        os.utime(path, (hours_ago, hours_ago))
    assert library.tidy() == Tidied(orphans=1, missing=[])
    assert {path for path in (folder / "thumbnails").rglob("*") if path.is_file()} == {of_kept, in_hand}
    assert [path.name for path in files(tmp_path)] == [kept]


def test_images_that_are_saved_during_a_tidying_stay(
    library: ImageLibrary, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the worst moment: their files are there, and their rows are not."""
    saved, found = threading.Event(), threading.Event()
    add = ImageRecords.add

    def add_later(self: ImageRecords, new: NewImage, key: CreationKey | None) -> Created[ImageDTO]:
        saved.set()
        assert found.wait(30)
        return add(self, new, key)

    monkeypatch.setattr(ImageRecords, "add", add_later)
    with ThreadPoolExecutor() as pool:
        saving = pool.submit(library.save, encoded())
        assert saved.wait(30)
        try:
            assert library.tidy() == Tidied(orphans=0, missing=[])
        finally:
            found.set()
        assert [path.name for path in files(tmp_path)] == [saving.result().image_name]


def test_an_image_whose_file_is_gone_is_missed_and_kept(library: ImageLibrary) -> None:
    names = [library.save(encoded()).image_name for _ in range(3)]
    library.path(names[1]).unlink()
    assert library.tidy() == Tidied(orphans=0, missing=[names[1]])
    assert set(library.names().image_names) == set(names)


def test_a_kill_in_the_middle_of_saves_leaves_every_row_with_its_whole_file(tmp_path: Path) -> None:
    program = f"""
import os, sys, threading
from pathlib import Path
from impasto.storage.database import Database
from impasto.storage.images import ImageLibrary
database = Database(Path({str(tmp_path)!r}) / "impasto.db")
database.open()
library = ImageLibrary(database, Path({str(tmp_path)!r}) / "images")
data = Path({str(tmp_path)!r}, "in.png").read_bytes()
def save():
    while True:
        library.save(data, metadata={{"seed": 1}})
        os.write(1, b"saved\\n")
for _ in range(4):
    threading.Thread(target=save, daemon=True).start()
sys.stdin.read()
"""
    data = encoded()
    (tmp_path / "in.png").write_bytes(data)
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for _ in range(10):
            assert process.stdout.readline() == b"saved\n"
        process.kill()
        process.stdout.read()
    with Database(tmp_path / "impasto.db") as database:
        library = ImageLibrary(database, tmp_path / "images")
        names = library.names(ImageQuery()).image_names
        assert len(names) >= 10
        for name in names:
            with Image.open(io.BytesIO(library.read(name))) as image:
                image.load()
        library.close()


def test_an_upload_is_saved_like_any_picture_from_outside(library: ImageLibrary) -> None:
    created = library.upload(encoded(), category="mask", board_id="b", session_id="s", metadata={"a": 1})

    image = created.thing
    assert not created.repeated
    assert (image.image_origin, image.image_category, image.board_id, image.session_id) == (
        "external",
        "mask",
        "b",
        "s",
    )
    assert library.metadata(image.image_name) == {"a": 1}


def test_a_repeated_upload_gives_the_first_image_and_leaves_one_file(library: ImageLibrary, tmp_path: Path) -> None:
    data = encoded()
    first = library.upload(data, idempotency_key="k")

    again = library.upload(data, idempotency_key="k")

    assert (again.thing, again.repeated) == (first.thing, True)
    assert [path.name for path in files(tmp_path)] == [first.thing.image_name]
    assert not library.upload(data, idempotency_key="k", user_id="ann").repeated


def test_an_upload_that_comes_twice_at_once_leaves_one_file(
    library: ImageLibrary, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the worst moment: neither finds the other before both have written their files."""
    at_once, data = threading.Barrier(2), encoded()
    add = ImageRecords.add

    def add_together(self: ImageRecords, new: NewImage, key: CreationKey | None) -> Created[ImageDTO]:
        at_once.wait(30)
        return add(self, new, key)

    monkeypatch.setattr(ImageRecords, "add", add_together)
    with ThreadPoolExecutor() as pool:
        both = [future.result() for future in [pool.submit(library.upload, data, idempotency_key="k") for _ in "12"]]

    assert sorted(created.repeated for created in both) == [False, True]
    assert {created.thing.image_name for created in both} == {path.name for path in files(tmp_path)}
    assert len(files(tmp_path)) == 1


def test_an_upload_whose_image_is_gone_is_not_made_again(library: ImageLibrary, tmp_path: Path) -> None:
    data = encoded()
    name = library.upload(data, idempotency_key="k").thing.image_name
    library.delete([name])

    with pytest.raises(CreationGoneError, match=name) as caught:
        library.upload(data, idempotency_key="k")
    assert (caught.value.kind, caught.value.created, caught.value.idempotency_key) == ("image", name, "k")
    assert files(tmp_path) == []


def test_a_key_is_for_the_bytes_and_the_facts_of_an_upload(library: ImageLibrary) -> None:
    data = encoded()
    library.upload(data, idempotency_key="k")

    for other, facts in ((encoded(), {}), (data, {"category": "mask"}), (data, {"metadata": {}})):
        with pytest.raises(IdempotencyKeyError, match="'k' was used for another image"):
            library.upload(other, idempotency_key="k", **facts)
