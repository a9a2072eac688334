"""The node of a provider: what it asks for, what it keeps, what it refuses, and how it is declared."""

import base64
import io
import threading
from collections.abc import Iterator, Sequence
from datetime import date
from types import ModuleType
from typing import Any, Literal

import pytest
import support.easel
from PIL import Image
from pydantic import BaseModel, field_validator
from support.easel import Easel, EaselImageGeneration
from support.stand_in import Reply, StandIn

from impasto_sdk.errors import (
    CanceledError,
    DeclarationError,
    InvalidInputError,
    NodeDeclarationError,
    ProviderCapabilityError,
    ProviderNotConfiguredError,
    ProviderRequestError,
    SecretNotFoundError,
)
from impasto_sdk.fields import BoardField, ImageCollectionOutput, InputField, MetadataField, port_of
from impasto_sdk.hookspecs import hookimpl
from impasto_sdk.node import Lane
from impasto_sdk.providers import (
    ExternalGenerationRequest,
    ExternalGenerationResult,
    ExternalImage,
    ExternalImageGeneration,
    ExternalModel,
    ExternalModelCapabilities,
    ExternalProvider,
    PartialImage,
    external_invocation,
    external_record,
)
from impasto_sdk.testing import FakeContext, plugin_conformance, plugin_problems, run_node, stream_node


def png(colour: str = "red", mode: str = "RGB") -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, (64, 64), colour).save(buffer, "PNG")
    return buffer.getvalue()


def painted(data: bytes | None = None, **more: Any) -> Reply:
    return Reply.json({"picture": base64.b64encode(data or png()).decode(), "id": "r-1", "price": 0.02, **more})


@pytest.fixture
def service() -> Iterator[StandIn]:
    with StandIn() as stand_in:
        stand_in.answers(painted())
        yield stand_in


RECORD = external_record(Easel, Easel.models()[0])


def context_of(service: StandIn | None = None, **access: Any) -> FakeContext:
    context = FakeContext()
    context.models.add(RECORD)
    context.providers.add("easel", base_url=service.url if service else None, **access)
    return context


def easel(**inputs: Any) -> EaselImageGeneration:
    return EaselImageGeneration(**{"id": "n", "model": RECORD.identifier(), "prompt": "a boat", **inputs})


def test_pictures_are_kept_byte_for_byte_with_what_is_known_of_them(service: StandIn) -> None:
    data = png("navy", "RGBA")
    service.answers(painted(data))
    context = context_of(service)
    output = run_node(easel(seed=7, width=200, height=90, glaze="gloss"), context)
    (saved,) = context.images.saved
    assert output.collection == [saved.field]
    assert saved.data == data
    assert saved.record.metadata == {
        "generation_mode": "txt2img",
        "positive_prompt": "a boat",
        "external_provider": "easel",
        "external_model": "oils-1",
        "external_number": 0,
        "external_options": {"glaze": "gloss"},
        "external_size": {
            "requested": {"width": 200, "height": 90, "image_size": None},
            "sent": {"width": 96, "height": 48, "aspect_ratio": "2:1", "image_size": None},
            "changed": True,
        },
        "external_request": {"id": "r-1", "images": 1, "input_tokens": 0, "output_tokens": 0, "cost_usd": 0.02},
        "external_seed": 7,
    }


def test_own_metadata_and_board_go_with_the_pictures(service: StandIn) -> None:
    context = context_of(service)
    run_node(
        easel(metadata=MetadataField({"positive_prompt": "mine", "x": 1}), board=BoardField(board_id="b")), context
    )
    (saved,) = context.images.saved
    assert saved.record.board_id == "b"
    assert saved.record.metadata is not None
    assert (saved.record.metadata["positive_prompt"], saved.record.metadata["x"]) == ("mine", 1)


def test_more_pictures_than_one_request_gives_are_asked_for_side_by_side_with_seeds_that_follow(
    service: StandIn,
) -> None:
    context = context_of(service)
    output = run_node(easel(num_images=3, seed=2**31 - 2), context)
    assert len(output.collection) == 3
    assert sorted(request.json["seed"] for request in service.requests) == [0, 2**31 - 2, 2**31 - 1]
    facts = [saved.record.metadata or {} for saved in context.images.saved]
    seeds = {fact["external_number"]: fact["external_seed"] for fact in facts}
    assert seeds == {0: 2**31 - 2, 1: 2**31 - 1, 2: 0}
    assert context.progress.reports[-1].fraction == 1.0


