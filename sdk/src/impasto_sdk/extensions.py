"""How plugins take part in a denoise loop that is not theirs.

What travels on the edge is data (a `ControlField`, a `LoRAField`, a class of your own). The plugin that owns the class
registers, with `register_denoise_extensions`, how it becomes a `DenoiseExtension`; the plugin that owns the loop asks
`context.extensions.denoise(values)` and calls what it gets at the points below. Neither knows the other.

The tensor type is a parameter, so that this module needs no torch: with torch, write
``class MyExtension(DenoiseExtension[torch.Tensor])``.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

__all__ = ["DenoiseExtension", "DenoiseExtensionFactory", "DenoiseState", "UNetInputs"]

TensorT = TypeVar("TensorT")


@dataclass(kw_only=True)
class DenoiseState(Generic[TensorT]):
    """What the loop is doing now. Extensions may replace `latents` and `noise_prediction`."""

    #: Number of this step, from 0.
    step: int
    #: How many steps there are.
    total_steps: int
    #: The scheduler's timestep (a scalar tensor).
    timestep: TensorT
    #: Latents, shape (batch, channels, height, width) in latent pixels.
    latents: TensorT
    #: What the network predicted for this step, after guidance; None before it ran.
    noise_prediction: TensorT | None = None
    #: The latents as they were given to the loop.
    initial_latents: TensorT
    #: The noise that was added at the start; None when there was none.
    noise: TensorT | None = None
    #: Steps per image the scheduler was asked for, and its timesteps.
    timesteps: TensorT

    @property
    def fraction(self) -> float:
        """How far the loop is at the start of this step, 0 to 1."""
        return self.step / self.total_steps


@dataclass(kw_only=True)
class UNetInputs(Generic[TensorT]):
    """The arguments of one call of the network. With guidance the batch holds the negative half first."""

    #: Scaled latents, shape (batch, channels, height, width).
    sample: TensorT
    timestep: TensorT
    #: Encoded prompt, shape (batch, tokens, width of the text encoder).
    encoder_hidden_states: TensorT
    #: Whether `sample` holds the negative half before the positive half.
    guided: bool
    #: Residuals for the down blocks, added up over extensions; None for none.
    down_block_additional_residuals: list[TensorT] | None = None
    #: Residual for the middle block.
    mid_block_additional_residual: TensorT | None = None
    #: Residuals of T2I-Adapters, added inside the down blocks.
    down_intrablock_additional_residuals: list[TensorT] | None = None
    #: Extra arguments for attention processors.
    cross_attention_kwargs: dict[str, Any] = field(default_factory=dict)
    #: Added conditioning, e.g. SDXL's text embeddings and time ids.
    added_cond_kwargs: dict[str, TensorT] = field(default_factory=dict)


class DenoiseExtension(Generic[TensorT]):
    """Base of extensions: override the points you need. All run on the worker's device thread, in order of `order`."""

    #: Lower runs earlier; patches first (-100), masks last (100).
    order: int = 0

    def patch(self, model: object) -> AbstractContextManager[None]:
        """Change the network (patch weights, set attention processors) while the block runs, and put it back."""
        return nullcontext()

    def before_loop(self, state: DenoiseState[TensorT]) -> None:
        """Once, before the first step."""

    def before_step(self, state: DenoiseState[TensorT]) -> None:
        """Before each step; may replace `state.latents`."""

    def before_unet(self, state: DenoiseState[TensorT], inputs: UNetInputs[TensorT]) -> None:
        """Before each call of the network; may change `inputs`."""

    def after_unet(self, state: DenoiseState[TensorT]) -> None:
        """After guidance; may replace `state.noise_prediction`."""

    def after_step(self, state: DenoiseState[TensorT]) -> None:
        """After the scheduler stepped; may replace `state.latents`."""

    def after_loop(self, state: DenoiseState[TensorT]) -> None:
        """Once, after the last step; may replace `state.latents`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DenoiseExtensionFactory:
    """How one class of data becomes an extension; registered with `register_denoise_extensions`."""

    #: The class of the value on the edge; exactly this class, not its subclasses.
    field_type: type[BaseModel]
    #: Called as ``create(value, context)`` with the running node's `InvocationContext`, before the loop begins.
    #: (Both are Any: the value's class is `field_type`, and the context's module stands on this one.)
    create: Callable[[Any, Any], DenoiseExtension[Any]]
    #: What the extension does, for `impasto plugins`.
    description: str = ""
    #: Facts about it, e.g. the bases it works with.
    facts: Mapping[str, object] = field(default_factory=dict)
