"""What images are found by, and that no search term can break the index."""

import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from impasto.storage.images import ImageLibrary, ImageQuery

METADATA = {
    "positive_prompt": "A photograph of an Astronaut, riding_a-horse (masterpiece:1.2) über 東京の夜景",
    "seed": 18446744073709551615,
    "model": {"name": "Dreamshaper 8", "key": "0af3"},
    "loras": [{"weight": 0.75, "name": 'Pixel "Art" O\'Neill'}],
    "hrf_enabled": True,
}


@pytest.fixture
def found_by(library: ImageLibrary):
    out = io.BytesIO()
    Image.new("L", (4, 4)).save(out, "PNG")
    library.save(out.getvalue(), metadata=METADATA)
    library.save(out.getvalue(), metadata={"positive_prompt": "another"})
    return lambda term: library.count(ImageQuery(search_term=term))


@pytest.mark.parametrize(
    "term",
    [
        "photo", "ASTRONAUT", "horse", "riding_a-horse", "masterpiece:1.2", "uber", "über", "東京", "夜景", "京の夜",
        "1844674407370955", "dreamshaper 8", "0.75", '"art"', "O'Neill", "horse astro", "  photo  ", "0af3",
    ],
)  # fmt: skip
def test_an_image_is_found_by_the_beginnings_of_its_words(found_by, term: str) -> None:
    assert found_by(term) == 1


@pytest.mark.parametrize("term", ["graph", "photo another", "京東", "True", "seed", "()", "---", "NOT another", "*"])
def test_an_image_is_not_found_by_anything_else(found_by, term: str) -> None:
    assert found_by(term) == 0


@pytest.mark.parametrize("term", ["", "   ", '"', "\0", None])
def test_a_term_without_words_finds_everything(found_by, term: str | None) -> None:
    assert found_by(term) == 2


def test_images_are_found_by_their_day(library: ImageLibrary, found_by) -> None:
    day = library.list().items[0].created_at[:10]
    assert found_by(day) == 2
    assert found_by("1999-01-01") == 0


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(term=st.text(max_size=30) | st.text(alphabet="\"'*():^+-ANDORNEAR {}a写", max_size=12))
def test_no_term_breaks_the_index(found_by, term: str) -> None:
    assert 0 <= found_by(term) <= 2


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=30)
@given(
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    )
)
def test_any_metadata_can_be_saved_and_read_back(library: ImageLibrary, value: object) -> None:
    out = io.BytesIO()
    Image.new("L", (4, 4)).save(out, "PNG")
    image = library.save(out.getvalue(), metadata={"value": value})
    assert library.metadata(image.image_name) == {"value": value}
