"""Pictures are asked for in as few requests as the model allows, without those that are there already."""

from collections.abc import Collection

import pytest

from impasto_sdk.providers import ExternalGenerationRequest
from impasto_sdk.providers.splitting import MAX_SEED, split


def shares(
    count: int, most: int, done: Collection[int] = (), seed: int | None = None
) -> list[tuple[int, int, int | None]]:
    asked = ExternalGenerationRequest(
        model="m", mode="txt2img", prompt="p", width=8, height=8, num_images=count, seed=seed
    )
    return [(one.first, one.request.num_images, one.request.seed) for one in split(asked, most, done)]


@pytest.mark.parametrize(
    ("count", "most", "done", "expected"),
    [
        (1, 1, (), [(0, 1)]),
        (3, 1, (), [(0, 1), (1, 1), (2, 1)]),
        (10, 4, (), [(0, 4), (4, 4), (8, 2)]),
        (4, 10, (), [(0, 4)]),
        (4, 10, (0, 1), [(2, 2)]),
        (5, 10, (2,), [(0, 2), (3, 2)]),
        (6, 2, (0, 3), [(1, 2), (4, 2)]),
        (2, 1, (0, 1), []),
        (2, 1, (7,), [(0, 1), (1, 1)]),
    ],
)
def test_runs_of_missing_pictures_share_requests(
    count: int, most: int, done: Collection[int], expected: list[tuple[int, int]]
) -> None:
    assert [(first, images) for first, images, _ in shares(count, most, done)] == expected


def test_each_request_has_the_seed_of_its_first_picture() -> None:
    assert shares(4, 2, (1,), seed=10) == [(0, 1, 10), (2, 2, 12)]
    assert [seed for *_, seed in shares(3, 1, seed=MAX_SEED)] == [MAX_SEED, 0, 1]
    assert [seed for *_, seed in shares(2, 1)] == [None, None]
