"""The denoise node: it can be repeated, stopped, split and taken part in, and refuses what does not fit."""

import copy
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import pytest
import torch
from diffusers import UNet2DConditionModel

from impasto_sd.nodes import DenoiseLatents
from impasto_sd.nodes.main_model_loader import ModelLoaderOutput
from impasto_sd.prompts.encoder import EncodedPrompt
from impasto_sd.prompts.stored import save_prompt
from impasto_sd.sampling.guidance import GuidedPrompt
from impasto_sd.sampling.loop import DenoiseJob
from impasto_sd.sampling.loop import denoise as denoise_loop
from impasto_sd.sampling.schedule import make_schedule
from impasto_sd.schedulers import make_scheduler
from impasto_sdk.errors import CanceledError, ExtensionError, InvalidInputError
from impasto_sdk.extensions import DenoiseExtension, DenoiseExtensionFactory, DenoiseState, UNetInputs
from impasto_sdk.fields import (
    ConditioningField,
    ControlField,
    DenoiseMaskField,
    FreeUConfig,
    ImageField,
    LatentsField,
    LoRAField,
    TensorField,
)
from impasto_sdk.models import ModelRecord
from impasto_sdk.testing import FakeContext, run_node
from impasto_sdk.torch import load_tensor, save_conditioning, save_latents, save_tensor, seeded_generator, seeded_noise


class Denoise:
    """Runs the node with short defaults."""

    def __init__(
        self,
        context: FakeContext,
        parts: ModelLoaderOutput,
        encode: Callable[[str], ConditioningField],
        make_noise: Callable[..., LatentsField],
    ) -> None:
        self.context = context
        self._defaults = {
            "positive_conditioning": encode("a red star"),
            "negative_conditioning": encode(""),
            "noise": make_noise(width=64, height=64),
            "unet": parts.unet,
            "steps": 4,
            "cfg_scale": 4,
            "scheduler": "ddim",
        }

    def __call__(self, **inputs: object) -> torch.Tensor:
        output = run_node(DenoiseLatents(**{**self._defaults, **inputs}), self.context)
        return load_tensor(self.context, output.latents)


@pytest.fixture
def denoise(
    context: FakeContext,
    parts: ModelLoaderOutput,
    encode: Callable[[str], ConditioningField],
    make_noise: Callable[..., LatentsField],
) -> Denoise:
    return Denoise(context, parts, encode, make_noise)


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(
    context: FakeContext, denoise: Denoise, make_noise: Callable[..., LatentsField]
) -> None:
    for scheduler in ("ddim", "euler_a"):
        denoise(scheduler=scheduler)
        denoise(scheduler=scheduler)
        first, again = list(context.tensors.saved.values())[-2:]
        assert first == again
    assert not torch.equal(denoise(), denoise(noise=make_noise(seed=8, width=64, height=64)))


def test_stochastic_schedulers_draw_other_noise_than_the_picture_began_with(
    context: FakeContext, denoise: Denoise
) -> None:
    # the same latents with another seed noted: only the noise of the steps differs
    noise = seeded_noise((1, 4, 8, 8), 7)
    one, other = (
        denoise(noise=save_latents(context, noise, seed=seed).latents, scheduler="euler_a") for seed in (7, 2**64 - 1)
    )
    assert not torch.equal(one, other)


def test_progress_is_told_after_each_step_with_a_preview(context: FakeContext, denoise: Denoise) -> None:
    denoise(steps=3)
    reports = context.progress.reports
    assert [report.fraction for report in reports] == [1 / 3, 2 / 3, 1]
    assert [report.message for report in reports] == ["Step 1 of 3", "Step 2 of 3", "Step 3 of 3"]
    assert [report.preview.size for report in reports] == [(64, 64)] * 3


def test_cancel_stops_before_the_next_call_of_the_network(
    context: FakeContext, denoise: Denoise, starter_parts: Mapping[str, object]
) -> None:
    calls: list[int] = []
    hook = starter_parts["unet"].register_forward_pre_hook(lambda *_: calls.append(1))
    context.cancel_after(2)
    try:
        with pytest.raises(CanceledError):
            denoise(steps=20)
    finally:
        hook.remove()
    assert len(calls) == 2
    assert context.models.locked == []


