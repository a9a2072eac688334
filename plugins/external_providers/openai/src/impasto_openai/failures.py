"""`explain`: what OpenAI's error documents mean, ``{"error": {message, type, param, code}}``. Pure."""

import re
from collections.abc import Mapping

from impasto_sdk.fields import JsonValue
from impasto_sdk.providers.http import Explanation, explain_plainly

__all__ = ["explain"]

#: The service's safety rules refused the prompt, an image that was sent along, or the picture that was made.
_REFUSED = frozenset({"moderation_blocked", "content_policy_violation"})
#: An account that must be paid first; the service says so with the status of too many requests.
_UNPAID = frozenset({"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"})
#: The service quotes a wrong key with its first and last letters, and stars in between.
_STARRED = re.compile(r"[^\s.]*\*{2,}[^\s.]*")


def explain(status: int, body: JsonValue) -> Explanation:
    """The meaning of a failure's document."""
    # in a stream it may come without the outer object
    error = body.get("error", body) if isinstance(body, Mapping) else None
    if not isinstance(error, Mapping) or not any(error.get(name) for name in ("message", "code")):
        return explain_plainly(status, body)
    code, kind = str(error.get("code")), str(error.get("type"))
    message = str(error.get("message") or code)
    unpaid = code in _UNPAID or kind in _UNPAID
    return Explanation(
        message=_STARRED.sub("***", message), refused=code in _REFUSED, retryable=False if unpaid else None
    )
