"""`denoise_latents`: the node that makes the picture, in latents. What it does is `sampling.run`."""

from impasto_sd.schedulers import SchedulerName
from impasto_sdk.context import InvocationContext
from impasto_sdk.fields import (
    ConditioningField,
    ControlField,
    DenoiseMaskField,
    Input,
    InputField,
    IPAdapterField,
    LatentsField,
    LatentsOutput,
    T2IAdapterField,
    UNetField,
)
from impasto_sdk.node import BaseInvocation, Lane, invocation

__all__ = ["DenoiseLatents"]


@invocation(
    "denoise_latents",
    title="Denoise - SD1.5",
    category="latents",
    tags=["latents", "denoise", "txt2img", "img2img", "inpaint"],
    version="1.6.0",
    lane=Lane.DEVICE,
)
class DenoiseLatents(BaseInvocation):
    """Turn noise, or a noised picture, into latents that show what the prompt says.

    The same inputs give the same latents. ControlNet, T2I-Adapter, IP-Adapter and LoRA take part through their plugins.
    """

    positive_conditioning: ConditioningField | list[ConditioningField] = InputField(
        input=Input.CONNECTION, title="Positive Conditioning", description="What to show; several stand side by side"
    )
    negative_conditioning: ConditioningField | list[ConditioningField] = InputField(
        input=Input.CONNECTION, title="Negative Conditioning", description="What not to show", ui_order=1
    )
    noise: LatentsField | None = InputField(
        None, input=Input.CONNECTION, description="The noise; needed unless the latents are noisy already", ui_order=3
    )
    steps: int = InputField(10, gt=0, title="Steps", description="Steps from pure noise to the picture")
    cfg_scale: float | list[float] = InputField(
        7.5, title="CFG Scale", description="Guidance by the prompts, or one for each step; 1 is none"
    )
    denoising_start: float = InputField(
        0.0, ge=0, le=1, title="Denoising Start", description="Share of the steps that are left out at the start"
    )
    denoising_end: float = InputField(
        1.0, ge=0, le=1, title="Denoising End", description="Share of the steps after which to stop"
    )
    scheduler: SchedulerName = InputField("euler", title="Scheduler", description="How the steps are taken")
    unet: UNetField = InputField(input=Input.CONNECTION, title="UNet", description="UNet and scheduler", ui_order=2)
    control: ControlField | list[ControlField] | None = InputField(
        None, input=Input.CONNECTION, title="Control", description="ControlNets", ui_order=5
    )
    ip_adapter: IPAdapterField | list[IPAdapterField] | None = InputField(
        None, input=Input.CONNECTION, title="IP-Adapter", description="IP-Adapters", ui_order=6
    )
    t2i_adapter: T2IAdapterField | list[T2IAdapterField] | None = InputField(
        None, input=Input.CONNECTION, title="T2I-Adapter", description="T2I-Adapters", ui_order=7
    )
    cfg_rescale_multiplier: float = InputField(
        0, ge=0, lt=1, title="CFG Rescale Multiplier", description="How much of guidance's contrast is taken back"
    )
    latents: LatentsField | None = InputField(
        None, input=Input.CONNECTION, description="Latents to begin with; noise alone without them", ui_order=4
    )
    denoise_mask: DenoiseMaskField | None = InputField(
        None, input=Input.CONNECTION, description="Which part of the latents may change", ui_order=8
    )

    def invoke(self, context: InvocationContext) -> LatentsOutput:
        """Run the loop and store the latents."""
        from impasto_sd.sampling.run import denoise_node

        return denoise_node(self, context)
