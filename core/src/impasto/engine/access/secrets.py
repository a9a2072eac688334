"""`WireSecrets`: the secrets of one plugin as its running nodes may read them; they are the server's to give."""

from impasto.engine.protocol import Request
from impasto.engine.wire import Wire

__all__ = ["WireSecrets"]


class WireSecrets:
    """A `SecretAccess`. A secret is asked for each time, so that a changed one counts at once and none is kept.

    What was given is not sent back over the wire in anything: see `Wire.mask`.
    """

    def __init__(self, wire: Wire, plugin: str) -> None:
        self._wire = wire
        self._plugin = plugin

    def get(self, name: str) -> str:
        """See `SecretAccess.get`."""
        secret: str = self._wire.request(Request.SECRET, {"plugin": self._plugin, "name": name}).body["secret"]
        self._wire.mask.add(secret)
        return secret
