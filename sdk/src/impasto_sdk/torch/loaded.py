"""Loaded models as the model cache sees them: `TorchModel` for weights, `PlainModel` for what has none.

Both implement `impasto_sdk.models.LoadedModel`. Loaders make them; the cache measures, moves and releases them.
"""

import itertools

import torch

from impasto_sdk.errors import DeviceError

__all__ = ["PlainModel", "TorchModel"]


class TorchModel:
    """A ``torch.nn.Module``, measured by its parameters and buffers."""

    def __init__(self, module: torch.nn.Module) -> None:
        self._module: torch.nn.Module | None = module.eval().requires_grad_(False)

    @property
    def model(self) -> torch.nn.Module:
        """The module, in evaluation mode and without gradients."""
        if self._module is None:
            raise RuntimeError("this model was released; lock it again in the model cache")
        return self._module

    @property
    def size_bytes(self) -> int:
        """Bytes of the parameters and buffers; a tensor that is used twice counts once."""
        seen = {id(tensor): tensor for tensor in self._tensors()}
        return sum(tensor.nelement() * tensor.element_size() for tensor in seen.values())

    @property
    def device(self) -> str:
        """Where the parameters are; ``cpu`` for a module without any."""
        first = next(self._tensors(), None)
        return "cpu" if first is None else str(first.device)

    def move_to(self, device: str) -> None:
        """Bring it to a device. Raises `DeviceError` when it does not fit; it is then where it was."""
        before = self.device
        if device == before:
            return
        try:
            self.model.to(device)
        except torch.cuda.OutOfMemoryError as error:
            self.model.to(before)
            torch.cuda.empty_cache()
            raise DeviceError(device, f"no room for {self.size_bytes / 2**20:.0f} MiB of weights: {error}") from error
        if before.startswith("cuda"):
            # what has left the device is to be free for others, not kept by torch's own cache
            torch.cuda.empty_cache()

    def release(self) -> None:
        """Let go of the module; `model` raises `RuntimeError` from now on."""
        on_cuda = self._module is not None and self.device.startswith("cuda")
        self._module = None
        if on_cuda:
            torch.cuda.empty_cache()

    def _tensors(self) -> "itertools.chain[torch.Tensor]":
        return itertools.chain(self.model.parameters(), self.model.buffers())


class PlainModel:
    """Part of a model that has no weights: a tokenizer, a scheduler's configuration. It fits on any device."""

    def __init__(self, model: object, *, size_bytes: int = 0) -> None:
        self._model: object | None = model
        self._size_bytes = size_bytes
        self._device = "cpu"

    @property
    def model(self) -> object:
        """The object itself."""
        if self._model is None:
            raise RuntimeError("this model was released; lock it again in the model cache")
        return self._model

    @property
    def size_bytes(self) -> int:
        """Bytes it is said to take; 0 unless its loader knows better."""
        return self._size_bytes

    @property
    def device(self) -> str:
        """The device it was last moved to."""
        return self._device

    def move_to(self, device: str) -> None:
        """Note the device; there is nothing to move."""
        self._device = device

    def release(self) -> None:
        """Let go of the object."""
        self._model = None
