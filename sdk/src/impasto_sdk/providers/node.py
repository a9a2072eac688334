"""`ExternalImageGeneration` and `@external_invocation`: the node of a provider.

A plugin declares one class, with its provider and its options as bases; everything that an external service has in
common with any other is done here, with what `InvocationContext` gives to every node.
"""

import io
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, TypeVar

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from impasto_sdk.context import InvocationContext
from impasto_sdk.errors import (
    InvalidInputError,
    NodeDeclarationError,
    ProviderCapabilityError,
    ProviderError,
    ProviderRequestError,
)
from impasto_sdk.fields import (
    ImageCollectionOutput,
    ImageField,
    InputField,
    JsonValue,
    MetadataField,
    ModelIdentifierField,
    Port,
    UIComponent,
    port_of,
)
from impasto_sdk.node import BaseInvocation, Lane, WithBoard, WithMetadata, invocation
from impasto_sdk.providers.capabilities import GenerationMode
from impasto_sdk.providers.generation import generate_all
from impasto_sdk.providers.model import EXTERNAL_BASE, EXTERNAL_FORMAT, EXTERNAL_TYPE, ExternalModel, model_id_of
from impasto_sdk.providers.provider import ExternalProvider
from impasto_sdk.providers.refusals import check_request
from impasto_sdk.providers.request import (
    ExternalGenerationRequest,
    ExternalGenerationResult,
    ExternalImage,
    InputImage,
)
from impasto_sdk.providers.sizes import nearest_size

__all__ = ["ExternalImageGeneration", "external_invocation"]

#: Most pictures that one node asks for.
MAX_IMAGES = 100
#: Greatest seed: what services take as a signed 32-bit number.
MAX_SEED = 2**31 - 1
#: Facts that this node writes with its pictures, and carries over when they come from the cache.
FACT_PREFIX = "external_"

#: How the bytes of a picture begin.
_MAGIC = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}


