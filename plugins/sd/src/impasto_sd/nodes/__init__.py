"""The nodes of impasto-sd: schemas that import no torch; what they do is imported when they run."""

from impasto_sd.nodes.clip_skip import CLIPSkip
from impasto_sd.nodes.compel import CompelPrompt
from impasto_sd.nodes.create_denoise_mask import CreateDenoiseMask, DenoiseMaskOutput
from impasto_sd.nodes.denoise_latents import DenoiseLatents
from impasto_sd.nodes.image_to_latents import ImageToLatents
from impasto_sd.nodes.latents_to_image import LatentsToImage
from impasto_sd.nodes.main_model_loader import MainModelLoader
from impasto_sd.nodes.noise import Noise
from impasto_sd.nodes.vae_loader import VAELoader

__all__ = [
    "CLIPSkip",
    "CompelPrompt",
    "CreateDenoiseMask",
    "DenoiseLatents",
    "DenoiseMaskOutput",
    "ImageToLatents",
    "LatentsToImage",
    "MainModelLoader",
    "Noise",
    "VAELoader",
]
