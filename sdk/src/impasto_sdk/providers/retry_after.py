"""`retry_after_s`: how long a service asks to wait, in the headers of its answer. Pure."""

import email.utils
import time
from collections.abc import Mapping
from contextlib import suppress

__all__ = ["retry_after_s"]


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds, 0 or more, from ``retry-after-ms`` or ``Retry-After`` (RFC 9110: seconds or a date); None: not said."""
    said = headers.get("retry-after", "")
    with suppress(ValueError):
        return max(0.0, float(headers.get("retry-after-ms", "")) / 1000)
    with suppress(ValueError):
        return max(0.0, float(said))
    with suppress(ValueError):
        return max(0.0, email.utils.parsedate_to_datetime(said).timestamp() - time.time())
    return None
