"""How requests for pictures are read off the wire: JSON, or a form with files. Imports Starlette."""

import json
from collections.abc import Sequence

from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request

from impasto_openai_server.errors import InvalidRequestError
from impasto_openai_server.image_request import ImageRequest, read_request
from impasto_sdk.fields import JsonValue

__all__ = ["read_edit", "read_generation"]

#: Most files and texts of a form: OpenAI takes 16 pictures.
_MOST_FILES, _MOST_TEXTS = 32, 200
#: Names of the parts that hold pictures: the first for one, the second for each of several.
_IMAGE_PARTS = ("image", "image[]")


async def read_generation(request: Request) -> ImageRequest:
    """A request for a picture from words: JSON, whatever it is announced as."""
    try:
        given = json.loads(await request.body(), parse_constant=_no_json)
    except (ValueError, RecursionError) as error:
        raise InvalidRequestError(f"the body is not JSON: {error}", code="malformed_body") from error
    if not isinstance(given, dict):
        raise InvalidRequestError(f"the body is {type(given).__name__}; send a JSON object", code="malformed_body")
    return read_request(given)


async def read_edit(request: Request) -> ImageRequest:
    """A request to change a picture: a form with it as ``image``, or several as ``image[]``, and maybe a ``mask``."""
    kind = request.headers.get("content-type", "")
    if not kind.lower().startswith("multipart/form-data"):
        raise InvalidRequestError(
            f"the body is {kind or 'of no type'}; send multipart/form-data with the picture as its part `image`",
            code="malformed_body",
        )
    async with request.form(max_files=_MOST_FILES, max_fields=_MOST_TEXTS) as form:
        images = [await _file(part, "image") for name in _IMAGE_PARTS for part in form.getlist(name)]
        masks = [await _file(part, "mask") for part in form.getlist("mask")]
        texts = _texts(form)
    if not images:
        raise InvalidRequestError(
            "image: there is none; send the picture that is to be changed",
            param="image",
            code="missing_required_parameter",
        )
    return read_request(texts, images=images, mask=masks[0] if masks else None)


def _no_json(constant: str) -> JsonValue:
    raise ValueError(f"{constant} is none of its values")


async def _file(part: UploadFile | str, name: str) -> bytes:
    """The bytes of a file. Some clients name no file, and the part is then taken for a text."""
    if isinstance(part, str):
        raise InvalidRequestError(
            f"{name}: it is a text; send the bytes of the picture as a file", param=name, code="invalid_image_file"
        )
    return await part.read()


def _texts(form: FormData) -> dict[str, JsonValue]:
    found: dict[str, JsonValue] = {}
    for name, value in _pairs(form.multi_items()):
        found.setdefault(name, value)
    return found


def _pairs(items: Sequence[tuple[str, UploadFile | str]]) -> list[tuple[str, str]]:
    return [(name, value) for name, value in items if isinstance(value, str)]
