"""Which of a scheduler's timesteps a run visits: all of them, or a stretch from one share of the steps to another."""

import inspect
import math
from dataclasses import dataclass

import torch
from diffusers import SchedulerMixin

from impasto_sd.quiet import quiet_libraries
from impasto_sdk.errors import InvalidInputError

__all__ = ["Schedule", "make_schedule", "step_arguments"]

#: Shares of the steps that differ by less than this are the same.
_NEAR = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """The timesteps of one run, the noisiest first."""

    #: Shape (calls,): one entry for each call of the network.
    timesteps: torch.Tensor
    #: Step of the person's count, from 0, that each call belongs to; second-order schedulers call twice for a step.
    steps: tuple[int, ...]
    #: The first step of the whole schedule that this run visits.
    first_step: int

    @property
    def total_steps(self) -> int:
        """Steps of this run; 0 when it visits none."""
        return self.steps[-1] + 1 if self.steps else 0


def make_schedule(
    scheduler: SchedulerMixin, steps: int, *, start: float, end: float, device: torch.device | str
) -> Schedule:
    """Set the scheduler up for `steps` and pick those from share `start` to share `end` of them.

    A step belongs to the stretch in which it begins, so 0 to 0.4 and 0.4 to 1 visit each step once between them.
    When `start` equals `end` there are none. Raises `InvalidInputError` when the scheduler cannot take that many steps,
    or `start` is after `end`.
    """
    if start > end:
        raise InvalidInputError(
            "denoising_start", start, f"after denoising_end = {end}", f"give a value of at most {end}"
        )
    try:
        with quiet_libraries():
            scheduler.set_timesteps(steps, device=device)
    except ValueError as error:
        raise InvalidInputError(
            "steps", steps, f"{type(scheduler).__name__} refuses: {error}", "give another number of steps"
        ) from error
    order = scheduler.order
    first, last = _step_at(start, steps), _step_at(end, steps)
    begin = first * order
    timesteps = scheduler.timesteps[begin : len(scheduler.timesteps) if last == steps else last * order]
    if hasattr(scheduler, "set_begin_index"):
        scheduler.set_begin_index(begin)
    return Schedule(
        timesteps=timesteps,
        steps=tuple(min(call // order, last - first - 1) for call in range(len(timesteps))),
        first_step=first,
    )


def _step_at(share: float, steps: int) -> int:
    return math.ceil(share * steps - _NEAR)


def step_arguments(scheduler: SchedulerMixin, generator: torch.Generator) -> dict[str, object]:
    """The keyword arguments that this scheduler's `step` takes beside the usual ones."""
    return {"generator": generator} if "generator" in inspect.signature(scheduler.step).parameters else {}
