"""`FakeProviders`: keys, places and meters of external services, given by a test."""

from impasto_sdk.errors import SecretNotFoundError
from impasto_sdk.usage import ProviderUsage

__all__ = ["FakeProviderAccess", "FakeProviders"]


class FakeProviderAccess:
    """A `ProviderAccess`. What requests came to is in `used`."""

    def __init__(self, api_key: str | None = None, base_url: str | None = None, *, places: int = 4) -> None:
        """`places`: requests that may be under way at once."""
        self.api_key = api_key
        self.base_url = base_url
        #: What was counted, in order.
        self.used: list[ProviderUsage] = []
        #: The most requests that were under way at once.
        self.most = 0
        self._places = places
        self._taken = 0

    def begin(self) -> bool:
        """See `ProviderAccess.begin`."""
        if self._taken >= self._places:
            return False
        self._taken += 1
        self.most = max(self.most, self._taken)
        return True

    def end(self, usage: ProviderUsage) -> None:
        """See `ProviderAccess.end`."""
        self._taken -= 1
        self.used.append(usage)


class FakeProviders:
    """The external services of a `FakeContext`: ``context.providers.add("openai", api_key="…", base_url=address)``."""

    def __init__(self) -> None:
        self._known: dict[str, FakeProviderAccess] = {}

    def add(
        self, provider_id: str, *, api_key: str | None = "key", base_url: str | None = None, places: int = 4
    ) -> FakeProviderAccess:
        """Let nodes use a service, with a key unless it is None; gives what they will be given."""
        access = self._known[provider_id] = FakeProviderAccess(api_key, base_url, places=places)
        return access

    def __call__(self, provider_id: str) -> FakeProviderAccess:
        """See `InvocationContext.provider`."""
        try:
            return self._known[provider_id]
        except KeyError:
            held = ", ".join(self._known) or "none"
            raise SecretNotFoundError(f"{provider_id}_api_key", f"this context holds {held}") from None
