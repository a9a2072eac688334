"""The schedulers by the names that graphs use, and the diffusers classes behind them. One table, free of torch.

A scheduler is made anew for every run: it counts its steps. Called by the `denoise_latents` node, by the panels (for
titles) and by `identify` (for a model's own default).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from impasto_sdk.fields import JsonValue

if TYPE_CHECKING:  # imported when a scheduler is made
    from diffusers import SchedulerMixin

__all__ = ["SCHEDULERS", "SchedulerChoice", "SchedulerConfig", "SchedulerName", "make_scheduler", "name_of_class"]

SchedulerName = Literal[
    "ddim",
    "ddpm",
    "deis",
    "deis_k",
    "lms",
    "lms_k",
    "pndm",
    "heun",
    "heun_k",
    "euler",
    "euler_k",
    "euler_a",
    "kdpm_2",
    "kdpm_2_k",
    "kdpm_2_a",
    "kdpm_2_a_k",
    "dpmpp_2s",
    "dpmpp_2s_k",
    "dpmpp_2m",
    "dpmpp_2m_k",
    "dpmpp_2m_sde",
    "dpmpp_2m_sde_k",
    "dpmpp_3m",
    "dpmpp_3m_k",
    "dpmpp_sde",
    "dpmpp_sde_k",
    "unipc",
    "unipc_k",
    "lcm",
    "tcd",
]


@dataclass(frozen=True, slots=True)
class SchedulerConfig:
    """The scheduler's configuration as it lies with a model; the loaded form of its ``scheduler`` part."""

    values: Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class SchedulerChoice:
    """What a name stands for."""

    #: Name shown to a person.
    title: str
    #: Class in diffusers.
    class_name: str
    #: What is set over the model's own configuration.
    overrides: Mapping[str, JsonValue] = field(default_factory=dict)


_KARRAS = {"use_karras_sigmas": True}
_PLAIN = {"use_karras_sigmas": False}
_MULTISTEP = "DPMSolverMultistepScheduler"
_SINGLESTEP = "DPMSolverSinglestepScheduler"
_SDE = {"algorithm_type": "sde-dpmsolver++"}
#: The last step to sigma 0 can only be taken in first order.
_SINGLE = {"solver_order": 2, "lower_order_final": True}

SCHEDULERS: Mapping[SchedulerName, SchedulerChoice] = {
    "ddim": SchedulerChoice("DDIM", "DDIMScheduler"),
    "ddpm": SchedulerChoice("DDPM", "DDPMScheduler"),
    "deis": SchedulerChoice("DEIS", "DEISMultistepScheduler", _PLAIN),
    "deis_k": SchedulerChoice("DEIS Karras", "DEISMultistepScheduler", _KARRAS),
    "lms": SchedulerChoice("LMS", "LMSDiscreteScheduler", _PLAIN),
    "lms_k": SchedulerChoice("LMS Karras", "LMSDiscreteScheduler", _KARRAS),
    "pndm": SchedulerChoice("PNDM", "PNDMScheduler", {"skip_prk_steps": True}),
    "heun": SchedulerChoice("Heun", "HeunDiscreteScheduler", _PLAIN),
    "heun_k": SchedulerChoice("Heun Karras", "HeunDiscreteScheduler", _KARRAS),
    "euler": SchedulerChoice("Euler", "EulerDiscreteScheduler", _PLAIN),
    "euler_k": SchedulerChoice("Euler Karras", "EulerDiscreteScheduler", _KARRAS),
    "euler_a": SchedulerChoice("Euler ancestral", "EulerAncestralDiscreteScheduler"),
    "kdpm_2": SchedulerChoice("KDPM 2", "KDPM2DiscreteScheduler", _PLAIN),
    "kdpm_2_k": SchedulerChoice("KDPM 2 Karras", "KDPM2DiscreteScheduler", _KARRAS),
    "kdpm_2_a": SchedulerChoice("KDPM 2 ancestral", "KDPM2AncestralDiscreteScheduler", _PLAIN),
    "kdpm_2_a_k": SchedulerChoice("KDPM 2 ancestral Karras", "KDPM2AncestralDiscreteScheduler", _KARRAS),
    "dpmpp_2s": SchedulerChoice("DPM++ 2S", _SINGLESTEP, {**_SINGLE, **_PLAIN}),
    "dpmpp_2s_k": SchedulerChoice("DPM++ 2S Karras", _SINGLESTEP, {**_SINGLE, **_KARRAS}),
    "dpmpp_2m": SchedulerChoice("DPM++ 2M", _MULTISTEP, {"solver_order": 2, **_PLAIN}),
    "dpmpp_2m_k": SchedulerChoice("DPM++ 2M Karras", _MULTISTEP, {"solver_order": 2, **_KARRAS}),
    "dpmpp_2m_sde": SchedulerChoice("DPM++ 2M SDE", _MULTISTEP, {"solver_order": 2, **_SDE, **_PLAIN}),
    "dpmpp_2m_sde_k": SchedulerChoice("DPM++ 2M SDE Karras", _MULTISTEP, {"solver_order": 2, **_SDE, **_KARRAS}),
    "dpmpp_3m": SchedulerChoice("DPM++ 3M", _MULTISTEP, {"solver_order": 3, **_PLAIN}),
    "dpmpp_3m_k": SchedulerChoice("DPM++ 3M Karras", _MULTISTEP, {"solver_order": 3, **_KARRAS}),
    "dpmpp_sde": SchedulerChoice("DPM++ SDE", _SINGLESTEP, {**_SINGLE, **_SDE, **_PLAIN}),
    "dpmpp_sde_k": SchedulerChoice("DPM++ SDE Karras", _SINGLESTEP, {**_SINGLE, **_SDE, **_KARRAS}),
    "unipc": SchedulerChoice("UniPC", "UniPCMultistepScheduler", _PLAIN),
    "unipc_k": SchedulerChoice("UniPC Karras", "UniPCMultistepScheduler", _KARRAS),
    "lcm": SchedulerChoice("LCM", "LCMScheduler"),
    "tcd": SchedulerChoice("TCD", "TCDScheduler"),
}


def make_scheduler(name: SchedulerName, config: SchedulerConfig) -> "SchedulerMixin":
    """A fresh scheduler for one run, with the model's own training settings."""
    import diffusers

    from impasto_sd.quiet import quiet_libraries

    choice = SCHEDULERS[name]
    with quiet_libraries():
        return getattr(diffusers, choice.class_name).from_config(dict(config.values), **choice.overrides)


def name_of_class(class_name: str | None, *, karras: bool = False) -> SchedulerName | None:
    """The name for the diffusers class that a model's configuration names; None when no name stands for it."""
    names: list[SchedulerName] = [name for name, choice in SCHEDULERS.items() if choice.class_name == class_name]
    # the first of a class is the usual one: dpmpp_2m before dpmpp_3m
    wanted = [name for name in names if SCHEDULERS[name].overrides.get("use_karras_sigmas", False) == karras]
    return next(iter(wanted or names), None)
