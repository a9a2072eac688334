"""`ExternalImageGeneration`: the node of any provider; `@external_invocation` makes it that of one.

Everything that an external service has in common with any other is done here, with what `InvocationContext` gives to
every node.
"""

import itertools
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any, ClassVar

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from impasto_sdk.context import InvocationContext
from impasto_sdk.errors import (
    ImageNotFoundError,
    InvalidInputError,
    ProviderCapabilityError,
    ProviderRequestError,
)
from impasto_sdk.fields import (
    ImageCollectionOutput,
    ImageField,
    InputField,
    JsonValue,
    MetadataField,
    ModelIdentifierField,
    UIComponent,
)
from impasto_sdk.node import BaseInvocation, WithBoard, WithMetadata
from impasto_sdk.providers.capabilities import GenerationMode
from impasto_sdk.providers.facts import copied_facts, facts_of, number_of
from impasto_sdk.providers.generation import generate_all
from impasto_sdk.providers.model import EXTERNAL_BASE, EXTERNAL_FORMAT, EXTERNAL_TYPE, ExternalModel, model_id_of
from impasto_sdk.providers.provider import ExternalProvider
from impasto_sdk.providers.refusals import check_request
from impasto_sdk.providers.request import (
    ExternalGenerationRequest,
    ExternalGenerationResult,
    InputImage,
)
from impasto_sdk.providers.sizes import nearest_size
from impasto_sdk.providers.splitting import Share, split
from impasto_sdk.providers.watch import NodeWatch

__all__ = ["ExternalImageGeneration"]

#: Most pictures that one node asks for.
MAX_IMAGES = 100

#: Greatest seed in a graph, as other programs draw them; `split` says what becomes of one that no service takes.
_MAX_SEED = 2**32 - 1

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
        None, ge=0, le=_MAX_SEED, description="Seed of the first picture, where the model takes one"
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
        model = self._external_model(context)
        asked = self._request(context)
        given: list[ImageField] = list(context.earlier_items)
        most, done = model.capabilities.max_images_per_request, _done(context, given)
        shares = list(split(self._fitted(asked, model), most, done))
        for share in shares:
            check_request(provider.provider_id, model, share.request, provider.refusals(share.request))
        yield from given
        watch = NodeWatch(context, provider.title, len(shares))
        with closing(generate_all(provider, access, [share.request for share in shares], watch)) as results:
            for index, result in results:
                watch.finished(index)
                for made in self._saved(context, asked, shares[index], result, watch):
                    given.append(made)
                    yield made
        if watch.failure is not None:
            raise watch.failure
        return ImageCollectionOutput(collection=given)

    def reuse(self, output: Any, context: InvocationContext) -> ImageCollectionOutput:
        """Save the pictures once more: the gallery gets new ones, and the service is not asked."""
        copies = []
        for image in output.collection:
            facts = copied_facts(context.images.record(image).metadata or {}, image.image_name)
            data = context.images.load_bytes(image)
            copies.append(context.images.save_bytes(data, metadata=self._with_own(facts), embed=False).image)
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
            init_image=None if self.init_image is None else _input_image(context, self.init_image),
            mask_image=None if self.mask_image is None else _input_image(context, self.mask_image),
            reference_images=tuple(_input_image(context, image) for image in self.reference_images),
        )

    def _fitted(self, asked: ExternalGenerationRequest, model: ExternalModel) -> ExternalGenerationRequest:
        """The same, in the words of the model: the nearest of its sizes, its options, a seed if it takes one."""
        able = model.capabilities
        size = nearest_size(self.provider.provider_id, able, asked.width, asked.height, asked.image_size)
        return replace(
            asked,
            model=model.id,
            width=size.width,
            height=size.height,
            aspect_ratio=size.aspect_ratio,
            image_size=size.image_size,
            seed=asked.seed if able.supports_seed else None,
            provider_options=self._options(model),
        )

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
        self,
        context: InvocationContext,
        asked: ExternalGenerationRequest,
        share: Share,
        result: ExternalGenerationResult,
        watch: NodeWatch,
    ) -> Iterator[ImageField]:
        """Store what came back, byte for byte, with what is known of it.

        A picture that is none costs no other: `watch` keeps it as the failure to end with.
        """
        provider_id, sent = self.provider.provider_id, share.request
        if not result.images:
            watch.unusable(ProviderRequestError(provider_id, "the service answered without a picture"))
        elif len(result.images) != sent.num_images:
            context.logger.warning(
                "%s was asked for %d pictures and gave %d", provider_id, sent.num_images, len(result.images)
            )
        for number, image in enumerate(result.images, share.first):
            facts = facts_of(provider_id, asked, sent, result, image, number)
            try:
                yield context.images.save_bytes(image.data, metadata=self._with_own(facts), embed=False).image
            except InvalidInputError as error:
                problem = f"the service sent something that is no picture: {error.problem}"
                watch.unusable(ProviderRequestError(provider_id, problem))

    def _with_own(self, facts: dict[str, JsonValue]) -> MetadataField:
        own: dict[str, JsonValue] = self.metadata.root if self.metadata is not None else {}
        # InvokeAI's names, by which its clients recall a picture
        said: dict[str, JsonValue] = {"generation_mode": self.mode, "positive_prompt": self.prompt}
        return MetadataField({**said, **own, **facts})


def _done(context: InvocationContext, given: Sequence[ImageField]) -> set[int]:
    """Numbers of the pictures that an earlier attempt has paid for; one that was deleted since counts as the first."""
    numbers: set[int] = set()
    unknown = 0
    for image in given:
        try:
            number = number_of(context.images.record(image).metadata)
        except ImageNotFoundError:
            number = None
        if number is None:
            unknown += 1
        else:
            numbers.add(number)
    free = (number for number in itertools.count() if number not in numbers)
    return numbers.union(itertools.islice(free, unknown))


def _default(info: FieldInfo) -> object:
    return info.get_default(call_default_factory=True)


def _input_image(context: InvocationContext, image: ImageField) -> InputImage:
    data, record = context.images.load_bytes(image), context.images.record(image)
    return InputImage(data=data, media_type=_media_type(data), width=record.width, height=record.height)


def _media_type(data: bytes) -> str:
    """What the bytes of a stored picture are; the library holds PNG, JPEG and WebP."""
    return next((media for magic, media in _MAGIC.items() if data.startswith(magic)), "image/webp")
