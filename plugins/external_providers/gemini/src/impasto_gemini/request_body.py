"""`request_body`: a request in the words of the Gemini API's ``generateContent``. Pure.

It is what Google's own Python client sends for the same, to the letter. That client spells the keys of pictures and of
thinking with underscores, and writes base64 in its form for URLs; the API reads both spellings and both forms.
"""

import base64
from collections.abc import Iterator

from impasto_sdk.fields import JsonValue
from impasto_sdk.providers import ExternalGenerationRequest, InputImage

__all__ = ["request_body"]


def request_body(request: ExternalGenerationRequest) -> dict[str, JsonValue]:
    """The prompt, then the picture to change, then the references; one picture is asked for, and no words."""
    return {
        "contents": [{"parts": list(_parts(request)), "role": "user"}],
        "generationConfig": dict(_config(request)),
    }


def _parts(request: ExternalGenerationRequest) -> Iterator[JsonValue]:
    yield {"text": request.prompt}
    if request.init_image is not None:
        yield _picture(request.init_image)
    for image in request.reference_images:
        yield _picture(image)


def _picture(image: InputImage) -> JsonValue:
    data = base64.urlsafe_b64encode(image.data).decode()
    return {"inlineData": {"data": data, "mime_type": image.media_type}}


def _config(request: ExternalGenerationRequest) -> Iterator[tuple[str, JsonValue]]:
    options = request.provider_options
    if options.get("temperature") is not None:
        yield "temperature", options["temperature"]
    # left to itself, a model may answer a prompt with words alone
    yield "responseModalities", ["IMAGE"]
    level = options.get("thinking_level")
    if isinstance(level, str):
        yield "thinkingConfig", {"thinking_level": level.upper()}
    image: dict[str, JsonValue] = {"aspectRatio": request.aspect_ratio}
    if request.image_size is not None:
        image["imageSize"] = request.image_size
    yield "imageConfig", image
