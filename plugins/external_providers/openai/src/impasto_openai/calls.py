"""`call_for`: a request in the words of OpenAI's Images API. Pure.

Words alone go to ``/images/generations`` as JSON; as soon as an image is sent along, the request goes to
``/images/edits`` as a multipart form, with one file named ``image``, or several named ``image[]``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from impasto_openai.mask import transparent_mask
from impasto_sdk.fields import JsonValue
from impasto_sdk.providers import ExternalGenerationRequest, InputImage

__all__ = ["Call", "FilePart", "call_for"]

#: A file of a form: its field, and its name, bytes and media type.
FilePart = tuple[str, tuple[str, bytes, str]]

#: Options that the service takes where pictures are made from words, and where images are sent along.
_OF_GENERATIONS = ("quality", "background", "output_format", "output_compression", "moderation", "style")
_OF_EDITS = ("quality", "background", "output_format", "output_compression", "input_fidelity")
#: DALL·E knows two qualities, neither of which is low.
_DALL_E_QUALITY = {"high": "hd"}
_DALL_E_USUAL = "standard"
_ENDINGS = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What is sent."""

    #: Below the base URL.
    path: str
    fields: Mapping[str, JsonValue]
    #: None: the fields are sent as JSON; else as a form, with these.
    files: Sequence[FilePart] | None

    @property
    def streams(self) -> bool:
        """Whether the answer comes as events."""
        return self.fields.get("stream") is True

    @property
    def remarks(self) -> dict[str, JsonValue]:
        """What was said to the service in other words than those of the options."""
        return {"quality": self.fields["quality"]} if "response_format" in self.fields else {}

    @property
    def form(self) -> dict[str, str]:
        """The fields as a form has them."""
        return {
            name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in self.fields.items()
        }


def call_for(request: ExternalGenerationRequest) -> Call:
    """The call that carries out `request`."""
    images = [*([request.init_image] if request.init_image else []), *request.reference_images]
    fields = {
        "model": request.model,
        "prompt": request.prompt,
        "n": request.num_images,
        "size": f"{request.width}x{request.height}",
        **_options(request, _OF_EDITS if images else _OF_GENERATIONS),
    }
    if not images:
        return Call(path="images/generations", fields=fields, files=None)
    return Call(path="images/edits", fields=fields, files=_files(images, request.mask_image))


def _options(request: ExternalGenerationRequest, known: Sequence[str]) -> dict[str, JsonValue]:
    """Every option that is set, as the service calls it."""
    options = request.provider_options
    said = {name: options[name] for name in known if options.get(name) is not None}
    if "output_format" not in options:
        # DALL·E: it always makes PNGs, and sends an address instead of the picture unless it is told otherwise
        return {
            **said,
            "quality": _DALL_E_QUALITY.get(str(said["quality"]), _DALL_E_USUAL),
            "response_format": "b64_json",
        }
    if options["partial_images"] and request.num_images == 1:  # it refuses to stream several
        said.update(stream=True, partial_images=options["partial_images"])
    return said


def _files(images: Sequence[InputImage], mask: InputImage | None) -> list[FilePart]:
    name = "image" if len(images) == 1 else "image[]"
    parts = [
        (name, (f"image-{number}.{_ENDINGS[image.media_type]}", image.data, image.media_type))
        for number, image in enumerate(images, start=1)
    ]
    if mask is not None:
        parts.append(("mask", ("mask.png", transparent_mask(mask.data), "image/png")))
    return parts
