"""What `denoise_latents` does: it loads what the node names, runs the loop, reports, and stores the latents."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeVar

import torch
from diffusers import SchedulerMixin, UNet2DConditionModel
from pydantic import BaseModel

from impasto_sd.prompts.encoder import EncodedPrompt
from impasto_sd.prompts.stored import load_prompt
from impasto_sd.sampling.freeu import FreeUExtension
from impasto_sd.sampling.guidance import GuidedPrompt
from impasto_sd.sampling.inpaint import MaskExtension
from impasto_sd.sampling.loop import DenoiseJob, StepReport, denoise
from impasto_sd.sampling.preview import Previewer
from impasto_sd.sampling.schedule import make_schedule
from impasto_sd.schedulers import SchedulerConfig, make_scheduler
from impasto_sdk.context import InvocationContext
from impasto_sdk.errors import InvalidInputError
from impasto_sdk.extensions import DenoiseExtension
from impasto_sdk.fields import ConditioningField, LatentsField, LatentsOutput, TensorField
from impasto_sdk.torch import load_tensor, save_latents, seeded_generator, seeded_noise

if TYPE_CHECKING:  # the node imports this module when it runs
    from impasto_sd.nodes.denoise_latents import DenoiseLatents

__all__ = ["denoise_node"]

ItemT = TypeVar("ItemT")

#: Keeps the noise of stochastic schedulers apart from the noise that the picture began with, which has the same seed.
_STEP_NOISE = 0x5EED_0F_57E9


def denoise_node(node: "DenoiseLatents", context: InvocationContext) -> LatentsOutput:
    """Run the node. Raises `InvalidInputError` for inputs that do not fit one another or the model."""
    with context.models.load(node.unet.scheduler, SchedulerConfig) as config:
        scheduler = make_scheduler(node.scheduler, config)
    given = _LatentInputs(node, context)
    with context.models.load(node.unet.unet, UNet2DConditionModel) as unet:
        given.check_fit(unet)
        schedule = make_schedule(
            scheduler, node.steps, start=node.denoising_start, end=node.denoising_end, device=unet.device
        )
        scales = _scale_of_each_step(node)[schedule.first_step :]
        latents, noise = given.on(unet)
        job = DenoiseJob(
            unet=unet,
            scheduler=scheduler,
            schedule=schedule,
            prompt=_prompt(node, context, unet, batch=given.batch),
            cfg_scale=scales,
            cfg_rescale=node.cfg_rescale_multiplier,
            latents=latents,
            noise=noise,
            generator=seeded_generator(given.seed ^ _STEP_NOISE),
            extensions=_extensions(node, context, scheduler, unet, given),
        )
        facts = context.models.record(node.unet.unet).facts
        scale_factor = int(facts.get("size_step", 8))
        previewer = Previewer(scheduler, latent_rgb=facts.get("latent_rgb"), scale_factor=scale_factor)

        def report(step: StepReport) -> None:
            context.progress(
                step.step / step.total_steps, f"Step {step.step} of {step.total_steps}", previewer.picture(step)
            )

        made = denoise(job, before_call=context.raise_if_cancelled, after_step=report)
    return save_latents(context, made, seed=given.seed, scale_factor=scale_factor)


class _LatentInputs:
    """The latents and the noise that a node was given, on the CPU."""

    def __init__(self, node: "DenoiseLatents", context: InvocationContext) -> None:
        if node.latents is None and node.noise is None:
            raise InvalidInputError("noise", None, "there are neither noise nor latents", "connect at least one")
        self.latents = None if node.latents is None else load_tensor(context, node.latents)
        self.noise = None if node.noise is None else load_tensor(context, node.noise)
        self.seed = _first_seed(node.noise, node.latents)
        if self.latents is not None and self.noise is not None and self.latents.shape != self.noise.shape:
            raise InvalidInputError(
                "noise",
                tuple(self.noise.shape),
                f"the latents have the shape {tuple(self.latents.shape)}",
                "make noise of the latents' width and height",
            )

    @property
    def any(self) -> torch.Tensor:
        """The latents, or the noise without them: both have the run's shape."""
        found = self.latents if self.latents is not None else self.noise
        assert found is not None
        return found

    @property
    def batch(self) -> int:
        """How many pictures the run makes."""
        return int(self.any.shape[0])

    def check_fit(self, unet: UNet2DConditionModel) -> None:
        """Raise `InvalidInputError` when the network takes other latents than these."""
        channels, wanted = int(self.any.shape[1]), int(unet.config.in_channels)
        if channels != wanted:
            raise InvalidInputError(
                "unet",
                f"{wanted} channels",
                f"the latents have {channels} channels",
                "an inpainting model needs more than latents; use a normal model"
                if wanted > channels
                else "use latents that were made for this model",
            )

    def on(self, unet: UNet2DConditionModel) -> tuple[torch.Tensor | None, torch.Tensor | None]:
        """Latents and noise on the network's device, in its precision."""
        latents, noise = (
            None if tensor is None else tensor.to(device=unet.device, dtype=unet.dtype)
            for tensor in (self.latents, self.noise)
        )
        return latents, noise


