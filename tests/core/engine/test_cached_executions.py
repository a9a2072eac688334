"""When an execution is found in the cache and when it runs: the rules of the cache, node by node."""

import math
from collections.abc import Sequence
from typing import Any

import pytest

from impasto.cache import InvocationCache
from impasto.engine.invoker import NodeInvoker, OutputTypeError
from impasto.engine.references import References
from impasto.graph import Graph
from impasto.host import Catalogue
from impasto.host.contributions import Registered
from impasto.host.plugin import PluginInfo, PluginState
from impasto.scheduler import GraphExecutionState
from impasto_sdk.context import InvocationContext
from impasto_sdk.fields import (
    BaseInvocationOutput,
    FloatOutput,
    ImageField,
    ImageOutput,
    InputField,
    LatentsField,
    OutputField,
    invocation_output,
)
from impasto_sdk.node import BaseInvocation, invocation
from impasto_sdk.testing import FakeContext

#: What ran, since the test began.
RAN: list[str] = []


@invocation("scale", version="1.0.0")
class Scale(BaseInvocation):
    """A number of some weights."""

    factor: float | None = InputField(1.0)
    weights: dict[str, float] = InputField(default_factory=dict)

    def invoke(self, context: InvocationContext) -> FloatOutput:
        RAN.append("scale")
        return FloatOutput(value=self.factor or 0.0)


@invocation("scale_twice", version="1.0.0")
class ScaleTwice(Scale):
    """Another type with the same inputs."""


@invocation_output("picture_and_latents")
class PictureAndLatents(BaseInvocationOutput):
    """Things of both kinds that are stored."""

    image: ImageField = OutputField()
    masks: list[ImageField] = OutputField()
    latents: LatentsField = OutputField()


@invocation("store_things", version="1.0.0")
class StoreThings(BaseInvocation):
    """Names three stored things."""

    def invoke(self, context: InvocationContext) -> PictureAndLatents:
        RAN.append("store_things")
        return PictureAndLatents(
            image=ImageField(image_name="a.png"),
            masks=[ImageField(image_name="b.png"), ImageField(image_name="a.png")],
            latents=LatentsField(latents_name="s/l.safetensors"),
        )


@invocation("paint_dot", version="1.0.0")
class PaintDot(BaseInvocation):
    """Names a picture."""

    def invoke(self, context: InvocationContext) -> ImageOutput:
        RAN.append("paint_dot")
        return ImageOutput(image=ImageField(image_name="dot.png"), width=1, height=1)


@invocation("throw_dice", version="1.0.0", use_cache=False)
class ThrowDice(BaseInvocation):
    """A number that may differ from call to call."""

    def invoke(self, context: InvocationContext) -> FloatOutput:
        return FloatOutput(value=4.0)


@invocation("paint_anew", version="1.0.0")
class PaintAnew(BaseInvocation):
    """Names a picture, and another one whenever it is found in the cache."""

    copy_name: str = InputField("copy.png")

    def invoke(self, context: InvocationContext) -> ImageOutput:
        RAN.append("paint_anew")
        return ImageOutput(image=ImageField(image_name="original.png"), width=1, height=1)

    def reuse(self, output: Any, context: InvocationContext) -> BaseInvocationOutput:
        assert output.image.image_name == "original.png"
        if not self.copy_name:
            return FloatOutput(value=1.0)
        return ImageOutput(image=ImageField(image_name=self.copy_name), width=1, height=1)


TOYS: Sequence[type[BaseInvocation]] = (Scale, ScaleTwice, StoreThings, PaintDot, ThrowDice, PaintAnew)


class Room:
    """An invoker with a cache of its own, or a given one, and a library that lacks nothing but what is `missing`."""

    def __init__(self, cache: InvocationCache | None = None, plugin_version: str = "1.0.0") -> None:
        self.cache = cache or InvocationCache(10**6)
        #: What was asked of the library, question by question.
        self.asked: list[References] = []
        self.missing: set[str] = set()
        #: What the last node gave.
        self.output: BaseInvocationOutput | None = None
        plugin = PluginInfo(name="toys", version=plugin_version, entry_point="toys", state=PluginState.ACTIVE)
        self.catalogue = Catalogue([Registered(toy, plugin) for toy in TOYS])
        self.invoker = NodeInvoker(self.catalogue, self.cache, self._all_exist)
        RAN.clear()

    def run(self, type: str, id: str = "n", **node: Any) -> bool:
        """Run one node; whether its output came from the cache."""
        state = GraphExecutionState(
            Graph.from_document({"nodes": {id: {"type": type, **node}}}), self.catalogue, session_id="s"
        )
        ready = state.next()
        assert ready is not None
        execution = self.invoker.prepare(ready, state.inputs(ready))
        finished = self.invoker.execute(execution, FakeContext())
        self.invoker.remember(execution, finished)
        self.output = finished.output
        return finished.cached

    def _all_exist(self, references: References) -> bool:
        self.asked.append(references)
        return self.missing.isdisjoint(references.images + references.files)


