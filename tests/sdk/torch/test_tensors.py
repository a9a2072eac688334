"""Tensors in the session's store: they come back as they went, and equal ones are equal bytes."""

import pytest
import torch

from impasto_sdk.errors import InvocationError, TensorNotFoundError
from impasto_sdk.fields import TensorField
from impasto_sdk.testing import FakeContext
from impasto_sdk.torch import (
    decode_tensors,
    encode_tensors,
    load_conditioning,
    load_tensor,
    save_conditioning,
    save_latents,
    save_tensor,
)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16, torch.bool, torch.int64])
def test_a_tensor_comes_back_as_it_went(dtype: torch.dtype) -> None:
    context = FakeContext()
    tensor = (torch.arange(12).reshape(3, 4) % 2).to(dtype)
    found = load_tensor(context, save_tensor(context, tensor))
    assert found.dtype == dtype
    assert torch.equal(found, tensor)


def test_a_view_is_stored_as_what_it_shows() -> None:
    context = FakeContext()
    view = torch.arange(12.0).reshape(3, 4).T[1:, ::2]
    assert torch.equal(load_tensor(context, save_tensor(context, view)), view)


def test_equal_tensors_are_equal_bytes_in_whatever_order_they_come() -> None:
    one, two = torch.ones(2), torch.zeros(3)
    first = encode_tensors({"a": one, "b": two}, {"x": "1", "y": "2"})
    assert first == encode_tensors({"b": two.clone(), "a": one.clone()}, {"y": "2", "x": "1"})


def test_latents_know_their_picture() -> None:
    context = FakeContext()
    output = save_latents(context, torch.zeros(1, 4, 16, 24), seed=2**64 - 1)
    assert (output.width, output.height, output.latents.seed) == (192, 128, 2**64 - 1)
    assert load_tensor(context, output.latents).shape == (1, 4, 16, 24)


def test_conditioning_keeps_what_is_said_about_it() -> None:
    context = FakeContext()
    field = save_conditioning(context, {"embeddings": torch.ones(1, 2, 3)}, {"text": "a “red” star"})
    stored = load_conditioning(context, field)
    assert stored.metadata == {"text": "a “red” star"}
    assert torch.equal(stored.tensors["embeddings"], torch.ones(1, 2, 3))


def test_a_file_without_texts_has_none() -> None:
    assert decode_tensors(encode_tensors({"a": torch.ones(1)})).metadata == {}


def test_a_missing_tensor_is_named() -> None:
    with pytest.raises(TensorNotFoundError, match="gone"):
        load_tensor(FakeContext(), TensorField(tensor_name="gone"))


def test_several_tensors_are_not_taken_for_one() -> None:
    context = FakeContext()
    name = context.tensors.save(encode_tensors({"a": torch.ones(1), "b": torch.ones(1)}))
    with pytest.raises(InvocationError, match="found a, b"):
        load_tensor(context, TensorField(tensor_name=name))


@pytest.mark.parametrize("data", [b"", b"no safetensors file", b"\xff" * 64])
def test_bytes_that_are_no_file_are_refused(data: bytes) -> None:
    with pytest.raises(InvocationError, match="no safetensors file"):
        decode_tensors(data)
