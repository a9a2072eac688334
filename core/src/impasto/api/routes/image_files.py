"""The files of the image library: uploads, pictures and thumbnails, under `/api/v1/images/…`."""

from typing import Annotated, Any

from fastapi import File, Form, Query, UploadFile
from fastapi.responses import FileResponse

from impasto.api.parameters import App, NameParameter
from impasto.api.problems import ProblemError, ProblemItem, problem, problem_responses
from impasto.api.router import Router
from impasto.storage.documents import read_foreign_document
from impasto.storage.image_dto import UNCATEGORIZED, ImageCategory, ImageDTO
from impasto_sdk.errors import ImageNotFoundError

__all__ = ["router"]

router = Router("/api/v1/images", "images")

#: Names are random and files never change, so whoever has one need never ask again.
FOREVER = {"Cache-Control": "private, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}
#: What is stored.
STORED_TYPES = ("image/png", "image/jpeg", "image/webp")


@router.post("/upload", status_code=201, responses=problem_responses(413, 415, 422))
@router.post("/uploads", status_code=201, include_in_schema=False)
def upload_image(
    app: App,
    file: Annotated[UploadFile, File(description="A PNG, JPEG or WebP file; it is kept as it is")],
    image_category: Annotated[ImageCategory, Query(description="What the image is for")] = "user",
    is_intermediate: Annotated[bool, Query(description="Whether it is kept out of the gallery")] = False,
    board_id: Annotated[str | None, Query(description="The board to put it on", max_length=255)] = None,
    session_id: Annotated[str | None, Query(description="The session it belongs to", max_length=255)] = None,
    metadata: Annotated[str | None, Form(description="Facts to keep with it, a JSON object as text")] = None,
) -> ImageDTO:
    """Store a picture. The name it is stored under is new and random; that of the file is not used."""
    data = file.file.read()
    if len(data) > app.settings.max_upload_bytes:
        detail = (
            f"the image has {len(data)} bytes; the setting `max_upload_bytes` allows {app.settings.max_upload_bytes}"
        )
        raise ProblemError(problem(413, "too-large", detail))
    return app.images.save(
        data,
        category=image_category,
        origin="external",
        is_intermediate=is_intermediate,
        board_id=None if board_id == UNCATEGORIZED else board_id,
        session_id=session_id,
        metadata=_facts(metadata),
    )


@router.get(
    "/i/{image_name}/full",
    response_class=FileResponse,
    responses={
        200: {
            "description": "The file, byte for byte",
            "content": {"image/png": {}, "image/jpeg": {}, "image/webp": {}},
        },
        **problem_responses(404),
    },
)
@router.head("/i/{image_name}/full", include_in_schema=False)
def get_image_full(app: App, image_name: NameParameter) -> FileResponse:
    """The file as it was stored. It never changes."""
    path = app.images.path(image_name)
    if not path.is_file():
        raise ImageNotFoundError(image_name, "its file is gone from the images folder")
    return FileResponse(path, headers=FOREVER, filename=image_name, content_disposition_type="inline")


@router.get(
    "/i/{image_name}/thumbnail",
    response_class=FileResponse,
    responses={
        200: {"description": "At most 256 pixels a side", "content": {"image/webp": {}}},
        **problem_responses(404),
    },
)
@router.head("/i/{image_name}/thumbnail", include_in_schema=False)
def get_image_thumbnail(app: App, image_name: NameParameter) -> FileResponse:
    """A small copy of the image."""
    return FileResponse(app.images.thumbnail(image_name), headers=FOREVER, media_type="image/webp")


def _facts(metadata: str | None) -> dict[str, Any] | None:
    """The metadata of an upload, read."""
    if not metadata:
        return None
    try:
        facts = read_foreign_document(metadata.encode())
    except ValueError:
        facts = None
    if not isinstance(facts, dict):
        item = ProblemItem(message='metadata must be a JSON object as text, e.g. {"prompt": "a cat"}', field="metadata")
        raise ProblemError(problem(422, "request-does-not-fit", item.message, [item]))
    return facts
