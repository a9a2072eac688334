"""Whatever a plugin does when it tests a key, who asked gets an answer in time, and without the key."""

import asyncio
import threading
from collections.abc import Callable

import pytest
from support.easel import Easel

from impasto.app.providers.key_check import KeyCheck, check_key
from impasto_sdk.errors import (
    ProviderDownError,
    ProviderError,
    ProviderNotConfiguredError,
    ProviderRateLimitError,
    ProviderRequestError,
    ProviderTimeoutError,
)
from impasto_sdk.testing import FakeProviderAccess

KEY = "easel-key-0123456789"


class Verified(Easel):
    """Easel whose test does what is asked of it."""

    def __init__(self, act: Callable[[], object]) -> None:
        super().__init__(FakeProviderAccess(KEY))
        self.act = act

    async def verify(self) -> None:
        await asyncio.sleep(0)
        self.act()


def checked(act: Callable[[], object]) -> KeyCheck:
    return check_key(Verified(act), 5.0, lambda text: text.replace(KEY, "***"))


def raising(error: BaseException) -> Callable[[], object]:
    def act() -> None:
        raise error

    return act


def test_a_key_that_the_service_takes_is_accepted() -> None:
    assert checked(lambda: None) == KeyCheck(provider_id="easel", outcome="accepted", message="Easel takes the key")


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (ProviderRequestError("easel", "wrong key", 401), "refused"),
        (ProviderRequestError("easel", "not for you", 403), "refused"),
        (ProviderRequestError("easel", "the answer is no JSON"), "unanswered"),
        (ProviderRateLimitError("easel", "slower"), "unanswered"),
        (ProviderDownError("easel", "gone", 503), "unanswered"),
        (ProviderTimeoutError("easel", "silent"), "unanswered"),
        (ProviderNotConfiguredError("easel", "no key"), "not_configured"),
        (ProviderError("easel", "something of its own"), "refused"),
        (NotImplementedError("Easel offers no way"), "not_testable"),
    ],
)
def test_what_the_service_says_is_told_in_its_words(error: Exception, outcome: str) -> None:
    check = checked(raising(error))
    assert check.outcome == outcome
    assert check.message == getattr(error, "problem", str(error))


@pytest.mark.parametrize(
    "error", [RuntimeError("oh"), KeyError("x"), SystemExit(3), KeyboardInterrupt(), asyncio.CancelledError("no")]
)
def test_whatever_a_plugin_raises_is_an_answer(error: BaseException, caplog: pytest.LogCaptureFixture) -> None:
    check = checked(raising(error))
    assert check.outcome == "failed"
    assert f"the plugin of Easel made a mistake: {type(error).__name__}" in check.message
    assert "provider easel: verify failed" in caplog.text


def test_a_provider_without_a_test_says_so() -> None:
    check = check_key(Easel(FakeProviderAccess(KEY)), 5.0, str)
    assert (check.outcome, check.message) == ("not_testable", "Easel offers no way to test a key")


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (f"wrong key: {KEY}", "wrong key: ***"),
        (
            "Incorrect API key: sk-ab12****************7890. See example.com.",
            "Incorrect API key: ***. See example.com.",
        ),
        ("key 'easel-**xyz' is gone", "key '***' is gone"),
    ],
)
def test_no_part_of_the_key_is_told(said: str, told: str) -> None:
    assert checked(raising(ProviderRequestError("easel", said, 401))).message == told


def test_a_test_that_waits_too_long_is_given_up() -> None:
    class Waiting(Easel):
        async def verify(self) -> None:
            await asyncio.Event().wait()

    check = check_key(Waiting(FakeProviderAccess(KEY)), 0.05, str)
    assert (check.outcome, check.message) == ("unanswered", "Easel has not answered within 0.05 s")


def test_a_test_that_blocks_its_thread_keeps_nobody_waiting() -> None:
    go_on = threading.Event()
    ended = threading.Event()

    class Blocking(Easel):
        async def verify(self) -> None:
            go_on.wait()
            ended.set()

    try:
        assert check_key(Blocking(FakeProviderAccess(KEY)), 0.05, str).outcome == "unanswered"
        assert not ended.is_set()
    finally:
        go_on.set()
    assert ended.wait(10)
