"""Tensors as safetensors bytes, and how nodes store and load them through their context.

The sdk's context carries bytes; this module is where they become torch tensors. Bytes are made from CPU tensors in
order of their names, so that equal tensors give equal bytes.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from impasto_sdk.context import InvocationContext
from impasto_sdk.errors import InvocationError
from impasto_sdk.fields import ConditioningField, LatentsField, LatentsOutput, TensorField

__all__ = [
    "StoredTensors",
    "decode_tensors",
    "encode_tensors",
    "load_conditioning",
    "load_tensor",
    "save_conditioning",
    "save_latents",
    "save_tensor",
]

#: Name under which a lone tensor lies in its file.
_ONLY = "tensor"
#: Name of the entry that holds all texts, as JSON.
_TEXTS = "texts"
_HEADER_LENGTH_BYTES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredTensors:
    """What a safetensors file holds: tensors by name, on the CPU, and texts by name."""

    tensors: Mapping[str, torch.Tensor]
    metadata: Mapping[str, str] = field(default_factory=dict)


def encode_tensors(tensors: Mapping[str, torch.Tensor], metadata: Mapping[str, str] | None = None) -> bytes:
    """Tensors and texts as the bytes of a safetensors file."""
    ready = {name: tensors[name].detach().to("cpu").contiguous() for name in sorted(tensors)}
    # in one entry: safetensors writes several in an order that changes from call to call
    texts = {_TEXTS: json.dumps(dict(sorted(metadata.items())))} if metadata else None
    encoded: bytes = save(ready, texts)
    return encoded


def decode_tensors(data: bytes) -> StoredTensors:
    """What `encode_tensors` was given. Raises `InvocationError` when the bytes are no safetensors file."""
    try:
        tensors = load(data)
    except SafetensorError as error:
        raise InvocationError(f"{len(data)} stored bytes are no safetensors file: {error}") from error
    length = int.from_bytes(data[:_HEADER_LENGTH_BYTES], "little")
    header = json.loads(data[_HEADER_LENGTH_BYTES : _HEADER_LENGTH_BYTES + length])
    texts = header.get("__metadata__", {}).get(_TEXTS)
    return StoredTensors(tensors=tensors, metadata=json.loads(texts) if texts else {})


def save_tensor(context: InvocationContext, tensor: torch.Tensor) -> TensorField:
    """Store a tensor for the length of the session."""
    return TensorField(tensor_name=context.tensors.save(encode_tensors({_ONLY: tensor})))


def load_tensor(context: InvocationContext, stored: TensorField | LatentsField) -> torch.Tensor:
    """A stored tensor or stored latents, on the CPU.

    Raises `TensorNotFoundError`, and `InvocationError` when what is stored is not one tensor.
    """
    tensors = decode_tensors(context.tensors.load(stored)).tensors
    if len(tensors) != 1:
        raise InvocationError(f"one tensor was expected in {stored!r}, found {', '.join(sorted(tensors)) or 'none'}")
    return next(iter(tensors.values()))


def save_latents(
    context: InvocationContext, latents: torch.Tensor, *, seed: int | None = None, scale_factor: int = 8
) -> LatentsOutput:
    """Store latents of shape (batch, channels, height, width) and give the output that refers to them.

    `scale_factor` is how many pixels of the picture one latent pixel stands for, along either side.
    """
    name = context.tensors.save(encode_tensors({_ONLY: latents}))
    return LatentsOutput(
        latents=LatentsField(latents_name=name, seed=seed),
        width=latents.shape[-1] * scale_factor,
        height=latents.shape[-2] * scale_factor,
    )


def save_conditioning(
    context: InvocationContext, tensors: Mapping[str, torch.Tensor], metadata: Mapping[str, str] | None = None
) -> ConditioningField:
    """Store an encoded prompt: its tensors, and texts that say what they are."""
    return ConditioningField(conditioning_name=context.conditioning.save(encode_tensors(tensors, metadata)), mask=None)


def load_conditioning(context: InvocationContext, stored: ConditioningField) -> StoredTensors:
    """A stored prompt, its tensors on the CPU. Raises `TensorNotFoundError`."""
    return decode_tensors(context.conditioning.load(stored))
