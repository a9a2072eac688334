"""The event bus: what happens is published once, and listeners, clients and tests read it at their own pace.

The events themselves are declared in `impasto_sdk.events`; nothing here knows what they mean. The queue and the engine
publish; the host's hooks listen; the API subscribes for its clients.
"""

from impasto.events.bus import EventBus
from impasto.events.envelope import Envelope
from impasto.events.subscription import Subscription

__all__ = ["Envelope", "EventBus", "Subscription"]