def test_the_same_node_is_found_under_whatever_id() -> None:
    room = Room()
    assert [room.run("scale", id="a", factor=2), room.run("scale", id="b", factor=2)] == [False, True]
    assert RAN == ["scale"]


@pytest.mark.parametrize(
    "other",
    [
        {"type": "scale_twice"},
        {"factor": 2.5},
        {"factor": None},
        {"weights": {"a": 1.0}},
        {"is_intermediate": True},
    ],
)
def test_another_type_another_input_and_another_place_in_the_gallery_miss(other: dict[str, Any]) -> None:
    room = Room()
    room.run("scale", factor=2)
    assert not room.run(**{"type": "scale", "factor": 2, **other})


def test_a_default_and_the_same_value_written_out_are_one() -> None:
    room = Room()
    room.run("scale")
    assert room.run("scale", factor=1, weights={})


def test_an_updated_plugin_misses() -> None:
    old = Room()
    old.run("scale")
    new = Room(old.cache, plugin_version="1.0.1")
    assert not new.run("scale")
    assert new.run("scale")


def test_the_order_of_keys_makes_no_difference() -> None:
    room = Room()
    room.run("scale", weights={"a": 1, "b": 2})
    assert room.run("scale", weights={"b": 2, "a": 1})


NOT_FINITE: Sequence[float] = (math.nan, math.inf, -math.inf)


@pytest.mark.parametrize("value", NOT_FINITE)
def test_a_number_that_is_not_finite_is_found_again_and_stays_what_it_is(value: float) -> None:
    room = Room()
    room.run("scale", factor=value)
    assert room.run("scale", factor=value)
    assert isinstance(room.output, FloatOutput)
    assert repr(room.output.value) == repr(value)


@pytest.mark.parametrize("value", NOT_FINITE)
def test_a_number_that_is_not_finite_is_no_other(value: float) -> None:
    room = Room()
    for other in (*(number for number in NOT_FINITE if number is not value), None, 0.0, 1e308):
        room.run("scale", factor=other)
    assert not room.run("scale", factor=value)


def test_a_node_that_is_kept_from_the_cache_is_neither_found_nor_remembered() -> None:
    room = Room()
    room.run("scale", use_cache=False)
    assert not room.run("scale")
    assert not room.run("scale", use_cache=False)
    assert room.cache.stats().misses == 1


def test_a_type_that_is_kept_from_the_cache_may_be_let_in_node_by_node() -> None:
    room = Room()
    assert [room.run("throw_dice") for _ in range(2)] == [False, False]
    assert room.cache.stats().misses == 0
    assert [room.run("throw_dice", use_cache=True) for _ in range(2)] == [False, True]


def test_a_hit_asks_once_for_all_that_it_refers_to() -> None:
    room = Room()
    room.run("store_things")
    assert room.run("store_things")
    ((images, files),) = [(sorted(asked.images), sorted(asked.files)) for asked in room.asked]
    assert (images, files) == (["a.png", "b.png"], ["s/l.safetensors"])


def test_a_hit_that_refers_to_nothing_and_a_miss_ask_nothing() -> None:
    room = Room()
    assert [room.run("scale"), room.run("scale"), room.run("paint_dot")] == [False, True, False]
    assert room.asked == []


@pytest.mark.parametrize("gone", ["a.png", "b.png", "s/l.safetensors"])
def test_an_output_of_which_anything_is_gone_is_made_again(gone: str) -> None:
    room = Room()
    room.run("store_things")
    room.missing.add(gone)
    assert not room.run("store_things")
    assert RAN == ["store_things", "store_things"]
    room.missing.clear()
    assert room.run("store_things")


def test_a_node_may_make_something_new_of_what_is_found() -> None:
    room = Room()
    assert [room.run("paint_anew"), room.run("paint_anew"), room.run("paint_anew")] == [False, True, True]
    assert RAN == ["paint_anew"]
    assert room.output == ImageOutput(image=ImageField(image_name="copy.png"), width=1, height=1)


def test_what_a_node_makes_of_it_is_held_to_what_it_declares() -> None:
    room = Room()
    room.run("paint_anew", copy_name="")
    with pytest.raises(OutputTypeError, match="'paint_anew' declares that it gives ImageOutput, and gave FloatOutput"):
        room.run("paint_anew", copy_name="")
