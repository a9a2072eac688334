"""The files of the image library: uploads, pictures and thumbnails, under `/api/v1/images/…`."""

from typing import Annotated, Any

from fastapi import File, Form, Query, Request, Response, UploadFile
from fastapi.responses import FileResponse

from impasto.api.idempotency import IdempotencyKey, tell_repeated
from impasto.api.parameters import App, NameParameter
from impasto.api.problems import ProblemError, ProblemItem, problem, problem_responses
from impasto.api.revalidation import NOT_MODIFIED, confirms
from impasto.api.router import Router
from impasto.storage.documents import read_foreign_document
from impasto.storage.images.dto import UNCATEGORIZED, ImageCategory, ImageDTO
from impasto_sdk.errors import ImageNotFoundError

__all__ = ["router"]

router = Router("/api/v1/images", "images")

#: Names are random and files never change, so whoever has one need never ask again.
FOREVER = {"Cache-Control": "private, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}
#: What is stored.
STORED_TYPES = ("image/png", "image/jpeg", "image/webp")
#: How OpenAPI describes a file, for generators of clients.
BINARY = {"schema": {"type": "string", "format": "binary"}}


@router.post("/upload", status_code=201, responses=problem_responses(409))
@router.post("/uploads", status_code=201, include_in_schema=False)
def upload_image(
    app: App,
    response: Response,
    file: Annotated[UploadFile, File(description="A PNG, JPEG or WebP file; it is kept as it is")],
    image_category: Annotated[ImageCategory, Query(description="What the image is for")] = "user",
    is_intermediate: Annotated[bool, Query(description="Whether it is kept out of the gallery")] = False,
    board_id: Annotated[str | None, Query(description="The board to put it on", max_length=255)] = None,
    session_id: Annotated[str | None, Query(description="The session it belongs to", max_length=255)] = None,
    metadata: Annotated[
        str | None,
        Form(
            description="Facts to keep with it, a JSON object as text",
            json_schema_extra={"contentMediaType": "application/json", "contentSchema": {"type": "object"}},
        ),
    ] = None,
    idempotency_key: IdempotencyKey = None,
) -> ImageDTO:
    """Store a picture. The name it is stored under is new and random; that of the file is not used."""
    data = file.file.read()
    if len(data) > app.settings.max_upload_bytes:
        detail = (
            f"the image has {len(data)} bytes; the setting `max_upload_bytes` allows {app.settings.max_upload_bytes}"
        )
        raise ProblemError(problem(413, "too-large", detail))
    created = app.images.upload(
        data,
        category=image_category,
        is_intermediate=is_intermediate,
        board_id=None if board_id == UNCATEGORIZED else board_id,
        session_id=session_id,
        metadata=_facts(metadata),
        idempotency_key=idempotency_key,
    )
    tell_repeated(response, repeated=created.repeated)
    return created.thing


@router.get(
    "/i/{image_name}/full",
    response_class=FileResponse,
    responses={
        200: {"description": "The file, byte for byte", "content": dict.fromkeys(STORED_TYPES, BINARY)},
        **NOT_MODIFIED,
        **problem_responses(404),
    },
)
@router.head("/i/{image_name}/full", include_in_schema=False)
def get_image_full(app: App, request: Request, image_name: NameParameter) -> Response:
    """The file as it was stored. It never changes."""
    path = app.images.path(image_name)
    try:
        facts = path.stat()
    except FileNotFoundError:
        raise ImageNotFoundError(image_name, "its file is gone from the images folder") from None
    file = FileResponse(
        path, headers=FOREVER, filename=image_name, content_disposition_type="inline", stat_result=facts
    )
    return _unless_confirmed(request, file)


@router.get(
    "/i/{image_name}/thumbnail",
    response_class=FileResponse,
    responses={
        200: {"description": "At most 256 pixels a side", "content": {"image/webp": BINARY}},
        **NOT_MODIFIED,
        **problem_responses(404),
    },
)
@router.head("/i/{image_name}/thumbnail", include_in_schema=False)
def get_image_thumbnail(app: App, request: Request, image_name: NameParameter) -> Response:
    """A small copy of the image."""
    path = app.images.thumbnail(image_name)
    return _unless_confirmed(
        request, FileResponse(path, headers=FOREVER, media_type="image/webp", stat_result=path.stat())
    )


def _unless_confirmed(request: Request, file: FileResponse) -> Response:
    """The file, or 304 without a body when the client says that it has this one."""
    if confirms(request, file.headers["etag"]):
        return Response(status_code=304, headers={**FOREVER, "ETag": file.headers["etag"]})
    return file


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
        raise ProblemError(problem(422, "malformed-metadata", item.message, [item]))
    return facts
