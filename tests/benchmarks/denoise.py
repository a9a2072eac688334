"""Our denoise loop beside diffusers' own pipeline: the starter model, the same steps, size and prompt, one thread.

Ours is the node as it runs in a session: latents from bytes and back, previews, progress, the question whether it was
cancelled. Processor time, in turns, so that whatever else the machine does meets both.
"""

import importlib.resources
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[1]))

from impasto_sd.identify import identify
from impasto_sd.loaders.folder import DiffusersFolderLoader
from impasto_sd.nodes import CompelPrompt, DenoiseLatents, MainModelLoader, Noise
from impasto_sd.quiet import quiet_libraries
from impasto_sd.schedulers import make_scheduler
from impasto_sdk.models import LoadRequest, ModelRecord, Precision
from impasto_sdk.testing import FakeContext, run_node
from impasto_sdk.torch import load_conditioning, load_tensor

from benchmarks.harness import Row, main_of  # isort: skip

STEPS, CFG_SCALE, SIDE, TURNS = 25, 5.0, 128, 15
PARTS = ("unet", "vae", "text_encoder", "tokenizer", "scheduler")


def make_context() -> tuple[FakeContext, ModelRecord, dict[str, object]]:
    """A context that holds the starter model, loaded by our loader."""
    folder = Path(str(importlib.resources.files("impasto_starter") / "model"))
    found = identify(folder)
    assert found is not None
    record = ModelRecord(
        key="starter",
        hash="0",
        path=str(folder),
        name="Starter",
        base=found.base,
        type=found.type,
        format=found.format,
        facts=dict(found.facts),
    )
    loader = DiffusersFolderLoader()
    parts = {
        part: loader.load(
            LoadRequest(record=record, submodel=part, path=folder, device="cpu", precision=Precision.FLOAT32)
        ).model
        for part in PARTS
    }
    context = FakeContext()
    context.models.add(record, parts=parts)
    return context, record, parts


def contestants() -> tuple[Callable[[], torch.Tensor], Callable[[], torch.Tensor]]:
    """Our node and the pipeline, each ready to run with its prompts encoded."""
    context, record, parts = make_context()
    model = run_node(MainModelLoader(model=record.identifier()), context)
    positive, negative = (
        run_node(CompelPrompt(prompt=prompt, clip=model.clip), context).conditioning
        for prompt in ("a red star on a blue background", "")
    )
    noise = run_node(Noise(seed=1, width=SIDE, height=SIDE), context).noise
    node = DenoiseLatents(
        positive_conditioning=positive,
        negative_conditioning=negative,
        noise=noise,
        unet=model.unet,
        steps=STEPS,
        cfg_scale=CFG_SCALE,
        scheduler="ddim",
    )
    with quiet_libraries():
        from diffusers import StableDiffusionPipeline

        pipeline = StableDiffusionPipeline(
            **{part: parts[part] for part in PARTS if part != "scheduler"},
            scheduler=make_scheduler("ddim", parts["scheduler"]),
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
        )
        pipeline.set_progress_bar_config(disable=True)
    embeds, unwanted = (load_conditioning(context, field).tensors["embeddings"] for field in (positive, negative))
    latents = load_tensor(context, noise)

    def ours() -> torch.Tensor:
        return load_tensor(context, run_node(node, context).latents)

    def theirs() -> torch.Tensor:
        return pipeline(
            prompt_embeds=embeds,
            negative_prompt_embeds=unwanted,
            latents=latents.clone(),
            num_inference_steps=STEPS,
            guidance_scale=CFG_SCALE,
            output_type="latent",
        ).images

    return ours, theirs


def rows() -> list[Row]:
    """The ratio of the medians of both, in turns."""
    torch.set_num_threads(1)
    ours, theirs = contestants()
    assert torch.allclose(ours(), theirs(), atol=1e-4), "the two must do the same work"
    seconds: dict[Callable[[], torch.Tensor], list[float]] = {ours: [], theirs: []}
    for turn in range(TURNS):
        # who goes first changes, so that a warm cache helps both alike
        for run in (ours, theirs) if turn % 2 else (theirs, ours):
            begin = time.process_time()
            run()
            seconds[run].append(time.process_time() - begin)
    mine, other = (statistics.median(seconds[run]) for run in (ours, theirs))
    return [
        Row(
            "our denoise loop over diffusers' own pipeline, same model, steps, size",
            mine / other,
            "",
            budget=1.03,
            peer="diffusers 1.0",
        ),
        Row(f"denoise, {STEPS} steps at {SIDE} × {SIDE}, starter model, one thread", mine * 1000, "ms"),
    ]


if __name__ == "__main__":
    main_of(rows)
