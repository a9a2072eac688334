"""Our loop beside diffusers' own pipelines, with the same weights, seed and scheduler: the same latents."""

from collections.abc import Callable, Mapping

import pytest
import torch

from impasto_sd.nodes import DenoiseLatents
from impasto_sd.nodes.main_model_loader import ModelLoaderOutput
from impasto_sd.quiet import quiet_libraries
from impasto_sd.schedulers import SchedulerName, make_scheduler
from impasto_sdk.fields import ConditioningField, LatentsField
from impasto_sdk.testing import FakeContext, run_node
from impasto_sdk.torch import load_tensor, save_latents, seeded_generator, seeded_noise

PROMPT, NEGATIVE = "a red star on a blue background", "a green ring"
SEED = 21
TOLERANCE = 1e-4


@pytest.fixture(scope="module")
def pipeline_parts(starter_parts: Mapping[str, object]) -> dict[str, object]:
    names = ("unet", "vae", "text_encoder", "tokenizer")
    return {
        **{name: starter_parts[name] for name in names},
        "safety_checker": None,
        "feature_extractor": None,
        "requires_safety_checker": False,
    }


def run_pipeline(pipeline_class: str, parts: dict[str, object], scheduler: object, **arguments: object) -> torch.Tensor:
    with quiet_libraries():
        import diffusers

        pipeline = getattr(diffusers, pipeline_class)(**parts, scheduler=scheduler)
        pipeline.set_progress_bar_config(disable=True)
        return pipeline(
            prompt=PROMPT,
            negative_prompt=NEGATIVE,
            generator=seeded_generator(SEED),
            output_type="latent",
            **arguments,
        ).images


@pytest.mark.parametrize(
    ("name", "size", "rescale"),
    [
        ("ddim", (128, 128), 0.0),
        ("euler", (128, 128), 0.0),
        ("dpmpp_2m", (128, 128), 0.0),
        ("dpmpp_2m_k", (128, 128), 0.7),
        ("heun", (128, 128), 0.0),
        # 17 × 15 latent pixels, which no power of two divides
        ("pndm", (136, 120), 0.0),
    ],
)
def test_text_to_image_gives_the_latents_of_the_pipeline(
    name: SchedulerName,
    size: tuple[int, int],
    rescale: float,
    context: FakeContext,
    parts: ModelLoaderOutput,
    starter_parts: Mapping[str, object],
    pipeline_parts: dict[str, object],
    encode: Callable[[str], ConditioningField],
    make_noise: Callable[..., LatentsField],
) -> None:
    width, height = size
    expected = run_pipeline(
        "StableDiffusionPipeline",
        pipeline_parts,
        make_scheduler(name, starter_parts["scheduler"]),
        num_inference_steps=8,
        guidance_scale=5.0,
        guidance_rescale=rescale,
        width=width,
        height=height,
    )
    output = run_node(
        DenoiseLatents(
            positive_conditioning=encode(PROMPT),
            negative_conditioning=encode(NEGATIVE),
            noise=make_noise(seed=SEED, width=width, height=height),
            unet=parts.unet,
            steps=8,
            cfg_scale=5,
            cfg_rescale_multiplier=rescale,
            scheduler=name,
        ),
        context,
    )
    assert (output.width, output.height) == size
    assert (load_tensor(context, output.latents) - expected).abs().max() < TOLERANCE


def test_without_guidance_the_pipeline_and_the_loop_agree_too(
    context: FakeContext,
    parts: ModelLoaderOutput,
    starter_parts: Mapping[str, object],
    pipeline_parts: dict[str, object],
    encode: Callable[[str], ConditioningField],
    make_noise: Callable[..., LatentsField],
) -> None:
    expected = run_pipeline(
        "StableDiffusionPipeline",
        pipeline_parts,
        make_scheduler("ddim", starter_parts["scheduler"]),
        num_inference_steps=5,
        guidance_scale=1.0,
        width=128,
        height=128,
    )
    output = run_node(
        DenoiseLatents(
            positive_conditioning=encode(PROMPT),
            negative_conditioning=encode(NEGATIVE),
            noise=make_noise(seed=SEED),
            unet=parts.unet,
            steps=5,
            cfg_scale=1,
            scheduler="ddim",
        ),
        context,
    )
    assert (load_tensor(context, output.latents) - expected).abs().max() < TOLERANCE


@pytest.mark.parametrize("name", ["ddim", "euler", "dpmpp_2m", "heun"])
@pytest.mark.parametrize("strength", [0.7, 0.33, 1.0])
def test_image_to_image_gives_the_latents_of_the_pipeline(
    name: SchedulerName,
    strength: float,
    context: FakeContext,
    parts: ModelLoaderOutput,
    starter_parts: Mapping[str, object],
    pipeline_parts: dict[str, object],
    encode: Callable[[str], ConditioningField],
    make_noise: Callable[..., LatentsField],
) -> None:
    start = seeded_noise((1, 4, 16, 16), 5) * 0.8
    expected = run_pipeline(
        "StableDiffusionImg2ImgPipeline",
        pipeline_parts,
        make_scheduler(name, starter_parts["scheduler"]),
        image=start,
        strength=strength,
        num_inference_steps=10,
        guidance_scale=5.0,
    )
    output = run_node(
        DenoiseLatents(
            positive_conditioning=encode(PROMPT),
            negative_conditioning=encode(NEGATIVE),
            noise=make_noise(seed=SEED),
            latents=save_latents(context, start).latents,
            unet=parts.unet,
            steps=10,
            denoising_start=1 - strength,
            cfg_scale=5,
            scheduler=name,
        ),
        context,
    )
    assert (load_tensor(context, output.latents) - expected).abs().max() < TOLERANCE
