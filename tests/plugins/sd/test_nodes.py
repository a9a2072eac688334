"""The nodes as the platform sees them: their schemas, their outputs, and what importing them costs."""

import json
import pkgutil
import subprocess
import sys
from collections.abc import Callable

import pytest
from pydantic import ValidationError

import impasto_sd
import impasto_sd.nodes
import impasto_sd.plugin
from impasto_sd.nodes import CLIPSkip, CompelPrompt, MainModelLoader, Noise, VAELoader
from impasto_sd.nodes.main_model_loader import ModelLoaderOutput
from impasto_sdk.errors import InvalidInputError, ModelNotFoundError
from impasto_sdk.extensions import DenoiseExtension, DenoiseExtensionFactory
from impasto_sdk.fields import ConditioningField, LoRAField, ModelIdentifierField, TensorField
from impasto_sdk.models import ModelRecord
from impasto_sdk.node import Lane
from impasto_sdk.testing import FakeContext, plugin_conformance, run_node
from impasto_sdk.torch import load_conditioning, load_tensor, seeded_noise

#: Modules that are imported inside `invoke` and inside loaders only.
HEAVY = {"autoencoder", "loaders.weights", "prompts.encoder", "prompts.stored"}


def test_the_plugin_keeps_the_rules() -> None:
    plugin_conformance(impasto_sd.plugin)


def test_all_modules_but_the_heavy_ones_are_imported_without_torch() -> None:
    names = [
        module.name
        for module in pkgutil.walk_packages(impasto_sd.__path__, "impasto_sd.")
        if module.name.removeprefix("impasto_sd.") not in HEAVY and not module.name.startswith("impasto_sd.sampling")
    ]
    assert len(names) > 12
    script = (
        f"import importlib, json, sys; [importlib.import_module(name) for name in {names!r}];"
        "print(json.dumps([name for name in ('torch', 'diffusers', 'transformers', 'numpy') if name in sys.modules]))"
    )
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert json.loads(answer.stdout) == []


def test_what_needs_the_device_runs_in_its_lane() -> None:
    lanes = {node.spec.type: node.spec.lane for node in impasto_sd.plugin.register_invocations()}
    assert {name for name, lane in lanes.items() if lane is Lane.DEVICE} == {
        "compel", "create_denoise_mask", "denoise_latents", "i2l", "l2i",
    }  # fmt: skip


class TestMainModelLoader:
    def test_it_refers_to_the_parts_and_loads_none(self, context: FakeContext, parts: ModelLoaderOutput) -> None:
        assert parts.unet.unet.submodel_type == "unet"
        assert parts.unet.scheduler.submodel_type == "scheduler"
        assert parts.clip.tokenizer.submodel_type == "tokenizer"
        assert parts.clip.text_encoder.submodel_type == "text_encoder"
        assert parts.vae.vae.submodel_type == "vae"
        assert context.models.loaded == []

    def test_a_model_that_is_not_there_is_named(self, context: FakeContext) -> None:
        with pytest.raises(ModelNotFoundError, match="gone"):
            run_node(MainModelLoader(model=ModelIdentifierField(key="gone")), context)

    def test_a_vae_is_no_main_model(self, context: FakeContext, starter_record: ModelRecord) -> None:
        vae = starter_record.model_copy(update={"key": "vae", "type": "vae", "name": "My VAE"})
        with pytest.raises(InvalidInputError, match="it is a vae model"):
            run_node(MainModelLoader(model=context.models.add(vae)), context)


def test_the_vae_loader_takes_vaes_only(context: FakeContext, starter_record: ModelRecord) -> None:
    vae = context.models.add(starter_record.model_copy(update={"key": "vae", "type": "vae"}))
    assert run_node(VAELoader(vae_model=vae), context).vae.vae.key == "vae"
    with pytest.raises(InvalidInputError, match="it is a main model"):
        run_node(VAELoader(vae_model=starter_record.identifier()), context)


def test_clip_skip_adds_up(context: FakeContext, parts: ModelLoaderOutput) -> None:
    once = run_node(CLIPSkip(clip=parts.clip, skipped_layers=1), context).clip
    assert run_node(CLIPSkip(clip=once, skipped_layers=1), context).clip.skipped_layers == 2
    assert parts.clip.skipped_layers == 0


class TestCompel:
    def test_it_stores_the_prompt_with_its_text(
        self, context: FakeContext, encode: Callable[[str], ConditioningField]
    ) -> None:
        stored = load_conditioning(context, encode("a red++ star"))
        assert stored.metadata == {"kind": "sd.prompt", "text": "a red++ star", "token_count": "3"}
        assert stored.tensors["embeddings"].shape == (1, 32, 128)

    def test_skipped_layers_change_it(self, context: FakeContext, parts: ModelLoaderOutput) -> None:
        found = [
            run_node(CompelPrompt(prompt="a star", clip=parts.clip.model_copy(update={"skipped_layers": n})), context)
            for n in (0, 1)
        ]
        one, other = (load_conditioning(context, output.conditioning).tensors["embeddings"] for output in found)
        assert not one.equal(other)

    def test_its_mask_goes_along(self, context: FakeContext, parts: ModelLoaderOutput) -> None:
        mask = TensorField(tensor_name="mask")
        output = run_node(CompelPrompt(prompt="a star", clip=parts.clip, mask=mask), context)
        assert output.conditioning.mask == mask

    def test_loras_are_patched_into_the_text_encoder(
        self, context: FakeContext, parts: ModelLoaderOutput, starter_record: ModelRecord
    ) -> None:
        patched: list[str] = []

        class Patch(DenoiseExtension[object]):
            def patch(self, model: object):
                patched.append(type(model).__name__)
                return super().patch(model)

        context.extensions.add(DenoiseExtensionFactory(field_type=LoRAField, create=lambda *_: Patch()))
        loras = [LoRAField(lora=starter_record.identifier(), weight=1)]
        run_node(CompelPrompt(prompt="x", clip=parts.clip.model_copy(update={"loras": loras})), context)
        assert patched == ["CLIPTextModel"]


class TestNoise:
    def test_it_is_the_seeds_noise(self, context: FakeContext) -> None:
        output = run_node(Noise(seed=9, width=136, height=64), context)
        assert (output.width, output.height, output.noise.seed) == (136, 64, 9)
        assert load_tensor(context, output.noise).equal(seeded_noise((1, 4, 8, 17), 9))

    def test_seeds_go_to_sixty_four_bits(self, context: FakeContext) -> None:
        last = run_node(Noise(seed=2**64 - 1, width=64, height=64), context)
        assert last.noise.seed == 2**64 - 1
        with pytest.raises(ValidationError):
            Noise(seed=2**64)

    def test_sides_are_multiples_of_eight(self) -> None:
        with pytest.raises(ValidationError, match="multiple of 8"):
            Noise(width=100)
