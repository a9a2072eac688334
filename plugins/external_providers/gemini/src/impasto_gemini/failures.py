"""`explain`: what an error's document of the Gemini API says about a failure.

Its form is Google's: ``{"error": {code, message, status, details: [{"@type": …}]}}``, see
https://google.aip.dev/193 . Imported only once a request is made, for it needs the HTTP client's words.
"""

import re
from collections.abc import Iterator, Mapping

from impasto_sdk.fields import JsonValue
from impasto_sdk.providers.http import Explanation, explain_plainly

__all__ = ["explain"]

#: How long to wait, as ``google.protobuf.Duration`` is written: ``27s``, ``38.618s``.
_DURATION = re.compile(r"(\d+(?:\.\d+)?)s")
#: A quota that is renewed too late to be waited for, in the id of a quota.
_OF_A_DAY = "PerDay"


def explain(status: int, body: JsonValue) -> Explanation:
    """The service's words, whether it takes the key, how long to wait, and whether waiting helps at all."""
    document = body[0] if isinstance(body, list) and body else body  # some gateways wrap it in a list
    error = document.get("error") if isinstance(document, Mapping) else None
    if not isinstance(error, Mapping) or not isinstance(error.get("message"), str):
        return explain_plainly(status, body)
    message = str(error["message"])
    exhausted = _exhausted(error)
    return Explanation(
        message=f"{message.rstrip()} ({exhausted})" if exhausted else message,
        key_refused=any(detail.get("reason") == "API_KEY_INVALID" for detail in _details(error, "ErrorInfo")),
        retry_after_s=_retry_delay_s(error),
        retryable=False if exhausted else None,
    )


def _details(error: Mapping[str, JsonValue], kind: str) -> Iterator[Mapping[str, JsonValue]]:
    """Those of ``google.rpc.<kind>``."""
    details = error.get("details")
    for detail in details if isinstance(details, list) else ():
        if isinstance(detail, Mapping) and str(detail.get("@type", "")).endswith(f"google.rpc.{kind}"):
            yield detail


def _retry_delay_s(error: Mapping[str, JsonValue]) -> float | None:
    found = (_DURATION.fullmatch(str(detail.get("retryDelay"))) for detail in _details(error, "RetryInfo"))
    return max((float(match[1]) for match in found if match), default=None)


def _exhausted(error: Mapping[str, JsonValue]) -> str | None:
    """Why it is no use to wait: a quota of zero, or one that is renewed once a day; None: there is some use."""
    for failure in _details(error, "QuotaFailure"):
        violations = failure.get("violations")
        for violation in violations if isinstance(violations, list) else ():
            if not isinstance(violation, Mapping):
                continue
            if str(violation.get("quotaValue")) == "0":
                return "the account has no quota for this at all"
            if _OF_A_DAY in str(violation.get("quotaId")):
                return "the day's quota is used up"
    return "the account has no quota for this at all" if "limit: 0," in str(error["message"]) else None