def test_a_split_run_ends_where_a_whole_one_does(context: FakeContext, denoise: Denoise) -> None:
    whole = denoise(steps=6)
    half = save_latents(context, denoise(steps=6, denoising_end=0.5)).latents
    rest = denoise(steps=6, denoising_start=0.5, latents=half, noise=None)
    assert torch.allclose(rest, whole, atol=1e-5)


@pytest.mark.parametrize("scheduler", ["ddim", "euler", "heun", "dpmpp_2m"])
def test_noise_alone_is_as_strong_as_the_step_at_which_a_late_run_begins(
    context: FakeContext, denoise: Denoise, scheduler: str
) -> None:
    empty = save_latents(context, torch.zeros(1, 4, 8, 8)).latents
    late = denoise(denoising_start=0.5, scheduler=scheduler)
    assert torch.equal(late, denoise(denoising_start=0.5, scheduler=scheduler, latents=empty))


def test_no_steps_give_the_latents_back(context: FakeContext, denoise: Denoise) -> None:
    latents = seeded_noise((1, 4, 8, 8), 3)
    assert torch.equal(denoise(latents=save_latents(context, latents).latents, denoising_start=1), latents)


def test_guidance_may_differ_from_step_to_step(denoise: Denoise) -> None:
    assert torch.equal(denoise(cfg_scale=[4, 4, 4, 4]), denoise(cfg_scale=4))
    assert not torch.equal(denoise(cfg_scale=[4, 4, 1, 1]), denoise(cfg_scale=4))


def test_several_prompts_stand_side_by_side(
    context: FakeContext, denoise: Denoise, encode: Callable[[str], ConditioningField]
) -> None:
    listed = denoise(positive_conditioning=[encode("a red star"), encode("a blue ring")])
    joined = denoise(positive_conditioning=encode('("a red star", "a blue ring").and()'))
    assert torch.equal(listed, joined)


def test_words_beyond_the_window_change_the_picture(
    denoise: Denoise, encode: Callable[[str], ConditioningField]
) -> None:
    start = "a star on a background, " * 6
    assert not torch.allclose(
        denoise(positive_conditioning=encode(start + "red")),
        denoise(positive_conditioning=encode(start + "green")),
        atol=1e-3,
    )


def test_padding_an_empty_negative_prompt_changes_nothing(
    context: FakeContext, denoise: Denoise, encode: Callable[[str], ConditioningField]
) -> None:
    long = encode("a star on a background, " * 6)
    alone = denoise(positive_conditioning=long, cfg_scale=1)
    # at scale 0 only the negative prompt counts, here padded to the length of the long one
    padded = denoise(positive_conditioning=long, cfg_scale=0)
    short = denoise(positive_conditioning=encode("star"), cfg_scale=0)
    assert torch.allclose(padded, short, atol=1e-4)
    assert not torch.allclose(padded, alone, atol=1e-2)


class TestMask:
    def test_what_it_keeps_is_kept_and_the_rest_changes(self, context: FakeContext, denoise: Denoise) -> None:
        latents = seeded_noise((1, 4, 8, 8), 3)
        mask = torch.zeros(1, 1, 64, 64)
        mask[..., :32] = 1
        made = denoise(
            latents=save_latents(context, latents).latents,
            denoising_start=0.25,
            denoise_mask=mask_field(save_tensor(context, mask)),
        )
        assert torch.equal(made[..., :4], latents[..., :4])
        assert (made[..., 4:] - latents[..., 4:]).abs().mean() > 0.1

    def test_it_works_in_the_space_of_sigmas(self, context: FakeContext, denoise: Denoise) -> None:
        latents = seeded_noise((1, 4, 8, 8), 3)
        field = mask_field(save_tensor(context, torch.ones(1, 1, 8, 8)))
        kept = save_latents(context, latents).latents
        for scheduler in ("euler", "heun"):
            assert torch.equal(denoise(latents=kept, denoise_mask=field, scheduler=scheduler), latents)

    def test_a_gradient_releases_a_pixel_when_the_noise_has_sunk(self, context: FakeContext, denoise: Denoise) -> None:
        latents = save_latents(context, seeded_noise((1, 4, 8, 8), 3)).latents
        half = save_tensor(context, torch.full((1, 1, 8, 8), 0.5))
        early, late = (
            denoise(latents=latents, denoise_mask=mask_field(half, gradient=True), denoising_end=end)
            for end in (0.5, 1.0)
        )
        clean = load_tensor(context, latents)
        # kept until half of the training's timesteps, so the first half of the steps only noises the original
        assert not torch.allclose(late, clean, atol=0.05)
        assert torch.isfinite(early).all()

    def test_without_latents_there_is_nothing_to_keep(self, context: FakeContext, denoise: Denoise) -> None:
        field = mask_field(save_tensor(context, torch.ones(1, 1, 8, 8)))
        with pytest.raises(InvalidInputError, match="no latents to keep") as caught:
            denoise(denoise_mask=field)
        assert caught.value.field == "denoise_mask"


