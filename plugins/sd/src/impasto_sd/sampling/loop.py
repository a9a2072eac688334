"""The denoise loop: from noise, or noised latents, to latents, in the steps of a schedule.

The network and the schedulers are diffusers'; the loop is ours, so that extensions of any plugin can take part in it,
and a person can stop it between two calls. It knows no node, no storage and no device policy. Called by `sampling.run`.
"""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import torch
from diffusers import SchedulerMixin, UNet2DConditionModel

from impasto_sd.quiet import quiet_libraries
from impasto_sd.sampling.guidance import GuidedPrompt, guide
from impasto_sd.sampling.schedule import Schedule, step_arguments
from impasto_sdk.extensions import DenoiseExtension, DenoiseState, UNetInputs

__all__ = ["DenoiseJob", "StepReport", "denoise"]

Extensions = Sequence[DenoiseExtension[torch.Tensor]]


@dataclass(frozen=True, slots=True, kw_only=True)
class DenoiseJob:
    """What is to be denoised, and how. All tensors are on the network's device, latents in its precision."""

    unet: UNet2DConditionModel
    #: Set up for `schedule`, and used for this run only: it counts its calls.
    scheduler: SchedulerMixin
    schedule: Schedule
    prompt: GuidedPrompt
    #: Guidance for each step of the schedule; 1 is none, and takes half the time.
    cfg_scale: Sequence[float]
    #: How much of the contrast that guidance adds is taken back, 0 to 1.
    cfg_rescale: float
    #: Latents to begin with, shape (batch, channels, height, width); None: noise alone.
    latents: torch.Tensor | None
    #: Noise that is put over the latents; None: they are noisy already.
    noise: torch.Tensor | None
    #: For schedulers that draw noise at each step; on the CPU.
    generator: torch.Generator
    extensions: Extensions = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StepReport:
    """What the loop did just now."""

    #: The step that is done, from 1, and how many there are.
    step: int
    total_steps: int
    #: What the network was given: latents scaled to unit variance, shape (batch, channels, height, width).
    sample: torch.Tensor
    #: What it predicted of them, after guidance.
    prediction: torch.Tensor
    timestep: torch.Tensor


def denoise(
    job: DenoiseJob, *, before_call: Callable[[], None], after_step: Callable[[StepReport], None]
) -> torch.Tensor:
    """Run the loop and give the latents.

    `before_call` is called before each call of the network, and stops the run by raising; `after_step` after the last
    call of each step. A schedule without steps gives the latents as they begin.
    """
    with torch.inference_mode(), quiet_libraries(), ExitStack() as patches:
        latents = _initial_latents(job)
        if not job.schedule.steps:
            return latents
        state = DenoiseState(
            step=0,
            total_steps=job.schedule.total_steps,
            timestep=job.schedule.timesteps[0],
            latents=latents,
            initial_latents=latents if job.latents is None else job.latents,
            noise=job.noise,
            timesteps=job.schedule.timesteps,
        )
        for extension in job.extensions:
            patches.enter_context(extension.patch(job.unet))
        for extension in job.extensions:
            extension.before_loop(state)
        _run_steps(job, state, before_call, after_step)
        for extension in job.extensions:
            extension.after_loop(state)
        return state.latents


def _run_steps(
    job: DenoiseJob,
    state: DenoiseState[torch.Tensor],
    before_call: Callable[[], None],
    after_step: Callable[[StepReport], None],
) -> None:
    schedule = job.schedule
    more = step_arguments(job.scheduler, job.generator)
    last_call = len(schedule.steps) - 1
    for call, (step, timestep) in enumerate(zip(schedule.steps, schedule.timesteps, strict=True)):
        before_call()
        state.step, state.timestep = step, timestep
        for extension in job.extensions:
            extension.before_step(state)
        sample = job.scheduler.scale_model_input(state.latents, timestep)
        state.noise_prediction = _predict(job, state, sample)
        for extension in job.extensions:
            extension.after_unet(state)
        prediction = state.noise_prediction
        state.latents = job.scheduler.step(prediction, timestep, state.latents, return_dict=False, **more)[0]
        for extension in job.extensions:
            extension.after_step(state)
        if call == last_call or schedule.steps[call + 1] != step:
            after_step(
                StepReport(
                    step=step + 1,
                    total_steps=schedule.total_steps,
                    sample=sample,
                    prediction=prediction,
                    timestep=timestep,
                )
            )


def _initial_latents(job: DenoiseJob) -> torch.Tensor:
    if job.noise is None:
        assert job.latents is not None  # the node refuses a run with neither
        return job.latents
    if job.latents is None and job.schedule.first_step == 0:
        start: torch.Tensor = job.noise * job.scheduler.init_noise_sigma
        return start
    # a run that begins late is given noise of that step's strength, over an empty picture when there is none
    latents = torch.zeros_like(job.noise) if job.latents is None else job.latents
    if not job.schedule.steps:
        return latents
    noised: torch.Tensor = job.scheduler.add_noise(latents, job.noise, job.schedule.timesteps[:1])
    return noised


def _predict(job: DenoiseJob, state: DenoiseState[torch.Tensor], sample: torch.Tensor) -> torch.Tensor:
    """What the network predicts for this step, after guidance; shape of `sample`."""
    scale = job.cfg_scale[state.step]
    guided = scale != 1
    inputs = UNetInputs(
        sample=torch.cat([sample, sample]) if guided else sample,
        timestep=state.timestep,
        encoder_hidden_states=job.prompt.both if guided else job.prompt.positive,
        guided=guided,
    )
    for extension in job.extensions:
        extension.before_unet(state, inputs)
    # a copy, for the network takes the entries out of the list, which an extension may keep for the next step
    intrablock = inputs.down_intrablock_additional_residuals and [*inputs.down_intrablock_additional_residuals]
    prediction: torch.Tensor = job.unet(
        inputs.sample,
        inputs.timestep,
        encoder_hidden_states=inputs.encoder_hidden_states,
        cross_attention_kwargs=inputs.cross_attention_kwargs or None,
        added_cond_kwargs=inputs.added_cond_kwargs or None,
        down_block_additional_residuals=_tuple(inputs.down_block_additional_residuals),
        mid_block_additional_residual=inputs.mid_block_additional_residual,
        down_intrablock_additional_residuals=intrablock,
        return_dict=False,
    )[0]
    return guide(prediction, scale, job.cfg_rescale) if guided else prediction


def _tuple(residuals: list[torch.Tensor] | None) -> tuple[torch.Tensor, ...] | None:
    return None if residuals is None else tuple(residuals)
