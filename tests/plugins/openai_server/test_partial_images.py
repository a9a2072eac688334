"""Which previews are sent."""

import pytest

from impasto_openai_server.partial_images import PartialImages


@pytest.mark.parametrize(
    ("count", "places"),
    [
        (0, [None] * 10),
        (1, [None, None, None, None, 0, None, None, None, None, None]),
        (3, [None, None, 0, None, 1, None, None, 2, None, None]),
    ],
)
def test_few_are_spread_over_the_way(count: int, places: list[int | None]) -> None:
    chosen = PartialImages(count)
    assert [chosen.place(0, step / 10) for step in range(1, 11)] == places


def test_places_have_no_gaps_where_previews_were_missed() -> None:
    chosen = PartialImages(3)
    assert [chosen.place(0, share) for share in (0.6, 0.6, 0.95)] == [0, 1, 2]


def test_each_picture_has_its_own() -> None:
    chosen = PartialImages(1)
    assert [chosen.place(picture, 0.5) for picture in (0, 1, 0)] == [0, 0, None]