def test_each_picture_is_given_as_soon_as_it_is_there(service: StandIn) -> None:
    service.answers(painted(), Reply(parts=[b"", b"never"], release=threading.Event()))
    context = context_of(service, places=1)
    stream = stream_node(easel(num_images=2), context)
    assert next(stream) == context.images.saved[0].field
    stream.close()


def test_an_execution_that_goes_on_pays_for_nothing_twice(service: StandIn) -> None:
    context = context_of(service)
    before = [context.images.add(Image.new("RGB", (8, 8))), context.images.add(Image.new("RGB", (8, 8)))]
    context.earlier_items = before
    output = run_node(easel(num_images=3, seed=5), context)
    assert output.collection[:2] == before
    assert [request.json["seed"] for request in service.requests] == [7]


def test_it_asks_for_those_that_are_missing_whichever_came_first(service: StandIn) -> None:
    context = context_of(service)
    red = Image.new("RGB", (8, 8), "red")
    context.earlier_items = [context.images.add(red, metadata={"external_number": number}) for number in (1, 3)]
    run_node(easel(num_images=5, seed=100), context)
    assert sorted(request.json["seed"] for request in service.requests) == [100, 102, 104]


def test_one_that_had_everything_asks_for_nothing(service: StandIn) -> None:
    context = context_of(service)
    context.earlier_items = [context.images.add(Image.new("RGB", (8, 8)))]
    assert run_node(easel(), context).collection == list(context.earlier_items)
    assert service.requests == []


def test_a_picture_from_the_cache_is_a_new_one_in_the_gallery_and_costs_nothing(service: StandIn) -> None:
    context = context_of(service)
    first = run_node(easel(), context)
    again = easel(metadata=MetadataField({"mine": True})).reuse(first, context)
    assert isinstance(again, ImageCollectionOutput)
    original, copy = context.images.saved
    assert again.collection == [copy.field] != first.collection
    assert copy.data == original.data
    assert copy.record.metadata is not None
    assert original.record.metadata is not None
    assert copy.record.metadata["external_copy_of"] == original.record.image_name
    assert copy.record.metadata["external_request"] == original.record.metadata["external_request"]
    assert copy.record.metadata["mine"] is True
    assert len(service.requests) == 1


def test_a_seed_that_the_model_takes_not_is_said_and_not_sent(service: StandIn) -> None:
    context = FakeContext()
    context.models.add(external_record(Blind, Blind.models()[0]))
    context.providers.add("blind")
    run_node(BlindGeneration(model=external_record(Blind, Blind.models()[0]).identifier(), prompt="p", seed=3), context)
    (saved,) = context.images.saved
    assert saved.record.metadata is not None
    assert saved.record.metadata["external_notice"] == "seed = 3 was not sent: the model takes none"
    assert "external_seed" not in saved.record.metadata


def test_what_the_model_cannot_do_is_refused_before_anything_is_sent(service: StandIn) -> None:
    context = context_of(service)
    picture = context.images.add(Image.new("RGB", (8, 8)))
    with pytest.raises(ProviderCapabilityError, match=r"Oils: mode = 'inpaint'.*mask_image.*reference_images holds 1"):
        run_node(easel(mode="inpaint", init_image=picture, reference_images=[picture]), context)
    assert service.requests == []


def test_a_model_of_another_provider_is_refused(service: StandIn) -> None:
    context = context_of(service)
    other = external_record(Blind, Blind.models()[0])
    context.models.add(other)
    with pytest.raises(ProviderCapabilityError, match="'external://blind/dark' is none of its models"):
        run_node(easel(model=other.identifier()), context)


def test_without_a_key_nothing_is_sent_and_it_says_how_to_set_one(service: StandIn) -> None:
    with pytest.raises(ProviderNotConfiguredError, match=r"no API key is set for Easel; .*impasto providers set easel"):
        run_node(easel(), context_of(service, api_key=None))
    assert service.requests == []


def test_a_provider_of_another_plugin_is_out_of_reach() -> None:
    context = FakeContext()
    with pytest.raises(SecretNotFoundError, match="easel_api_key"):
        run_node(easel(), context)


def test_what_is_no_picture_is_not_stored(service: StandIn) -> None:
    service.answers(painted(b"GIF89a not really"))
    with pytest.raises(ProviderRequestError, match="something that is no picture"):
        run_node(easel(), context_of(service))


