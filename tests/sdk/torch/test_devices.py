"""Devices: what is chosen, and the words for what cannot be had. A machine without CUDA plays most parts."""

import warnings
from types import SimpleNamespace

import pytest
import torch

from impasto_sdk.errors import DeviceError
from impasto_sdk.models import Precision
from impasto_sdk.torch import choose_device, torch_dtype


@pytest.fixture
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.version, "cuda", None)
    monkeypatch.setattr(torch.version, "hip", None)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)


@pytest.fixture
def two_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two CUDA devices as torch reports them: a new one, and one from before tensor cores."""
    devices = [
        SimpleNamespace(name="New GPU", major=9, minor=0, total_memory=80 * 2**30),
        SimpleNamespace(name="Old GPU", major=6, minor=1, total_memory=8 * 2**30),
    ]
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: len(devices))
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda index: devices[index])
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: False)


@pytest.mark.usefixtures("no_gpu")
class TestWithoutAGpu:
    def test_auto_is_the_cpu_and_says_why(self) -> None:
        found = choose_device("auto")
        assert (found.name, found.kind, found.precision, found.requested) == ("cpu", "cpu", Precision.FLOAT32, "auto")
        (note,) = found.notes
        assert note == f"Runs on the CPU: torch {torch.__version__} was built without CUDA."
        assert found.memory_bytes > 2**20

    def test_the_cpu_by_name_needs_no_excuse(self) -> None:
        assert choose_device("cpu").notes == ()

    @pytest.mark.parametrize("name", ["cuda", "cuda:1"])
    def test_cuda_by_name_is_an_error_not_a_silent_cpu(self, name: str) -> None:
        with pytest.raises(DeviceError, match="built without CUDA; mend that, or write auto or cpu") as caught:
            choose_device(name)
        assert caught.value.device == name

    def test_mps_by_name_is_an_error(self) -> None:
        with pytest.raises(DeviceError, match="no Metal device"):
            choose_device("mps")

    def test_half_precision_on_the_cpu_is_kept_and_commented_on(self) -> None:
        found = choose_device("cpu", "float16")
        assert found.precision is Precision.FLOAT16
        assert found.notes == ("float16 was asked for; on a CPU it is slower than float32, not faster.",)


def test_a_driver_that_is_too_old_is_said_in_torchs_words(monkeypatch: pytest.MonkeyPatch) -> None:
    def is_available() -> bool:
        warnings.warn("CUDA initialization: The NVIDIA driver on your system is too old.", stacklevel=1)
        return False

    monkeypatch.setattr(torch.version, "cuda", "13.0")
    monkeypatch.setattr(torch.cuda, "is_available", is_available)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    (note,) = choose_device("auto").notes
    assert "CUDA cannot be used: CUDA initialization: The NVIDIA driver on your system is too old." in note


@pytest.mark.usefixtures("two_gpus")
class TestWithGpus:
    def test_auto_is_the_first_in_half_precision(self) -> None:
        found = choose_device("auto")
        assert (found.name, found.kind, found.description) == ("cuda:0", "cuda", "New GPU")
        assert (found.precision, found.memory_bytes, found.notes) == (Precision.FLOAT16, 80 * 2**30, ())

    def test_an_old_device_stays_in_single_precision(self) -> None:
        assert choose_device("cuda:1").precision is Precision.FLOAT32

    def test_bfloat16_is_replaced_where_the_device_lacks_it(self) -> None:
        found = choose_device("cuda:1", "bfloat16")
        assert found.precision is Precision.FLOAT32
        assert found.notes == ("Runs in float32: Old GPU has no bfloat16.",)

    def test_an_index_that_is_not_there_names_those_that_are(self) -> None:
        with pytest.raises(DeviceError, match="this machine has cuda:0, cuda:1") as caught:
            choose_device("cuda:2")
        assert caught.value.device == "cuda:2"


@pytest.mark.parametrize("name", ["gpu", "cuda:", "cuda:x", "", "CPU"])
def test_what_is_no_device_is_refused(name: str) -> None:
    with pytest.raises(DeviceError, match="write auto, cpu, cuda"):
        choose_device(name)


def test_a_precision_that_is_none_is_refused() -> None:
    with pytest.raises(DeviceError, match="float32, float16, bfloat16"):
        choose_device("cpu", "float8")


def test_precisions_have_types() -> None:
    assert [torch_dtype(precision) for precision in Precision] == [torch.float32, torch.float16, torch.bfloat16]
    assert torch_dtype("float16") is torch.float16
