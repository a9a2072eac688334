"""Which device a worker runs models on, and in which precision.

`choose_device` answers the operator's setting with a `DeviceInfo`. What it fell back to it says in words: a machine
whose GPU cannot be used never becomes a slow CPU without a sentence that says why. Called by plugins that implement
the `find_device` hook, once in each worker.
"""

import os
import platform
import re
import warnings

import torch

from impasto_sdk.errors import DeviceError
from impasto_sdk.models import DeviceInfo, Precision

__all__ = ["choose_device", "torch_dtype"]

_NAME = re.compile(r"^(auto|cpu|mps|cuda(?::(\d+))?)$")
#: CUDA compute capability from which half precision is faster than single.
_FAST_FLOAT16 = (7, 0)

_DTYPES = {
    Precision.FLOAT32: torch.float32,
    Precision.FLOAT16: torch.float16,
    Precision.BFLOAT16: torch.bfloat16,
}


def torch_dtype(precision: Precision | str) -> torch.dtype:
    """The torch type of a precision. Raises `ValueError` for a name that is no `Precision`."""
    return _DTYPES[Precision(precision)]


def choose_device(requested: str = "auto", precision: str = "auto") -> DeviceInfo:
    """The device for a setting: ``auto``, ``cpu``, ``cuda``, ``cuda:N`` or ``mps``.

    ``auto`` takes CUDA, else MPS, else the CPU, and says in `DeviceInfo.notes` why there is no GPU. `precision` is
    ``auto`` or a `Precision`; ``auto`` is float32 on the CPU and float16 on a GPU that is faster with it. Raises
    `DeviceError` for a name that is no device, or a named device that is not there, and says what there is instead.
    """
    match = _NAME.match(requested)
    if match is None:
        raise DeviceError(requested, "not the name of a device; write auto, cpu, cuda, cuda:0 (any number) or mps")
    if requested == "auto":
        return _choose_freely(precision)
    if requested == "cpu":
        return _cpu(requested, precision, ())
    if requested == "mps":
        if not torch.backends.mps.is_available():
            raise DeviceError(requested, "this machine has no Metal device that torch can use; write auto or cpu")
        return _mps(requested, precision)
    count, obstacle = _cuda_devices()
    if obstacle:
        raise DeviceError(requested, f"{obstacle}; mend that, or write auto or cpu")
    index = int(match.group(2) or 0)
    if index >= count:
        there = ", ".join(f"cuda:{number}" for number in range(count))
        raise DeviceError(requested, f"there is no such device; this machine has {there}")
    return _cuda(index, requested, precision)


def _choose_freely(precision: str) -> DeviceInfo:
    count, obstacle = _cuda_devices()
    if count:
        return _cuda(0, "auto", precision)
    if torch.backends.mps.is_available():
        return _mps("auto", precision)
    return _cpu("auto", precision, (f"Runs on the CPU: {obstacle}.",))


def _cuda_devices() -> tuple[int, str]:
    """How many CUDA devices there are, and why there are none."""
    if torch.version.cuda is None and getattr(torch.version, "hip", None) is None:
        return 0, f"torch {torch.__version__} was built without CUDA"
    # torch reports an old or missing driver as a warning, and then says only False
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        available = torch.cuda.is_available()
        count = torch.cuda.device_count() if available else 0
    if count:
        return count, ""
    reason = " ".join(str(caught[0].message).split()) if caught else "no NVIDIA driver, or no device, was found"
    return 0, f"CUDA cannot be used: {reason.rstrip('.')}"


def _cuda(index: int, requested: str, precision: str) -> DeviceInfo:
    properties = torch.cuda.get_device_properties(index)
    capability = (properties.major, properties.minor)
    best = Precision.FLOAT16 if capability >= _FAST_FLOAT16 else Precision.FLOAT32
    notes: tuple[str, ...] = ()
    chosen = best if precision == "auto" else _precision(precision, f"cuda:{index}")
    if chosen is Precision.BFLOAT16 and not torch.cuda.is_bf16_supported(including_emulation=False):
        notes = (f"Runs in {best}: {properties.name} has no bfloat16.",)
        chosen = best
    return DeviceInfo(
        name=f"cuda:{index}",
        kind="cuda",
        description=properties.name,
        memory_bytes=properties.total_memory,
        precision=chosen,
        requested=requested,
        notes=notes,
    )


def _mps(requested: str, precision: str) -> DeviceInfo:
    return DeviceInfo(
        name="mps",
        kind="mps",
        description=f"Metal on {platform.machine()}",
        memory_bytes=_physical_memory(),
        precision=Precision.FLOAT16 if precision == "auto" else _precision(precision, "mps"),
        requested=requested,
    )


def _cpu(requested: str, precision: str, notes: tuple[str, ...]) -> DeviceInfo:
    chosen = Precision.FLOAT32 if precision == "auto" else _precision(precision, "cpu")
    if chosen is not Precision.FLOAT32:
        notes = (*notes, f"{chosen} was asked for; on a CPU it is slower than float32, not faster.")
    return DeviceInfo(
        name="cpu",
        kind="cpu",
        description=f"{platform.processor() or platform.machine()}, {torch.get_num_threads()} threads",
        memory_bytes=_physical_memory(),
        precision=chosen,
        requested=requested,
        notes=notes,
    )


def _precision(name: str, device: str) -> Precision:
    try:
        return Precision(name)
    except ValueError:
        raise DeviceError(device, f"precision {name!r} is not known; write auto, {', '.join(Precision)}") from None


def _physical_memory() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # not on Windows, and not in every container
        return None