def test_a_cancel_in_the_middle_of_an_answer_ends_the_node(service: StandIn) -> None:
    release = threading.Event()
    service.answers(Reply(parts=[b"{", b"}"], release=release))
    context = context_of(service)
    threading.Thread(target=lambda: (service.asked.acquire(), context.cancel())).start()
    with pytest.raises(CanceledError):
        run_node(easel(), context)
    release.set()


class BlindOptions(BaseModel):
    """Two options, of which the models take one each."""

    shade: Literal["dim", "dark"] = InputField("dim", description="How dark")
    depth: int | None = InputField(None, description="How deep")

    @field_validator("depth")
    @classmethod
    def _check(cls, depth: int | None) -> int | None:
        if depth == 13:
            raise ValueError("13 brings bad luck; take 12")
        return depth


class Blind(ExternalProvider):
    """Takes nothing but words, and sees no network."""

    provider_id, title, default_base_url = "blind", "Blind", "http://nowhere.invalid"
    options = BlindOptions

    @classmethod
    def models(cls) -> Sequence[ExternalModel]:
        able = ExternalModelCapabilities(modes=frozenset({"txt2img"}), max_images_per_request=2)
        return [
            ExternalModel(id="dark", name="Dark", description="Dark.", capabilities=able, options=("shade",)),
            ExternalModel(id="deep", name="Deep", description="Deep.", capabilities=able),
        ]

    async def generate(self, request: ExternalGenerationRequest, partial: PartialImage) -> ExternalGenerationResult:
        assert self.api_key
        partial(b"no picture", -1.0)
        partial(png("blue"), 0.5)
        partial(png("green")[:60], 2.0)
        images = [ExternalImage(data=png(), revised_prompt=f"better {n}") for n in range(request.num_images)]
        return ExternalGenerationResult(images=images, metadata={"options": dict(request.provider_options)})


@external_invocation("blind_image_generation", provider=Blind)
class BlindGeneration(BlindOptions, ExternalImageGeneration):
    """Make dark pictures."""


def blind(model: int, **inputs: Any) -> tuple[BlindGeneration, FakeContext]:
    context = FakeContext()
    record = external_record(Blind, Blind.models()[model])
    context.models.add(record)
    context.providers.add("blind")
    return BlindGeneration(model=record.identifier(), prompt="p", **inputs), context


def test_a_picture_that_is_none_costs_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([[b"GIF89a", png("red")], [png("blue")]])

    async def generate(self: Blind, request: ExternalGenerationRequest, partial: PartialImage) -> Any:
        return ExternalGenerationResult(images=[ExternalImage(data=data) for data in next(answers)])

    monkeypatch.setattr(Blind, "generate", generate)
    node, context = blind(0, num_images=3)
    with pytest.raises(ProviderRequestError, match="something that is no picture"):
        run_node(node, context)
    assert png("red") in [saved.data for saved in context.images.saved]


