"""`FakeTensors` and `FakeConditioning`: the bytes that nodes store for one another, in memory."""

from impasto_sdk.errors import TensorNotFoundError
from impasto_sdk.fields import ConditioningField, LatentsField, TensorField

__all__ = ["FakeConditioning", "FakeTensors"]


class FakeTensors:
    """The `TensorAccess` of a `FakeContext`. `saved` holds the bytes by name, in the order of saving."""

    def __init__(self) -> None:
        #: Names count up: ``tensor-1``, ``tensor-2`` …
        self.saved: dict[str, bytes] = {}

    def save(self, data: bytes) -> str:
        """See `TensorAccess.save`."""
        name = f"tensor-{len(self.saved) + 1}"
        self.saved[name] = data
        return name

    def load(self, tensor: TensorField | LatentsField) -> bytes:
        """See `TensorAccess.load`."""
        return _find(self.saved, tensor.tensor_name if isinstance(tensor, TensorField) else tensor.latents_name)


class FakeConditioning:
    """The `ConditioningAccess` of a `FakeContext`. `saved` holds the bytes by name, in the order of saving."""

    def __init__(self) -> None:
        #: Names count up: ``conditioning-1``, ``conditioning-2`` …
        self.saved: dict[str, bytes] = {}

    def save(self, data: bytes) -> str:
        """See `ConditioningAccess.save`."""
        name = f"conditioning-{len(self.saved) + 1}"
        self.saved[name] = data
        return name

    def load(self, conditioning: ConditioningField) -> bytes:
        """See `ConditioningAccess.load`."""
        return _find(self.saved, conditioning.conditioning_name)


def _find(saved: dict[str, bytes], name: str) -> bytes:
    try:
        return saved[name]
    except KeyError:
        raise TensorNotFoundError(name, f"this context holds {', '.join(saved) or 'none'}") from None
