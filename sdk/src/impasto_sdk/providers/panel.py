"""`image_panel`: the panel of a provider, made of its models' capabilities and its options. Nothing in it is written by
hand, so a model or an option that a provider gains is in its panel, too.
"""

import types
from collections.abc import Iterator
from typing import Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from impasto_sdk.draft import GraphDraft
from impasto_sdk.errors import PanelDeclarationError, PanelProblem, PanelValuesError
from impasto_sdk.fields import port_of
from impasto_sdk.panels import (
    AnyField,
    Boolean,
    Choice,
    Image,
    Images,
    Integer,
    Mask,
    Model,
    Number,
    Option,
    Panel,
    PanelValues,
    Prompt,
    Section,
    Seed,
    Size,
    Text,
    fact,
    when,
)
from impasto_sdk.providers.model import EXTERNAL_BASE, EXTERNAL_TYPE
from impasto_sdk.providers.node import MAX_IMAGES, ExternalImageGeneration
from impasto_sdk.providers.provider import ExternalProvider
from impasto_sdk.providers.splitting import MAX_SEED

__all__ = ["image_panel"]

_ACCEPTED = ("image/png", "image/jpeg", "image/webp")
_DEFAULT_SIZE = {"width": 1024, "height": 1024}
#: Panels of services come after those of models on this machine.
_ORDER = 80


def image_panel(node: type[ExternalImageGeneration]) -> Panel:
    """The panel ``<provider>.image``, which builds a graph of one node of `node`'s type.

    Fields that the chosen model cannot use are hidden; options come from the provider's `options`.
    """
    provider = node.provider

    def build_graph(values: PanelValues) -> GraphDraft:
        _check_images(values)
        draft = GraphDraft()
        width, height = values.size("size")
        inputs: dict[str, object] = {
            "model": values.model("model"),
            "prompt": values.text("prompt"),
            "mode": values.text("mode") or "txt2img",
            "width": width,
            "height": height,
            "num_images": values.integer("count"),
            "init_image": values.image_or_none("init_image"),
            "mask_image": values.image_or_none("mask_image"),
            "reference_images": values.images("reference_images"),
        }
        given = {name: values[name] for name in provider.options.model_fields if values.get(name) is not None}
        made = draft.add(node.spec.type, id="generate", **inputs, **given)
        if values.get("seed") is not None:
            draft.set(made, seed=values.seed("seed"))
            draft.anchor("seed", made.input("seed"))
        return draft

    return Panel(
        id=f"{provider.provider_id}.image",
        title=provider.title,
        summary=f"Made by {provider.title}'s service; each picture may cost money",
        category="provider",
        order=_ORDER,
        makes="images",
        provider=provider.provider_id,
        sections=list(_sections(provider)),
        build_graph=build_graph,
    )


def _check_images(values: PanelValues) -> None:
    """What a form cannot say: an image that is needed only in some modes."""
    mode = values.get("mode")
    needed = {"init_image": mode in ("img2img", "inpaint"), "mask_image": mode == "inpaint"}
    problems = [
        PanelProblem(f"/{name}", f"it is empty, and the mode {mode!r} needs it; choose an image, or another mode")
        for name, is_needed in needed.items()
        if is_needed and not values.get(name)
    ]
    if problems:
        raise PanelValuesError(values.panel, problems)


def _sections(provider: type[ExternalProvider]) -> Iterator[Section]:
    longest = [model.capabilities.max_prompt_length for model in provider.models()]
    known = [length for length in longest if length is not None]
    limit = max(known) if known and len(known) == len(longest) else None
    yield Section(
        id="prompt",
        title="Prompt",
        fields=[
            Prompt(id="prompt", title="Prompt", required=True, rows=5, syntax="plain", max_length=limit),
            Model(
                id="model",
                title="Model",
                required=True,
                where={"type": EXTERNAL_TYPE, "base": EXTERNAL_BASE, "provider": provider.provider_id},
            ),
        ],
    )
    start = list(_start_fields(provider))
    if start:
        yield Section(id="start", title="Images to start from", fields=start)
    yield Section(id="image", title="Image", fields=list(_image_fields(provider)))
    options = [_option_field(name, info) for name, info in provider.options.model_fields.items()]
    if options:
        yield Section(id="options", title="Options", fields=options)