@pytest.mark.parametrize("count", [0, 3])
def test_an_answer_without_a_picture_is_a_failure_and_one_with_more_is_none(
    monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    async def generate(self: Blind, request: ExternalGenerationRequest, partial: PartialImage) -> Any:
        return ExternalGenerationResult(images=[ExternalImage(data=png())] * count, cost_usd=0.5)

    monkeypatch.setattr(Blind, "generate", generate)
    node, context = blind(0)
    if count:
        assert len(run_node(node, context).collection) == count
    else:
        with pytest.raises(ProviderRequestError, match="answered without a picture"):
            run_node(node, context)
    (used,) = context.providers("blind").used
    assert (used.images, used.cost_usd) == (count, 0.5), "it was paid for"


def test_what_json_cannot_hold_is_kept_as_text(monkeypatch: pytest.MonkeyPatch) -> None:
    odd: dict[str, Any] = {"when": date(2026, 1, 2), "score": float("nan"), "said": "\ud83d", "raw": b"x"}

    async def generate(self: Blind, request: ExternalGenerationRequest, partial: PartialImage) -> Any:
        return ExternalGenerationResult(images=[ExternalImage(data=png())], metadata=odd)

    monkeypatch.setattr(Blind, "generate", generate)
    node, context = blind(0)
    run_node(node, context)
    assert context.images.saved[0].record.metadata is not None
    kept = context.images.saved[0].record.metadata["external_details"]
    assert kept == {"when": "2026-01-02", "score": "NaN", "said": "?", "raw": "b'x'"}


def test_a_seed_of_another_program_is_taken_and_sent_as_one_that_services_know(service: StandIn) -> None:
    run_node(easel(seed=2**32 - 1), context_of(service))
    assert service.requests[0].json["seed"] == 2**31 - 1


def test_options_that_the_model_takes_are_sent_and_others_left_out_or_refused() -> None:
    node, context = blind(0, shade="dark")
    run_node(node, context)
    assert context.images.saved[0].record.metadata is not None
    assert context.images.saved[0].record.metadata["external_options"] == {"shade": "dark"}
    node, context = blind(0, depth=4)
    with pytest.raises(ProviderCapabilityError, match="depth = 4: Dark cannot do this; it takes shade"):
        run_node(node, context)
    node, context = blind(1, depth=4)
    run_node(node, context)


def test_options_are_checked_by_the_provider_s_own_model() -> None:
    node, context = blind(1)
    node.depth = 13  # the node's own check is the same; this is one that it let through
    with pytest.raises(InvalidInputError, match=r"depth = 13: .*brings bad luck"):
        run_node(node, context)


def test_pictures_of_one_request_share_its_cost_and_keep_their_own_words() -> None:
    node, context = blind(0, num_images=3)
    run_node(node, context)
    facts = [saved.record.metadata or {} for saved in context.images.saved]
    assert [fact["external_request"]["images"] for fact in facts] == [2, 2, 1]
    assert [fact["external_revised_prompt"] for fact in facts] == ["better 0", "better 1", "better 0"]


def test_unfinished_pictures_are_shown_as_previews() -> None:
    node, context = blind(0)
    run_node(node, context)
    shown = [report for report in context.progress.reports if report.preview is not None]
    assert [report.fraction for report in shown] == [0.5]
    assert all(0 <= (report.fraction or 0) <= 1 for report in context.progress.reports)


def test_the_node_waits_on_its_own_lane_is_not_cached_and_lists_its_own_models() -> None:
    spec = EaselImageGeneration.spec
    assert spec.lane is Lane.IO
    assert not spec.use_cache
    assert spec.yields
    assert port_of(spec.inputs["model"].field).model_filter == {
        "base": ("external",),
        "type": ("external_image_generator",),
        "format": ("external_api",),
        "provider": ("easel",),
    }


def test_inputs_that_no_model_of_the_provider_can_use_are_hidden() -> None:
    hidden = {name for name, spec in EaselImageGeneration.spec.inputs.items() if port_of(spec.field).hidden}
    assert hidden == {"mode", "init_image", "mask_image", "reference_images", "image_size"}
    assert not any(port_of(info).hidden for info in ExternalImageGeneration.model_fields.values())


def test_a_node_without_its_provider_s_options_is_refused() -> None:
    class Bare(ExternalImageGeneration):
        """Without options."""

    with pytest.raises(NodeDeclarationError, match="Bare must have EaselOptions, the provider's options, as a base"):
        external_invocation("bare", provider=Easel)(Bare)


def test_the_stranger_s_plugin_conforms() -> None:
    plugin_conformance(support.easel)


@pytest.mark.parametrize(
    ("stated", "problem"),
    [
        ({"provider_id": "My-Service"}, "provider_id 'My-Service' must be lower-case letters"),
        ({"provider_id": "p", "title": "P"}, "default_base_url must be stated"),
        ({"provider_id": "p"}, "title and default_base_url must be stated"),
    ],
)
def test_a_provider_that_is_declared_wrongly_is_refused_when_it_is_imported(
    stated: dict[str, str], problem: str
) -> None:
    with pytest.raises(DeclarationError, match=problem):
        type("Wrong", (ExternalProvider,), stated)


def test_the_test_kit_finds_what_is_wrong_with_a_provider() -> None:
    able = ExternalModelCapabilities(modes=frozenset())
    twice = ExternalModel(id="m", name="M", description="", capabilities=able, options=("sheen",))
    wrong = type("Wrong", (Easel,), {"models": classmethod(lambda cls: [twice, twice])})
    plugin = ModuleType("wrong")
    plugin.register_external_providers = hookimpl(lambda: [wrong, 3])  # type: ignore[attr-defined]
    problems = "\n".join(plugin_problems(plugin))
    assert "Wrong offers two models 'm'" in problems
    assert "Wrong, m: sheen is no field of its options" in problems
    assert "Wrong, m: it has no mode" in problems
    assert "gave 3, which is no subclass of ExternalProvider" in problems