class ExternalImageGeneration(BaseInvocation, WithMetadata, WithBoard):
    """Base of the nodes of providers. Declare a subclass with `@external_invocation`."""

    #: Set by `@external_invocation`.
    provider: ClassVar[type[ExternalProvider]]

    model: ModelIdentifierField = InputField(
        description="The service's model",
        ui_model_base=EXTERNAL_BASE,
        ui_model_type=EXTERNAL_TYPE,
        ui_model_format=EXTERNAL_FORMAT,
    )
    mode: GenerationMode = InputField("txt2img", description="Whether to start from words, from an image or in a mask")
    prompt: str = InputField(description="What the pictures should show", ui_component=UIComponent.TEXTAREA)
    seed: int | None = InputField(
        None, ge=0, le=MAX_SEED, description="Seed of the first picture, where the model takes one"
    )
    num_images: int = InputField(1, ge=1, le=MAX_IMAGES, description="How many pictures to make")
    width: int = InputField(1024, gt=0, le=16_384, description="Width in pixels; the nearest that the model makes")
    height: int = InputField(1024, gt=0, le=16_384, description="Height in pixels; the nearest that the model makes")
    image_size: str | None = InputField(None, description="The service's own name of the size, e.g. 2K")
    init_image: ImageField | None = InputField(None, description="The image to change")
    mask_image: ImageField | None = InputField(None, description="Where to change it: white is made anew, black stays")
    reference_images: list[ImageField] = InputField(
        default_factory=list, description="Images that the pictures should follow"
    )

    def invoke(self, context: InvocationContext) -> Generator[ImageField, None, ImageCollectionOutput]:
        """Ask the service, and give each picture as soon as it is there."""
        access = context.provider(self.provider.provider_id)
        provider = self.provider(access)
        # said once, not by each request; and before the model is looked for, which went with the key
        _ = provider.api_key
        asked = self._request(context)
        model = self._external_model(context)
        given: list[ImageField] = list(context.earlier_items)
        requests = self._split(asked, model, len(given))
        for request in requests:
            check_request(provider.provider_id, model, request, provider.refusals(request))
        yield from given
        watch = _Watch(context, provider.title, len(requests))
        for index, result in generate_all(provider, access, requests, watch):
            watch.finished()
            for made in self._saved(context, requests[index], result):
                given.append(made)
                yield made
        return ImageCollectionOutput(collection=given)

    def reuse(self, output: Any, context: InvocationContext) -> ImageCollectionOutput:
        """Save the pictures once more: the gallery gets new ones, and the service is not asked."""
        copies = []
        for image in output.collection:
            facts = context.images.record(image).metadata or {}
            kept = {name: fact for name, fact in facts.items() if name.startswith(FACT_PREFIX)}
            metadata = self._with_own_facts({**kept, f"{FACT_PREFIX}copy_of": image.image_name})
            copies.append(
                context.images.save_bytes(context.images.load_bytes(image), metadata=metadata, embed=False).image
            )
        return ImageCollectionOutput(collection=copies)

    def _external_model(self, context: InvocationContext) -> ExternalModel:
        """What the chosen record stands for."""
        source = context.models.record(self.model).source
        model_id = model_id_of(source, self.provider.provider_id)
        models = {model.id: model for model in self.provider.models()}
        if model_id not in models:
            raise ProviderCapabilityError(
                self.provider.provider_id,
                f"model = {self.model.name or self.model.key!r}: {source!r} is none of its models, which are "
                f"{', '.join(models)}",
            )
        return models[model_id]

    def _request(self, context: InvocationContext) -> ExternalGenerationRequest:
        """Everything that was asked for, as one request, before a model's limits are looked at."""
        return ExternalGenerationRequest(
            model="",
            mode=self.mode,
            prompt=self.prompt,
            width=self.width,
            height=self.height,
            image_size=self.image_size,
            num_images=self.num_images,
            seed=self.seed,
            init_image=_input_image(context, self.init_image),
            mask_image=_input_image(context, self.mask_image),
            reference_images=tuple(
                found for image in self.reference_images if (found := _input_image(context, image)) is not None
            ),
        )

    def _split(
        self, asked: ExternalGenerationRequest, model: ExternalModel, done: int
    ) -> list[ExternalGenerationRequest]:
        """The requests for the pictures from number `done` on, each within what one request gives."""
        able = model.capabilities
        provider_id = self.provider.provider_id
        size = nearest_size(provider_id, able, self.width, self.height, self.image_size)
        whole = replace(
            asked,
            model=model.id,
            width=size.width,
            height=size.height,
            aspect_ratio=size.aspect_ratio,
            image_size=size.image_size,
            provider_options=self._options(model),
        )
        # a request that takes a seed gives pictures of seeds that follow one another, so each asks for its own first
        return [
            replace(
                whole,
                num_images=min(able.max_images_per_request, asked.num_images - first),
                seed=(asked.seed + first) % (MAX_SEED + 1) if asked.seed is not None and able.supports_seed else None,
            )
            for first in range(done, asked.num_images, able.max_images_per_request)
        ]

    def _options(self, model: ExternalModel) -> dict[str, JsonValue]:
        """The provider's own options that the model takes, checked by the provider's own model."""
        declared = self.provider.options.model_fields
        chosen = {name: getattr(self, name) for name in declared}
        taken = model.option_names(declared)
        refused = [name for name in declared if name not in taken and chosen[name] != _default(declared[name])]
        if refused:
            known = f"it takes {', '.join(taken)}" if taken else "it takes no options"
            problem = ", ".join(f"{name} = {chosen[name]!r}" for name in refused)
            raise ProviderCapabilityError(self.provider.provider_id, f"{problem}: {model.name} cannot do this; {known}")
        try:
            checked = self.provider.options.model_validate(chosen)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            name = ".".join(str(part) for part in first["loc"]) or "options"
            raise InvalidInputError(name, first["input"], first["msg"]) from error
        return {name: value for name, value in checked.model_dump(mode="json").items() if name in taken}

    def _saved(
        self, context: InvocationContext, request: ExternalGenerationRequest, result: ExternalGenerationResult
    ) -> Generator[ImageField, None, None]:
        """Store what came back, byte for byte, with what is known of it."""
        for image in result.images:
            metadata = self._with_own_facts(self._facts(request, result, image))
            try:
                yield context.images.save_bytes(image.data, metadata=metadata, embed=False).image
            except InvalidInputError as error:
                raise ProviderRequestError(
                    self.provider.provider_id, f"the service sent something that is no picture: {error.problem}"
                ) from error

    def _facts(
        self, request: ExternalGenerationRequest, result: ExternalGenerationResult, image: ExternalImage
    ) -> dict[str, JsonValue]:
        seed = image.seed if image.seed is not None else request.seed
        facts: dict[str, JsonValue] = {
            "provider": self.provider.provider_id,
            "model": request.model,
            "options": dict(request.provider_options),
            "size": {
                "requested": {"width": self.width, "height": self.height, "image_size": self.image_size},
                "sent": {
                    "width": request.width,
                    "height": request.height,
                    "aspect_ratio": request.aspect_ratio,
                    "image_size": request.image_size,
                },
                "changed": (self.width, self.height) != (request.width, request.height),
            },
            # of the whole request, which may have given several pictures
            "request": {
                "id": result.request_id,
                "images": len(result.images),
                "input_tokens": result.input_tokens,
                "output_tokens": result.output_tokens,
                "cost_usd": result.cost_usd,
            },
            "seed": seed,
            "revised_prompt": image.revised_prompt,
            "details": dict(result.metadata) or None,
        }
        if self.seed is not None and seed is None:
            facts["notice"] = f"seed = {self.seed} was not sent: the model takes none"
        return {f"{FACT_PREFIX}{name}": fact for name, fact in facts.items() if fact is not None}

    def _with_own_facts(self, facts: dict[str, JsonValue]) -> MetadataField:
        own: dict[str, JsonValue] = self.metadata.root if self.metadata is not None else {}
        # InvokeAI's names, by which its clients recall a picture
        said: dict[str, JsonValue] = {"generation_mode": self.mode, "positive_prompt": self.prompt}
        return MetadataField({**said, **own, **facts})


