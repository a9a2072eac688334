"""A Gemini API of our own on real HTTP, which gives a picture unless a test scripts something else."""

from collections.abc import Iterator

import pytest
from support.gemini_service import gemini_context, pictures
from support.provenance import signed_picture
from support.stand_in import StandIn

from impasto_sdk.testing import FakeContext


@pytest.fixture
def service() -> Iterator[StandIn]:
    with StandIn() as stand_in:
        stand_in.answers(pictures(signed_picture()))
        yield stand_in


@pytest.fixture
def context(service: StandIn) -> FakeContext:
    return gemini_context(service.url)
