"""`refusals`: what a model cannot do of a request, found before anything is sent and paid for. Pure."""

from collections.abc import Iterable, Iterator

from impasto_sdk.errors import ProviderCapabilityError
from impasto_sdk.providers.model import ExternalModel
from impasto_sdk.providers.request import ExternalGenerationRequest, InputImage

__all__ = ["check_request", "refusals"]


def check_request(
    provider: str, model: ExternalModel, request: ExternalGenerationRequest, own: Iterable[str] = ()
) -> None:
    """Raise `ProviderCapabilityError` with every reason why `model` cannot carry out `request`.

    `own`: the provider's own reasons, `ExternalProvider.refusals`.
    """
    reasons = [*refusals(model, request), *own]
    if reasons:
        raise ProviderCapabilityError(provider, f"{model.name}: {'; '.join(reasons)}")


def refusals(model: ExternalModel, request: ExternalGenerationRequest) -> Iterator[str]:
    """Every reason, each naming the input, its value and what would do."""
    able = model.capabilities
    if request.mode not in able.modes:
        offered = ", ".join(sorted(able.modes))
        yield f"mode = {request.mode!r} is not among what it can do, which is {offered}"
    yield from _missing_or_idle(request)
    if len(request.reference_images) > able.max_reference_images:
        most = able.max_reference_images
        taken = f"it takes {most} at most" if most else "it takes none"
        yield f"reference_images holds {len(request.reference_images)} images; {taken}"
    elif able.max_input_images is not None and _input_images(request) > able.max_input_images:
        yield (
            f"init_image and {len(request.reference_images)} reference_images are {_input_images(request)} images; "
            f"it takes {able.max_input_images} at most in one request"
        )
    if not request.prompt.strip():
        yield "prompt is empty; say what the picture should show"
    if able.max_prompt_length is not None and len(request.prompt) > able.max_prompt_length:
        yield f"prompt has {len(request.prompt):,} characters; it takes {able.max_prompt_length:,} at most"
    if request.num_images > able.max_images_per_request:
        yield f"num_images = {request.num_images}; one request gives {able.max_images_per_request} at most"
    for name, image in _named_inputs(request):
        yield from _unusable(name, image, model)


def _input_images(request: ExternalGenerationRequest) -> int:
    return len(request.reference_images) + (request.init_image is not None)


def _missing_or_idle(request: ExternalGenerationRequest) -> Iterator[str]:
    """Inputs that the mode needs and that are not set, and the other way round: nothing is ignored silently."""
    uses_image, uses_mask = request.mode != "txt2img", request.mode == "inpaint"
    for name, is_used, image in (
        ("init_image", uses_image, request.init_image),
        ("mask_image", uses_mask, request.mask_image),
    ):
        if is_used and image is None:
            yield f"mode = {request.mode!r} needs {name}, which is not set"
        if not is_used and image is not None:
            yield f"{name} is set, and mode = {request.mode!r} does not use it; leave it out or choose another mode"
    image, mask = request.init_image, request.mask_image
    if image is not None and mask is not None and (image.width, image.height) != (mask.width, mask.height):
        yield (
            f"mask_image is {mask.width}×{mask.height} and init_image {image.width}×{image.height}; give them one "
            "size (nothing can be painted outside of the image)"
        )


def _named_inputs(request: ExternalGenerationRequest) -> Iterator[tuple[str, InputImage]]:
    for name, image in (("init_image", request.init_image), ("mask_image", request.mask_image)):
        if image is not None:
            yield name, image
    for index, image in enumerate(request.reference_images):
        yield f"reference_images[{index}]", image


def _unusable(name: str, image: InputImage, model: ExternalModel) -> Iterator[str]:
    able = model.capabilities
    if able.max_input_bytes is not None and len(image.data) > able.max_input_bytes:
        yield f"{name} has {len(image.data):,} bytes; it takes {able.max_input_bytes:,} at most"
    if image.media_type not in able.input_media_types:
        yield f"{name} is {image.media_type}; it takes {', '.join(able.input_media_types)}"
