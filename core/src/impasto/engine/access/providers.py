"""`WireProviderAccess`: an external service as a running node may use it; key, places and meter are the server's."""

from dataclasses import asdict

from impasto.engine.protocol import Request
from impasto.engine.wire import Wire
from impasto_sdk.fields import JsonValue
from impasto_sdk.usage import ProviderUsage

__all__ = ["WireProviderAccess"]


class WireProviderAccess:
    """A `ProviderAccess`. The key is asked for each time, so that a changed one counts at once and none is kept.

    What was given is not sent back over the wire in anything: see `Wire.mask`.
    """

    def __init__(self, wire: Wire, plugin: str, provider_id: str) -> None:
        self._wire = wire
        self._who: dict[str, JsonValue] = {"plugin": plugin, "provider_id": provider_id}

    @property
    def api_key(self) -> str | None:
        """See `ProviderAccess.api_key`."""
        return self._ask("api_key")

    @property
    def base_url(self) -> str | None:
        """See `ProviderAccess.base_url`."""
        return self._ask("base_url")

    def begin(self) -> bool:
        """See `ProviderAccess.begin`."""
        return bool(self._wire.request(Request.PROVIDER_BEGIN, self._who).body["granted"])

    def end(self, usage: ProviderUsage) -> None:
        """See `ProviderAccess.end`."""
        self._wire.request(Request.PROVIDER_END, {**self._who, "usage": asdict(usage)})

    def _ask(self, what: str) -> str | None:
        secret: str | None = self._wire.request(Request.PROVIDER, self._who).body[what]
        if secret is not None:
            self._wire.mask.add(secret)
        return secret
