"""Pages of the gallery, compared with a plain list that is filtered and sorted."""

import io
import itertools
import random
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from PIL import Image
from sqlalchemy.dialects import postgresql, sqlite

from impasto.errors import StorageError
from impasto.storage.database import Database
from impasto.storage.images import ImageDTO, ImageLibrary, ImageQuery
from impasto.storage.images.dto import CATEGORIES
from impasto.storage.images.gallery import page_of
from impasto.storage.tables import images

WORDS = ("cat", "dog", "catalogue", "café", "star", "写真館")

QUERIES = [
    ImageQuery(
        categories=categories,
        is_intermediate=is_intermediate,
        board_id=board_id,
        search_term=search_term,
        image_origin=origin,
        starred_first=starred_first,
        newest_first=newest_first,
    )
    for categories, is_intermediate, board_id, search_term, origin, starred_first, newest_first in [
        *itertools.product(
            [None, ("general",), ("mask", "control", "user")],
            [None, False],
            [None, "none", "board 1"],
            [None, "cat", "star ca"],
            [None],
            [True, False],
            [True, False],
        ),
        (None, True, None, None, "external", True, True),
        (("general",), None, None, "写真", "internal", True, False),
    ]
]


@pytest.fixture
def images_made(library: ImageLibrary) -> list[ImageDTO]:
    """Images of every kind, in the order in which they were made."""
    out = io.BytesIO()
    Image.new("L", (4, 4)).save(out, "PNG")
    chance = random.Random(7)
    made = []
    for _ in range(120):
        image = library.save(
            out.getvalue(),
            category=chance.choice(CATEGORIES),
            origin=chance.choice(["internal", "external"]),
            is_intermediate=chance.random() < 0.3,
            board_id=chance.choice([None, "board 1", "board-2"]),
            metadata={"prompt": " ".join(chance.sample(WORDS, 3))},
        )
        made.append(library.update(image.image_name, {"starred": True}) if chance.random() < 0.3 else image)
    return made


def prompts(library: ImageLibrary, made: Sequence[ImageDTO]) -> dict[str, list[str]]:
    """The words of each image."""
    found = {image.image_name: library.metadata(image.image_name) or {} for image in made}
    return {name: metadata["prompt"].replace("写真館", "写真館 真館 館").split() for name, metadata in found.items()}


def expected(words_of: dict[str, list[str]], made: Sequence[ImageDTO], query: ImageQuery) -> list[str]:
    """What a page-less gallery would show."""

    def found(image: ImageDTO) -> bool:
        words = words_of[image.image_name]
        return all(any(word.startswith(term) for word in words) for term in (query.search_term or "").split())

    conditions: list[Callable[[ImageDTO], bool]] = [
        lambda image: query.categories is None or image.image_category in query.categories,
        lambda image: query.is_intermediate is None or image.is_intermediate == query.is_intermediate,
        lambda image: query.image_origin is None or image.image_origin == query.image_origin,
        lambda image: query.board_id is None or (image.board_id or "none") == query.board_id,
        found,
    ]
    shown = [image for image in made if all(condition(image) for condition in conditions)]
    if query.newest_first:
        shown.reverse()
    if query.starred_first:
        shown.sort(key=lambda image: not image.starred)
    return [image.image_name for image in shown]


def test_pages_follow_one_another_without_gap_or_repetition(library: ImageLibrary, images_made: list[ImageDTO]) -> None:
    some = 0
    words_of = prompts(library, images_made)
    for query in QUERIES:
        wanted = expected(words_of, images_made, query)
        some += len(wanted) > 25
        shown: list[str] = []
        after = None
        while True:
            page = library.list(query, after=after, limit=25)
            shown += [image.image_name for image in page.items]
            if page.next is None:
                break
            assert len(page.items) == 25
            after = page.next
        assert shown == wanted, query
        names = library.names(query)
        assert names.image_names == wanted, query
        assert names.total_count == library.count(query) == len(wanted), query
        assert names.starred_count == sum(image.starred for image in library.get_many(wanted)), query
    assert some > 20  # most of these queries are worth asking


def test_an_offset_gives_the_same_as_pages(library: ImageLibrary, images_made: list[ImageDTO]) -> None:
    words_of = prompts(library, images_made)
    for query in QUERIES[::5]:
        wanted = expected(words_of, images_made, query)
        assert [image.image_name for image in library.list(query, offset=5, limit=10).items] == wanted[5:15]


def test_a_new_image_does_not_shift_the_pages_that_follow(library: ImageLibrary, images_made: list[ImageDTO]) -> None:
    query = ImageQuery(starred_first=False)
    first = library.list(query, limit=10)
    library.save(library.read(images_made[0].image_name))
    second = library.list(query, after=first.next, limit=10)
    shown = [image.image_name for image in (*first.items, *second.items)]
    assert shown == expected(prompts(library, images_made), images_made, query)[:20]


def test_an_image_that_changes_is_found_where_it_belongs(library: ImageLibrary, images_made: list[ImageDTO]) -> None:
    image = next(image for image in images_made if not image.starred and not image.is_intermediate)
    library.update(image.image_name, {"board_id": "moved", "starred": True, "image_category": "other"})
    for search_term in (None, "ca", "s", "d", "写"):
        query = ImageQuery(board_id="moved", categories=("other",), is_intermediate=False, search_term=search_term)
        found = [image.image_name for image in library.list(query).items]
        moved = library.get_many([image.image_name])
        assert found == expected(prompts(library, moved), moved, query)
    library.delete([image.image_name])
    assert library.count(ImageQuery(board_id="moved")) == 0
    assert library.count(ImageQuery(search_term="2")) == len(images_made) - 1


def test_a_page_knows_whether_there_is_another(library: ImageLibrary, images_made: list[ImageDTO]) -> None:
    assert library.list(limit=len(images_made)).next is None
    assert library.list(limit=len(images_made) - 1).next is not None


def test_images_made_in_one_moment_have_an_order(library: ImageLibrary) -> None:
    out = io.BytesIO()
    Image.new("L", (4, 4)).save(out, "PNG")
    names = [library.save(out.getvalue()).image_name for _ in range(30)]
    assert library.names().image_names == names[::-1]


@pytest.mark.parametrize("after", ["", "1", "2.5", "0.-1", "0.x", "nonsense", "0." + "9" * 40, "0.²"])
def test_a_position_that_was_not_given_out_is_refused(library: ImageLibrary, after: str) -> None:
    with pytest.raises(StorageError, match="no position in the gallery"):
        library.list(after=after)


def test_pages_are_read_from_an_index_in_its_order(database: Database) -> None:
    """The first and every later page look at as many rows as they show: nothing is sorted but the page itself."""
    everything = ImageQuery(is_intermediate=False, categories=("general",))
    on_a_board = replace(everything, board_id="b")
    for query, index in ((everything, "ix_images_gallery"), (on_a_board, "ix_images_board")):
        statement, _ = page_of(query, (images.c.image_name,), limit=10)
        text = str(statement.compile(dialect=sqlite.dialect(), compile_kwargs={"render_postcompile": True}))
        with database.read() as connection:
            rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", (0,) * text.count("?")).all()
        plan = [row.detail for row in rows]
        assert sum(index in step for step in plan) == 2, plan  # the starred and the others
        assert not any(step.startswith("SCAN images") for step in plan), plan


def test_page_statements_are_understood_by_postgresql() -> None:
    for query in QUERIES[::7]:
        if query.search_term is None:
            statement, _ = page_of(query, (images.c.image_name,), limit=10)
            assert "FROM images" in str(statement.compile(dialect=postgresql.dialect()))
