"""The sdk's one door to torch: devices, seeded noise, stored tensors and loaded models.

Optional (``impasto-sdk[torch]``). Nothing else in the sdk imports it; nodes import it inside `invoke`, loaders inside
`load`, so that a server that only reads the catalogue never pays for torch.
"""

from impasto_sdk.torch.devices import choose_device, torch_dtype
from impasto_sdk.torch.loaded import PlainModel, TorchModel
from impasto_sdk.torch.noise import MAX_SEED, seeded_generator, seeded_noise
from impasto_sdk.torch.tensors import (
    StoredTensors,
    decode_tensors,
    encode_tensors,
    load_conditioning,
    load_tensor,
    save_conditioning,
    save_latents,
    save_tensor,
)

__all__ = [
    "MAX_SEED",
    "PlainModel",
    "StoredTensors",
    "TorchModel",
    "choose_device",
    "decode_tensors",
    "encode_tensors",
    "load_conditioning",
    "load_tensor",
    "save_conditioning",
    "save_latents",
    "save_tensor",
    "seeded_generator",
    "seeded_noise",
    "torch_dtype",
]