@dataclass(slots=True)
class _Watch:
    """A `GenerationWatch` that reports to a node's context."""

    context: InvocationContext
    title: str
    count: int
    done: int = 0
    #: How much of each request that is under way is done, by its index.
    parts: dict[int, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.context.progress(0.0 if self.count else 1.0, f"Waiting for {self.title}")

    @property
    def cancelled(self) -> bool:
        """See `GenerationWatch`."""
        return self.context.cancelled

    def finished(self) -> None:
        """One more request is done."""
        self.done += 1
        self.context.progress(self.done / self.count, f"{self.title}: {self.done} of {self.count} requests done")

    def partial(self, index: int, data: bytes, fraction: float) -> None:
        """See `GenerationWatch`."""
        from PIL import Image, UnidentifiedImageError

        self.parts[index] = min(max(fraction, 0.0), 1.0)
        so_far = min(max(self.done, sum(self.parts.values())) / self.count, 1.0)
        try:
            preview: Image.Image | None = Image.open(io.BytesIO(data))
        except UnidentifiedImageError:  # a preview that cannot be shown is no reason to lose the picture
            preview = None
        self.context.progress(so_far, f"{self.title} is painting", preview)

    def waits(self, index: int, error: ProviderError, wait_s: float) -> None:
        """See `GenerationWatch`."""
        self.context.logger.warning("%s; it is asked again in %.1f s", error, wait_s)
        self.context.progress(self.done / self.count, f"{error.problem}; asked again in {wait_s:.0f} s")


NodeT = TypeVar("NodeT", bound=ExternalImageGeneration)


def external_invocation(
    node_type: str,
    *,
    provider: type[ExternalProvider],
    title: str | None = None,
    tags: Sequence[str] = (),
    version: str = "1.0.0",
) -> Callable[[type[NodeT]], type[NodeT]]:
    """Declare the node of a provider: ``class Node(MyOptions, ExternalImageGeneration)``.

    It waits on lane ``io``, is not cached unless a graph says so, lists the provider's own models only, and hides what
    none of them can use. Raises `NodeDeclarationError`, also when the class has not the provider's `options` as a base.
    """

    def declare(cls: type[NodeT]) -> type[NodeT]:
        if not issubclass(cls, provider.options):
            raise NodeDeclarationError(
                node_type, f"{cls.__name__} must have {provider.options.__name__}, the provider's options, as a base"
            )
        cls.provider = provider
        _narrow(cls, provider)
        return invocation(
            node_type,
            title=title,
            category="external",
            tags=("external", provider.provider_id, *tags),
            version=version,
            use_cache=False,
            lane=Lane.IO,
        )(cls)

    return declare


def _narrow(cls: type[ExternalImageGeneration], provider: type[ExternalProvider]) -> None:
    """Let clients offer the provider's own models only, and hide the inputs that none of them can use."""
    abilities = [model.capabilities for model in provider.models()]
    modes = {mode for able in abilities for mode in able.modes}
    useful = {
        "mode": len(modes) > 1,
        "init_image": bool(modes & {"img2img", "inpaint"}),
        "mask_image": "inpaint" in modes,
        "reference_images": any(able.supports_reference_images for able in abilities),
        "seed": any(able.supports_seed for able in abilities),
        "image_size": any(able.image_sizes for able in abilities),
    }
    for name, is_useful in useful.items():
        if not is_useful:
            _set_port(cls, name, hidden=True)
    known = port_of(cls.model_fields["model"]).model_filter
    _set_port(cls, "model", model_filter={**known, "provider": (provider.provider_id,)})
    cls.model_rebuild(force=True)


def _set_port(cls: type[ExternalImageGeneration], name: str, **changes: Any) -> None:
    info = cls.model_fields[name]
    port = replace(port_of(info), **changes)
    info.metadata = [*(item for item in info.metadata if not isinstance(item, Port)), port]


def _default(info: FieldInfo) -> object:
    return info.get_default(call_default_factory=True)


def _input_image(context: InvocationContext, image: ImageField | None) -> InputImage | None:
    if image is None:
        return None
    data, record = context.images.load_bytes(image), context.images.record(image)
    return InputImage(data=data, media_type=_media_type(data), width=record.width, height=record.height)


def _media_type(data: bytes) -> str:
    """What the bytes of a stored picture are; the library holds PNG, JPEG and WebP."""
    return next((media for magic, media in _MAGIC.items() if data.startswith(magic)), "image/webp")