def mask_field(mask: TensorField, *, gradient: bool = False) -> DenoiseMaskField:
    return DenoiseMaskField(mask_name=mask.tensor_name, gradient=gradient)


class Recorder(DenoiseExtension[torch.Tensor]):
    """Notes when it is called and with what shapes."""

    def __init__(self, name: str, order: int, log: list[tuple[object, ...]]) -> None:
        self.name, self.order, self.log = name, order, log

    @contextmanager
    def patch(self, model: object) -> Iterator[None]:
        assert isinstance(model, UNet2DConditionModel)
        self.log.append((self.name, "patch"))
        yield
        self.log.append((self.name, "unpatch"))

    def before_loop(self, state: DenoiseState[torch.Tensor]) -> None:
        assert state.noise_prediction is None
        self.log.append((self.name, "before_loop", state.total_steps, len(state.timesteps)))

    def before_step(self, state: DenoiseState[torch.Tensor]) -> None:
        self.log.append((self.name, "before_step", state.step, state.fraction))

    def before_unet(self, state: DenoiseState[torch.Tensor], inputs: UNetInputs[torch.Tensor]) -> None:
        self.log.append(
            (self.name, "before_unet", tuple(inputs.sample.shape), inputs.encoder_hidden_states.shape[0], inputs.guided)
        )

    def after_unet(self, state: DenoiseState[torch.Tensor]) -> None:
        self.log.append((self.name, "after_unet", tuple(state.noise_prediction.shape)))

    def after_step(self, state: DenoiseState[torch.Tensor]) -> None:
        self.log.append((self.name, "after_step"))

    def after_loop(self, state: DenoiseState[torch.Tensor]) -> None:
        self.log.append((self.name, "after_loop", tuple(state.latents.shape)))


