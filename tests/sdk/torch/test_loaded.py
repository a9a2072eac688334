"""Loaded models, as the model cache handles them."""

import pytest
import torch

from impasto_sdk.errors import DeviceError
from impasto_sdk.models import LoadedModel
from impasto_sdk.torch import PlainModel, TorchModel


class Sizes(torch.nn.Module):
    """400 bytes of parameters of which a second name counts no more, and 16 bytes of a buffer."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(100))
        self.tied = self.weight
        self.register_buffer("positions", torch.zeros(2, dtype=torch.int64))
        self.dropout = torch.nn.Dropout()


def test_both_are_what_the_cache_takes() -> None:
    assert isinstance(TorchModel(Sizes()), LoadedModel)
    assert isinstance(PlainModel("tokenizer"), LoadedModel)


def test_its_size_is_that_of_parameters_and_buffers() -> None:
    assert TorchModel(Sizes()).size_bytes == 400 + 16
    assert TorchModel(Sizes().half()).size_bytes == 200 + 16


def test_it_is_ready_to_be_used_not_trained() -> None:
    module = TorchModel(Sizes()).model
    assert not module.training
    assert not any(parameter.requires_grad for parameter in module.parameters())


def test_it_moves() -> None:
    loaded = TorchModel(Sizes())
    assert loaded.device == "cpu"
    loaded.move_to("meta")
    assert loaded.device == "meta"
    assert loaded.model.positions.device.type == "meta"


def test_what_does_not_fit_stays_where_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = TorchModel(Sizes())
    move = torch.nn.Module.to

    def to(module: torch.nn.Module, device: str) -> torch.nn.Module:
        if device == "cuda:0":
            raise torch.cuda.OutOfMemoryError("CUDA out of memory")
        return move(module, device)

    monkeypatch.setattr(torch.nn.Module, "to", to)
    with pytest.raises(DeviceError, match="no room for") as caught:
        loaded.move_to("cuda:0")
    assert caught.value.device == "cuda:0"
    assert loaded.device == "cpu"


def test_a_module_without_tensors_is_on_the_cpu() -> None:
    assert TorchModel(torch.nn.Identity()).device == "cpu"
    assert TorchModel(torch.nn.Identity()).size_bytes == 0


@pytest.mark.parametrize("loaded", [TorchModel(Sizes()), PlainModel("tokenizer")], ids=["torch", "plain"])
def test_what_was_released_is_not_used_again(loaded: LoadedModel) -> None:
    loaded.release()
    with pytest.raises(RuntimeError, match="released"):
        _ = loaded.model


def test_a_plain_model_fits_anywhere() -> None:
    plain = PlainModel({"beta": 1}, size_bytes=12)
    plain.move_to("cuda:3")
    assert (plain.model, plain.device, plain.size_bytes) == ({"beta": 1}, "cuda:3", 12)
