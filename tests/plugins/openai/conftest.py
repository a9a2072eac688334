"""An OpenAI of our own on real HTTP, which gives a picture of DALL·E unless a test scripts something else."""

from collections.abc import Iterator

import pytest
from support.openai_service import openai_context, painted
from support.provenance import signed_picture
from support.stand_in import StandIn

from impasto_openai.provider import OpenAIProvider
from impasto_sdk.providers import RetryPolicy
from impasto_sdk.testing import FakeContext


@pytest.fixture
def service() -> Iterator[StandIn]:
    with StandIn() as stand_in:
        stand_in.answers(painted(signed_picture()))
        yield stand_in


@pytest.fixture
def context(service: StandIn) -> FakeContext:
    return openai_context(service)


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many attempts as ever, a moment apart."""
    monkeypatch.setattr(OpenAIProvider, "retry", RetryPolicy(first_wait_s=0.001, longest_wait_s=0.002))