class Residuals(DenoiseExtension[torch.Tensor]):
    """Adds residuals as a ControlNet does."""

    def __init__(self, strength: float) -> None:
        self.strength = strength

    def before_unet(self, state: DenoiseState[torch.Tensor], inputs: UNetInputs[torch.Tensor]) -> None:
        batch, _, height, width = inputs.sample.shape
        inputs.mid_block_additional_residual = torch.full(
            (batch, 160, height // 4, width // 4), self.strength, dtype=inputs.sample.dtype
        )
        shapes = [(64, 1), (64, 1), (64, 2), (128, 2), (128, 4), (160, 4)]
        inputs.down_block_additional_residuals = [
            torch.full((batch, channels, height // scale, width // scale), self.strength) for channels, scale in shapes
        ]


def control(record: ModelRecord) -> ControlField:
    return ControlField(image=ImageField(image_name="x.png"), control_model=record.identifier())


class TestExtensions:
    def test_they_are_called_at_their_places_in_their_order(
        self, context: FakeContext, denoise: Denoise, parts: ModelLoaderOutput, starter_record: ModelRecord
    ) -> None:
        log: list[tuple[object, ...]] = []
        context.extensions.add(
            DenoiseExtensionFactory(field_type=ControlField, create=lambda *_: Recorder("late", 10, log))
        )
        context.extensions.add(
            DenoiseExtensionFactory(field_type=LoRAField, create=lambda *_: Recorder("early", -10, log))
        )
        unet = parts.unet.model_copy(update={"loras": [LoRAField(lora=starter_record.identifier(), weight=1)]})
        denoise(control=control(starter_record), unet=unet, steps=2, cfg_scale=[4, 1])
        for name in ("early", "late"):
            assert [entry[1:] for entry in log if entry[0] == name] == [
                ("patch",),
                ("before_loop", 2, 2),
                ("before_step", 0, 0.0),
                ("before_unet", (2, 4, 8, 8), 2, True),
                ("after_unet", (1, 4, 8, 8)),
                ("after_step",),
                ("before_step", 1, 0.5),
                ("before_unet", (1, 4, 8, 8), 1, False),
                ("after_unet", (1, 4, 8, 8)),
                ("after_step",),
                ("after_loop", (1, 4, 8, 8)),
                ("unpatch",),
            ]
        assert [entry[0] for entry in log[:4]] == ["early", "late", "early", "late"]
        assert [entry[0] for entry in log[-2:]] == ["late", "early"]

    def test_residuals_reach_the_network(
        self, context: FakeContext, denoise: Denoise, starter_record: ModelRecord
    ) -> None:
        plain = denoise()
        for strength, same in ((0.0, True), (0.5, False)):
            context.extensions.add(
                DenoiseExtensionFactory(field_type=ControlField, create=lambda *_, s=strength: Residuals(s))
            )
            assert torch.allclose(denoise(control=[control(starter_record)]), plain, atol=1e-5) is same

    def test_residuals_inside_blocks_may_be_kept_from_step_to_step(
        self, context: FakeContext, denoise: Denoise, starter_record: ModelRecord
    ) -> None:
        class Adapter(DenoiseExtension[torch.Tensor]):
            def __init__(self) -> None:
                # one for each down block, at the size at which the block takes it
                self.residuals = [torch.ones(1, 64, 4, 4), torch.ones(1, 128, 4, 4), torch.ones(1, 160, 2, 2)]

            def before_unet(self, state: DenoiseState[torch.Tensor], inputs: UNetInputs[torch.Tensor]) -> None:
                inputs.down_intrablock_additional_residuals = self.residuals

        adapter = Adapter()
        context.extensions.add(DenoiseExtensionFactory(field_type=ControlField, create=lambda *_: adapter))
        assert not torch.allclose(denoise(control=control(starter_record)), denoise(), atol=1e-3)
        assert len(adapter.residuals) == 3

    def test_what_they_replace_is_used(
        self, context: FakeContext, denoise: Denoise, starter_record: ModelRecord
    ) -> None:
        class Zero(DenoiseExtension[torch.Tensor]):
            def after_loop(self, state: DenoiseState[torch.Tensor]) -> None:
                state.latents = torch.zeros_like(state.latents)

        context.extensions.add(DenoiseExtensionFactory(field_type=ControlField, create=lambda *_: Zero()))
        assert denoise(control=control(starter_record)).abs().max() == 0

    def test_patches_are_taken_out_when_the_run_is_stopped(
        self, context: FakeContext, denoise: Denoise, starter_record: ModelRecord
    ) -> None:
        taken_out: list[bool] = []

        class Patch(DenoiseExtension[torch.Tensor]):
            @contextmanager
            def patch(self, model: object) -> Iterator[None]:
                try:
                    yield
                finally:
                    taken_out.append(True)

        context.extensions.add(DenoiseExtensionFactory(field_type=ControlField, create=lambda *_: Patch()))
        context.cancel_after(1)
        with pytest.raises(CanceledError):
            denoise(control=control(starter_record))
        assert taken_out == [True]

    def test_data_that_no_plugin_knows_is_refused(self, denoise: Denoise, starter_record: ModelRecord) -> None:
        with pytest.raises(ExtensionError, match="ControlField"):
            denoise(control=control(starter_record))

    def test_freeu_holds_for_its_run_only(self, denoise: Denoise, parts: ModelLoaderOutput) -> None:
        plain = denoise()
        weighed = denoise(unet=parts.unet.model_copy(update={"freeu_config": FreeUConfig()}))
        assert not torch.allclose(plain, weighed, atol=1e-3)
        assert torch.equal(denoise(), plain)


def test_half_precision_stays_half_and_close(context: FakeContext, starter_parts: Mapping[str, object]) -> None:
    """On the CPU, where float16 is slow but the same."""
    unet = copy.deepcopy(starter_parts["unet"])
    prompt = EncodedPrompt(embeddings=seeded_noise((1, 32, 128), 1), empty=torch.zeros(1, 32, 128), token_count=3)
    made = {}
    for dtype in (torch.float32, torch.float16):
        network = unet.to(dtype)
        # the sigmas of these are float32, so a step could hand float32 to a network of halves
        scheduler = make_scheduler("heun", starter_parts["scheduler"])
        schedule = make_schedule(scheduler, 4, start=0, end=1, device="cpu")
        job = DenoiseJob(
            unet=network,
            scheduler=scheduler,
            schedule=schedule,
            prompt=GuidedPrompt.of(prompt, prompt, batch=1, device=network.device, dtype=dtype),
            cfg_scale=[2.0] * 4,
            cfg_rescale=0,
            latents=None,
            noise=seeded_noise((1, 4, 8, 8), 2, dtype=dtype),
            generator=seeded_generator(3),
        )
        made[dtype] = denoise_loop(job, before_call=lambda: None, after_step=lambda _: None)
    assert made[torch.float16].dtype == torch.float16
    assert torch.allclose(made[torch.float16].float(), made[torch.float32], atol=0.05)


class TestRefusals:
    def test_neither_noise_nor_latents(self, denoise: Denoise) -> None:
        with pytest.raises(InvalidInputError, match="neither noise nor latents"):
            denoise(noise=None)

    def test_noise_of_another_size_than_the_latents(self, context: FakeContext, denoise: Denoise) -> None:
        latents = save_latents(context, torch.zeros(1, 4, 16, 8)).latents
        with pytest.raises(InvalidInputError, match=r"the latents have the shape \(1, 4, 16, 8\)"):
            denoise(latents=latents)

    def test_latents_of_other_channels_than_the_network_takes(self, context: FakeContext, denoise: Denoise) -> None:
        with pytest.raises(InvalidInputError, match="the latents have 16 channels"):
            denoise(noise=save_latents(context, torch.zeros(1, 16, 8, 8)).latents)

    def test_a_list_of_guidance_that_does_not_fit_the_steps(self, denoise: Denoise) -> None:
        with pytest.raises(InvalidInputError, match="3 values for 4 steps"):
            denoise(cfg_scale=[1, 2, 3])

    def test_guidance_that_is_no_number(self, denoise: Denoise) -> None:
        with pytest.raises(InvalidInputError, match="give a finite number"):
            denoise(cfg_scale=float("nan"))

    def test_a_prompt_for_a_region(self, denoise: Denoise, encode: Callable[[str], ConditioningField]) -> None:
        masked = encode("a star").model_copy(update={"mask": TensorField(tensor_name="m")})
        with pytest.raises(InvalidInputError, match="regions are not supported") as caught:
            denoise(positive_conditioning=[masked])
        assert caught.value.field == "positive_conditioning"

    def test_a_prompt_of_another_text_encoder(self, context: FakeContext, denoise: Denoise) -> None:
        prompt = EncodedPrompt(embeddings=torch.zeros(1, 77, 768), empty=torch.zeros(1, 77, 768), token_count=0)
        with pytest.raises(InvalidInputError, match="this UNet takes prompts 128 wide"):
            denoise(negative_conditioning=save_prompt(context, prompt, text=""))

    def test_conditioning_of_another_kind(self, context: FakeContext, denoise: Denoise) -> None:
        other = save_conditioning(context, {"t5": torch.zeros(1)}, {"kind": "flux.prompt"})
        with pytest.raises(InvalidInputError, match=r"flux\.prompt"):
            denoise(positive_conditioning=other)

    def test_an_empty_list_of_prompts(self, denoise: Denoise) -> None:
        with pytest.raises(InvalidInputError, match="there is no prompt"):
            denoise(negative_conditioning=[])

    def test_seamless_axes(self, denoise: Denoise, parts: ModelLoaderOutput) -> None:
        with pytest.raises(InvalidInputError, match="seamless"):
            denoise(unet=parts.unet.model_copy(update={"seamless_axes": ["x"]}))
