"""`WireTensors` and `WireConditioning`: what belongs to a session and goes with it, kept by the server as bytes."""

from impasto.engine.protocol import Request
from impasto.engine.wire import Wire
from impasto_sdk.fields import ConditioningField, LatentsField, TensorField

__all__ = ["WireConditioning", "WireTensors"]


class WireTensors:
    """A `TensorAccess`."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def save(self, data: bytes) -> str:
        """See `TensorAccess.save`."""
        return _save(self._wire, data)

    def load(self, tensor: TensorField | LatentsField) -> bytes:
        """See `TensorAccess.load`."""
        return _load(self._wire, tensor.latents_name if isinstance(tensor, LatentsField) else tensor.tensor_name)


class WireConditioning:
    """A `ConditioningAccess`."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def save(self, data: bytes) -> str:
        """See `ConditioningAccess.save`."""
        return _save(self._wire, data)

    def load(self, conditioning: ConditioningField) -> bytes:
        """See `ConditioningAccess.load`."""
        return _load(self._wire, conditioning.conditioning_name)


def _save(wire: Wire, data: bytes) -> str:
    return str(wire.request(Request.FILE_SAVE, parts=[data]).body["name"])


def _load(wire: Wire, name: str) -> bytes:
    return wire.request(Request.FILE_LOAD, {"name": name}).parts[0]
