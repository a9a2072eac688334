"""How far a node is: never less far than before, and whatever the previews are."""

import io

import pytest
from PIL import Image

from impasto_sdk.errors import ProviderDownError, ProviderRequestError
from impasto_sdk.providers.watch import NodeWatch
from impasto_sdk.testing import FakeContext


def png() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (64, 64), "red").save(buffer, "PNG")
    return buffer.getvalue()


def fractions(context: FakeContext) -> list[float]:
    return [report.fraction or 0.0 for report in context.progress.reports]


def test_progress_never_goes_back() -> None:
    context = FakeContext()
    watch = NodeWatch(context, "Easel", 3)
    watch.partial(0, png(), 0.75)
    watch.partial(1, png(), 0.75)
    watch.finished(2)
    watch.waits(1, ProviderDownError("easel", "tired", 503), 1.0)
    watch.finished(0)
    watch.partial(0, png(), 0.25)  # by a task that a provider has forgotten
    watch.finished(1)
    assert fractions(context) == sorted(fractions(context))
    assert fractions(context)[-1] == 1.0


@pytest.mark.parametrize("data", [b"", b"no picture", png()[:70], png()[:40] + b"\xff" * 40])
def test_a_preview_that_cannot_be_shown_is_only_progress(data: bytes) -> None:
    context = FakeContext()
    NodeWatch(context, "Easel", 1).partial(0, data, 0.5)
    assert (context.progress.reports[-1].fraction, context.progress.reports[-1].preview) == (0.5, None)


def test_the_first_picture_that_could_not_be_used_is_the_reason() -> None:
    watch = NodeWatch(FakeContext(), "Easel", 1)
    assert not watch.failed
    first = ProviderRequestError("easel", "no picture")
    watch.unusable(first)
    watch.unusable(ProviderRequestError("easel", "none either"))
    assert watch.failed
    assert watch.failure is first
