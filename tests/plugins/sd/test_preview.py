"""Previews: they show the picture, not the noise, with the colours of a known latent space or without."""

from collections.abc import Callable, Mapping

import pytest
import torch
from PIL import Image

from impasto_sd.nodes import DenoiseLatents
from impasto_sd.nodes.main_model_loader import ModelLoaderOutput
from impasto_sd.sampling.loop import StepReport
from impasto_sd.sampling.preview import Previewer
from impasto_sd.schedulers import SchedulerConfig, make_scheduler
from impasto_sdk.fields import ConditioningField, LatentsField
from impasto_sdk.testing import FakeContext, run_node
from impasto_sdk.torch import seeded_noise

#: Four channels of which the first is red, the second green, the third blue.
TABLE = [[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0], [0, 0, 0]]


def previewer(starter_parts: Mapping[str, object], prediction: str, *, known: bool = True) -> Previewer:
    config = starter_parts["scheduler"]
    assert isinstance(config, SchedulerConfig)
    scheduler = make_scheduler("ddim", SchedulerConfig({**config.values, "prediction_type": prediction}))
    return Previewer(scheduler, latent_rgb=TABLE if known else None, scale_factor=8)


def red_square() -> torch.Tensor:
    latents = torch.full((1, 4, 16, 16), -0.5)
    latents[:, 0, 4:12, 4:12] = 0.8
    return latents


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction", "sample"])
def test_the_noise_is_taken_off_whatever_the_network_predicts(
    starter_parts: Mapping[str, object], prediction: str
) -> None:
    scheduler = make_scheduler("ddim", starter_parts["scheduler"])
    clean, noise = red_square(), seeded_noise((1, 4, 16, 16), 1)
    signal = scheduler.alphas_cumprod[600]
    noisy = signal.sqrt() * clean + (1 - signal).sqrt() * noise
    predicted = {
        "epsilon": noise,
        "sample": clean,
        "v_prediction": signal.sqrt() * noise - (1 - signal).sqrt() * clean,
    }
    report = StepReport(
        step=1, total_steps=2, sample=noisy, prediction=predicted[prediction], timestep=torch.tensor(600)
    )
    picture = previewer(starter_parts, prediction).picture(report)
    assert picture.size == (128, 128)
    assert picture.getpixel((64, 64)) == pytest.approx((230, 64, 64), abs=2)
    assert picture.getpixel((2, 2)) == pytest.approx((64, 64, 64), abs=2)


def test_shapes_show_in_an_unknown_latent_space(starter_parts: Mapping[str, object]) -> None:
    report = StepReport(step=1, total_steps=1, sample=red_square(), prediction=red_square(), timestep=torch.tensor(0))
    picture = previewer(starter_parts, "sample", known=False).picture(report).convert("L")
    assert abs(picture.getpixel((64, 64)) - picture.getpixel((2, 2))) > 80


def test_a_flat_picture_has_a_preview_too(starter_parts: Mapping[str, object]) -> None:
    flat = torch.full((1, 4, 1, 1), 0.3)
    report = StepReport(step=1, total_steps=1, sample=flat, prediction=flat, timestep=torch.tensor(0))
    assert isinstance(previewer(starter_parts, "sample", known=False).picture(report), Image.Image)


def test_the_starters_previews_have_the_pictures_colours(
    context: FakeContext,
    parts: ModelLoaderOutput,
    encode: Callable[[str], ConditioningField],
    make_noise: Callable[..., LatentsField],
) -> None:
    run_node(
        DenoiseLatents(
            positive_conditioning=encode("a large red circle on a blue background"),
            negative_conditioning=encode(""),
            noise=make_noise(),
            unet=parts.unet,
            steps=8,
            cfg_scale=5,
            scheduler="ddim",
        ),
        context,
    )
    last = context.progress.reports[-1].preview
    red, _, blue = last.resize((1, 1), box=(56, 56, 72, 72)).getpixel((0, 0))
    assert red > blue + 40
    red, _, blue = last.resize((1, 1), box=(0, 0, 16, 16)).getpixel((0, 0))
    assert blue > red + 40
