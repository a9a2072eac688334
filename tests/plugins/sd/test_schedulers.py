"""The schedulers: every name runs, and each starts from the model's own configuration."""

from collections.abc import Callable, Mapping
from typing import get_args

import pytest

from impasto_sd.nodes import DenoiseLatents, LatentsToImage
from impasto_sd.nodes.main_model_loader import ModelLoaderOutput
from impasto_sd.sampling.schedule import make_schedule
from impasto_sd.schedulers import SCHEDULERS, SchedulerName, make_scheduler, name_of_class
from impasto_sdk.errors import InvalidInputError
from impasto_sdk.fields import ConditioningField, LatentsField
from impasto_sdk.testing import FakeContext, run_node
from impasto_sdk.torch import load_tensor


def test_the_names_are_those_of_the_table() -> None:
    assert list(get_args(SchedulerName)) == list(SCHEDULERS)


@pytest.mark.parametrize("name", SCHEDULERS)
def test_every_scheduler_runs_four_steps(
    name: SchedulerName,
    context: FakeContext,
    parts: ModelLoaderOutput,
    encode: Callable[[str], ConditioningField],
    make_noise: Callable[..., LatentsField],
) -> None:
    node = DenoiseLatents(
        positive_conditioning=encode("a red star"),
        negative_conditioning=encode(""),
        noise=make_noise(width=64, height=64),
        unet=parts.unet,
        steps=4,
        cfg_scale=3,
        scheduler=name,
    )
    made = load_tensor(context, run_node(node, context).latents)
    assert made.shape == (1, 4, 8, 8)
    assert made.isfinite().all()
    assert made.std() < 3, "the scheduler blows up"
    assert [report.message for report in context.progress.reports] == [f"Step {n} of 4" for n in range(1, 5)]


@pytest.mark.parametrize("name", [name for name in SCHEDULERS if not name.endswith("_k")])
def test_every_scheduler_draws_what_the_prompt_says(
    name: SchedulerName,
    context: FakeContext,
    parts: ModelLoaderOutput,
    encode: Callable[[str], ConditioningField],
    make_noise: Callable[..., LatentsField],
) -> None:
    made = run_node(
        DenoiseLatents(
            positive_conditioning=encode("a large red circle on a blue background"),
            negative_conditioning=encode(""),
            noise=make_noise(),
            unet=parts.unet,
            # explicit methods of fourth order go astray in few steps, in diffusers' own pipeline too
            steps=40 if name in ("lms", "pndm") else 10,
            cfg_scale=3,
            scheduler=name,
        ),
        context,
    )
    run_node(LatentsToImage(latents=made.latents, vae=parts.vae), context)
    picture = context.images.saved[0].picture
    red, _, blue = picture.resize((1, 1), box=(56, 56, 72, 72)).getpixel((0, 0))
    assert red > blue + 60, "the middle is not red"
    red, _, blue = picture.resize((1, 1), box=(0, 0, 16, 16)).getpixel((0, 0))
    assert blue > red + 60, "the corner is not blue"


def test_the_models_own_settings_hold_under_every_name(starter_parts: Mapping[str, object]) -> None:
    for name in SCHEDULERS:
        scheduler = make_scheduler(name, starter_parts["scheduler"])
        assert scheduler.config.beta_schedule == "scaled_linear"
        assert scheduler.config.prediction_type == "epsilon"


def test_a_class_is_known_by_its_usual_name() -> None:
    assert name_of_class("DPMSolverMultistepScheduler") == "dpmpp_2m"
    assert name_of_class("DPMSolverMultistepScheduler", karras=True) == "dpmpp_2m_k"
    assert name_of_class("EulerAncestralDiscreteScheduler") == "euler_a"
    assert name_of_class("FlowMatchEulerDiscreteScheduler") is None


@pytest.mark.parametrize("name", ["ddim", "euler", "heun", "kdpm_2_a", "dpmpp_2m_k"])
def test_two_stretches_visit_each_step_once(name: SchedulerName, starter_parts: Mapping[str, object]) -> None:
    def visit(start: float, end: float) -> list[float]:
        scheduler = make_scheduler(name, starter_parts["scheduler"])
        return make_schedule(scheduler, 10, start=start, end=end, device="cpu").timesteps.tolist()

    assert visit(0, 0.37) + visit(0.37, 1) == visit(0, 1)


def test_second_order_calls_belong_to_one_step(starter_parts: Mapping[str, object]) -> None:
    scheduler = make_scheduler("heun", starter_parts["scheduler"])
    schedule = make_schedule(scheduler, 4, start=0.25, end=1, device="cpu")
    assert schedule.steps == (0, 0, 1, 1, 2)
    assert (schedule.first_step, schedule.total_steps) == (1, 3)


def test_too_many_steps_for_a_scheduler_are_refused_with_its_reason(starter_parts: Mapping[str, object]) -> None:
    scheduler = make_scheduler("lcm", starter_parts["scheduler"])
    with pytest.raises(InvalidInputError, match="LCMScheduler refuses") as caught:
        make_schedule(scheduler, 400, start=0, end=1, device="cpu")
    assert caught.value.field == "steps"


def test_a_start_after_the_end_is_refused(starter_parts: Mapping[str, object]) -> None:
    scheduler = make_scheduler("ddim", starter_parts["scheduler"])
    with pytest.raises(InvalidInputError, match=r"after denoising_end = 0\.2"):
        make_schedule(scheduler, 10, start=0.5, end=0.2, device="cpu")