def _first_seed(*fields: LatentsField | None) -> int:
    return next((field.seed for field in fields if field is not None and field.seed is not None), 0)


def _scale_of_each_step(node: "DenoiseLatents") -> Sequence[float]:
    scales = node.cfg_scale if isinstance(node.cfg_scale, list) else [node.cfg_scale] * node.steps
    if len(scales) != node.steps:
        raise InvalidInputError(
            "cfg_scale", scales, f"{len(scales)} values for {node.steps} steps", "give one number, or one for each step"
        )
    if not all(math.isfinite(scale) for scale in scales):
        raise InvalidInputError("cfg_scale", node.cfg_scale, "not a number to multiply by", "give a finite number")
    return scales


def _prompt(
    node: "DenoiseLatents", context: InvocationContext, unet: UNet2DConditionModel, *, batch: int
) -> GuidedPrompt:
    positive = _side_by_side(context, "positive_conditioning", node.positive_conditioning, unet)
    negative = _side_by_side(context, "negative_conditioning", node.negative_conditioning, unet)
    return GuidedPrompt.of(positive, negative, batch=batch, device=unet.device, dtype=unet.dtype)


def _side_by_side(
    context: InvocationContext,
    field: str,
    given: ConditioningField | list[ConditioningField],
    unet: UNet2DConditionModel,
) -> EncodedPrompt:
    """One prompt of all that were given, their tokens in order."""
    prompts: list[EncodedPrompt] = []
    for conditioning in _listed(given):
        if conditioning.mask is not None:
            raise InvalidInputError(
                field, conditioning.mask.tensor_name, "prompts for regions are not supported", "leave the mask out"
            )
        prompts.append(load_prompt(context, field, conditioning))
    if not prompts:
        raise InvalidInputError(field, [], "there is no prompt", "connect at least one")
    width, wanted = prompts[0].embeddings.shape[-1], unet.config.cross_attention_dim
    if any(prompt.embeddings.shape[-1] != wanted for prompt in prompts):
        raise InvalidInputError(
            field, f"{width} wide", f"this UNet takes prompts {wanted} wide", "use the CLIP of the same model"
        )
    return EncodedPrompt(
        embeddings=torch.cat([prompt.embeddings for prompt in prompts], dim=1),
        empty=prompts[0].empty,
        token_count=sum(prompt.token_count for prompt in prompts),
    )


def _extensions(
    node: "DenoiseLatents",
    context: InvocationContext,
    scheduler: SchedulerMixin,
    unet: UNet2DConditionModel,
    given: _LatentInputs,
) -> list[DenoiseExtension[torch.Tensor]]:
    """Those of other plugins and our own, in order of `order`."""
    if node.unet.seamless_axes:
        raise InvalidInputError("unet", node.unet.seamless_axes, "seamless axes are not supported", "leave them out")
    data: list[BaseModel] = [
        *node.unet.loras,
        *_listed(node.control),
        *_listed(node.ip_adapter),
        *_listed(node.t2i_adapter),
    ]
    extensions = list(context.extensions.denoise(data)) if data else []
    if node.unet.freeu_config is not None:
        extensions.append(FreeUExtension(node.unet.freeu_config))
    if node.denoise_mask is not None:
        extensions.append(_mask_extension(node, context, scheduler, unet, given))
    return sorted(extensions, key=lambda extension: extension.order)


def _mask_extension(
    node: "DenoiseLatents",
    context: InvocationContext,
    scheduler: SchedulerMixin,
    unet: UNet2DConditionModel,
    given: _LatentInputs,
) -> MaskExtension:
    assert node.denoise_mask is not None
    original, noise = given.on(unet)
    if original is None:
        raise InvalidInputError(
            "denoise_mask", node.denoise_mask.mask_name, "there are no latents to keep", "connect latents"
        )
    if noise is None:
        noise = seeded_noise(original.shape, given.seed, dtype=original.dtype, device=original.device)
    mask = load_tensor(context, TensorField(tensor_name=node.denoise_mask.mask_name)).float()
    mask = torch.nn.functional.interpolate(mask, size=tuple(original.shape[-2:]), mode="bilinear")
    return MaskExtension(
        scheduler,
        mask=mask.to(device=original.device, dtype=original.dtype),
        original=original,
        noise=noise,
        gradient=node.denoise_mask.gradient,
    )


def _listed(given: ItemT | list[ItemT] | None) -> list[ItemT]:
    if given is None:
        return []
    return given if isinstance(given, list) else [given]
