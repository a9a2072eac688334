"""`check_key`: ask an external service whether it takes the key, within a time, whatever the plugin's code does.

The plugin's `verify` runs on an event loop in a thread of its own. Who asked gets an answer when the time is up, also
when that code blocks, and a thread that does not end by itself is left behind.
"""

import asyncio
import logging
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Literal

from impasto.host.mask import HIDDEN
from impasto_sdk.errors import (
    ProviderDownError,
    ProviderError,
    ProviderNotConfiguredError,
    ProviderRateLimitError,
    ProviderRequestError,
    ProviderTimeoutError,
)
from impasto_sdk.providers import ExternalProvider

__all__ = ["KeyCheck", "KeyCheckOutcome", "check_key"]

logger = logging.getLogger(__name__)

KeyCheckOutcome = Literal["accepted", "refused", "unanswered", "not_configured", "not_testable", "failed"]

#: Longest that is waited for a thread to say that its time is up, in seconds.
_GRACE_S = 0.5
#: A key of which a service shows a part, as in ``sk-ab***xyz``.
_PARTLY_HIDDEN = re.compile(r"[^\s'\"(){}]*\*{2,}[^\s'\"(){},;.]*")
_UNANSWERED = (ProviderDownError, ProviderTimeoutError, ProviderRateLimitError)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyCheck:
    """What came of it."""

    provider_id: str
    #: ``accepted`` or ``refused`` by the service; ``unanswered``: it was not reached, or was busy; ``not_configured``:
    #: no key is set; ``not_testable``: the provider offers no way; ``failed``: its plugin made a mistake.
    outcome: KeyCheckOutcome
    #: For a person, without the key.
    message: str


def check_key(provider: ExternalProvider, limit_s: float, hide: Callable[[str], str]) -> KeyCheck:
    """Have `provider` verify its key, and wait `limit_s` seconds at most.

    `hide` takes secrets out of a text; what services show of a key is taken out, too.
    """
    provider_id = provider.provider_id
    ends: SimpleQueue[BaseException | None] = SimpleQueue()
    thread = threading.Thread(target=_verify, args=(provider, limit_s, ends), name=f"verify-{provider_id}", daemon=True)
    thread.start()
    try:
        error = ends.get(timeout=limit_s + _GRACE_S)
    except Empty:
        error = TimeoutError()
    outcome, message = _meaning(provider, error, limit_s)
    if outcome == "failed":
        logger.warning("provider %s: verify failed", provider_id, exc_info=error)
    return KeyCheck(provider_id=provider_id, outcome=outcome, message=_PARTLY_HIDDEN.sub(HIDDEN, hide(message)))


def _verify(provider: ExternalProvider, limit_s: float, ends: "SimpleQueue[BaseException | None]") -> None:
    """Runs on a thread of its own, and puts in what was raised, or None."""

    async def within_limit() -> None:
        async with asyncio.timeout(limit_s):
            await provider.verify()

    try:
        asyncio.run(within_limit())
    except BaseException as error:  # noqa: BLE001 - a plugin's code may raise anything, and nobody else hears of it
        ends.put(error)
    else:
        ends.put(None)


def _meaning(provider: ExternalProvider, error: BaseException | None, limit_s: float) -> tuple[KeyCheckOutcome, str]:
    match error:
        case None:
            return "accepted", f"{provider.title} takes the key"
        case NotImplementedError():
            return "not_testable", str(error) or f"{provider.title} offers no way to test a key"
        case ProviderNotConfiguredError():
            return "not_configured", error.problem
        case TimeoutError():
            return "unanswered", f"{provider.title} has not answered within {limit_s:g} s"
        case ProviderError():
            return "unanswered" if _says_nothing(error) else "refused", error.problem
        case _:
            what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
            return "failed", f"the plugin of {provider.title} made a mistake: {what}"


def _says_nothing(error: ProviderError) -> bool:
    """Whether the service has said nothing of the key. Without a status, what came back was no answer of its."""
    return isinstance(error, _UNANSWERED) or (isinstance(error, ProviderRequestError) and error.status is None)