def _start_fields(provider: type[ExternalProvider]) -> Iterator[AnyField]:
    abilities = [model.capabilities for model in provider.models()]
    modes = {mode for able in abilities for mode in able.modes}
    if len(modes) > 1:
        yield Choice(
            id="mode",
            title="Start from",
            default="txt2img",
            options=fact("model", "mode_options", otherwise=["txt2img"]),
            widget="segmented",
        )
        yield Image(
            id="init_image",
            title="Image",
            accept=_ACCEPTED,
            fit="none",
            visible_when=when("mode").is_one_of("img2img", "inpaint"),
        )
    if "inpaint" in modes:
        yield Mask(
            id="mask_image",
            title="Mask",
            help="White is made anew, black stays.",
            of="init_image",
            visible_when=when("mode").is_("inpaint"),
        )
    if any(able.supports_reference_images for able in abilities):
        yield Images(
            id="reference_images",
            title="Reference images",
            default=[],
            accept=_ACCEPTED,
            max_items=fact("model", "max_reference_images", otherwise=0),
            visible_when=when("model").fact("supports").has("reference_images"),
        )


def _image_fields(provider: type[ExternalProvider]) -> Iterator[AnyField]:
    fixed = all(model.capabilities.presets for model in provider.models())
    yield Size(
        id="size",
        title="Size",
        default=fact("model", "defaults.size", otherwise=_DEFAULT_SIZE),
        presets=fact("model", "sizes", otherwise=[]),
        presets_only=fixed,
        min=64,
        max=16_384,
    )
    yield Integer(id="count", title="Images", default=1, min=1, max=MAX_IMAGES, soft_max=8, width="half")
    if any(model.capabilities.supports_seed for model in provider.models()):
        yield Seed(
            id="seed",
            title="Seed",
            default={"mode": "random"},
            min=0,
            max=MAX_SEED,
            modes=["random", "fixed", "increment"],
            visible_when=when("model").fact("supports").has("seed"),
        )


def _option_field(name: str, info: FieldInfo) -> AnyField:
    """The field of one option: a choice, a switch, a number or a text, as its type says."""
    annotation, is_optional = _without_none(info.annotation)
    shared: dict[str, Any] = {
        "id": name,
        "title": port_of(info).title or info.title or name.replace("_", " ").capitalize(),
        "visible_when": when("model").fact("options").has(name),
    }
    if info.description:
        shared["help"] = info.description
    default = info.get_default(call_default_factory=True)
    if is_optional:
        shared["optional"] = True
    if default is not None:
        shared["default"] = fact("model", f"defaults.{name}", otherwise=default)
    elif is_optional:
        shared["default"] = None
    if get_origin(annotation) is Literal:
        labels = port_of(info).choice_labels
        options = [Option(value=value, label=labels.get(value, str(value))) for value in get_args(annotation)]
        return Choice(options=options, widget="segmented" if len(options) <= 4 else "menu", **shared)
    if annotation is bool:
        return Boolean(**shared)
    if annotation is int:
        return Integer(**_bounds(info), **shared)
    if annotation is float:
        return Number(**_bounds(info), step=0.05, **shared)
    if annotation is str:
        return Text(**shared)
    raise PanelDeclarationError(
        "", name, f"an option of type {annotation!r} has no field; take a Literal, bool, int, float or str"
    )


def _without_none(annotation: Any) -> tuple[Any, bool]:
    if get_origin(annotation) in (Union, types.UnionType):
        rest = [part for part in get_args(annotation) if part is not type(None)]
        if len(rest) == 1:
            return rest[0], True
    return annotation, False


def _bounds(info: FieldInfo) -> dict[str, Any]:
    """``ge`` and ``le`` of the option, as a panel's field calls them."""
    bounds: dict[str, Any] = {}
    for name, attribute in (("min", "ge"), ("max", "le")):
        stated = [getattr(item, attribute) for item in info.metadata if getattr(item, attribute, None) is not None]
        if stated:
            bounds[name] = stated[-1]
    return bounds
