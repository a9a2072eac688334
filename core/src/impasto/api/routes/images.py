"""What the image library knows of its images: `/api/v1/images/…`. The files themselves are in `image_files`.

Paths and payloads are InvokeAI's; pages go by keyset beside its offsets.
"""

import json
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import Body, Depends, Query
from pydantic import BaseModel, Field

from impasto.api.parameters import App, NameParameter
from impasto.api.problems import problem_responses
from impasto.api.router import Router
from impasto.storage.images.dto import UNCATEGORIZED, ImageCategory, ImageChanges, ImageDTO, ImageOrigin, ImageQuery

__all__ = ["router"]

router = Router("/api/v1/images", "images")

#: Most names that one request may hold, and most images of a page.
MOST_NAMES, MOST_IMAGES = 10_000, 1_000
#: What `next_cursor` looks like: see `impasto.storage.images.gallery.Position`.
CURSOR = r"^[01]\.[0-9]{1,18}$"

ImageNamesBody = Annotated[list[str], Body(embed=True, max_length=MOST_NAMES, description="Names of images")]


class ImagePage(BaseModel):
    """A page of the gallery."""

    items: list[ImageDTO]
    limit: int
    offset: int
    total: int | None = Field(description="How many images match on all pages; null on a page asked for by `cursor`")
    next_cursor: str | None = Field(description="Send it as `cursor` for the next page; null on the last")


class ImageNameList(BaseModel):
    """Names of images, in the order of the gallery."""

    image_names: list[str]
    starred_count: int
    total_count: int


class ImageUrls(BaseModel):
    """Where an image is served, relative to the server's address."""

    image_name: str
    image_url: str
    thumbnail_url: str


class ImageDocuments(BaseModel):
    """What an image was made with, each as a text of JSON."""

    workflow: str | None
    graph: str | None


class DeletedImages(BaseModel):
    """What was deleted."""

    affected_boards: list[str] = Field(description="Boards they were on; `none` for no board")
    deleted_images: list[str]


class StarredImages(BaseModel):
    """What was starred."""

    affected_boards: list[str] = Field(description="Boards they are on; `none` for no board")
    starred_images: list[str]


class UnstarredImages(BaseModel):
    """What was unstarred."""

    affected_boards: list[str] = Field(description="Boards they are on; `none` for no board")
    unstarred_images: list[str]


async def _query(
    image_origin: Annotated[ImageOrigin | None, Query(description="Made here, or brought from outside")] = None,
    categories: Annotated[list[ImageCategory] | None, Query(description="Any of these categories")] = None,
    is_intermediate: Annotated[bool | None, Query(description="Whether it is a step on the way")] = None,
    board_id: Annotated[str | None, Query(description="On this board; `none`: on no board")] = None,
    order_dir: Annotated[Literal["ASC", "DESC"], Query(description="Oldest or newest first")] = "DESC",
    starred_first: Annotated[bool, Query(description="Whether starred images come before the others")] = True,
    search_term: Annotated[str | None, Query(description="Words of its metadata, or its day", max_length=1000)] = None,
) -> ImageQuery:
    # async, so that FastAPI does not hop to a thread for it
    return ImageQuery(
        image_origin=image_origin,
        categories=None if categories is None else tuple(categories),
        is_intermediate=is_intermediate,
        board_id=board_id,
        newest_first=order_dir == "DESC",
        starred_first=starred_first,
        search_term=search_term,
    )


Wanted = Annotated[ImageQuery, Depends(_query)]


@router.get("/")
def list_images(
    app: App,
    wanted: Wanted,
    cursor: Annotated[str | None, Query(description="`next_cursor` of the page before", pattern=CURSOR)] = None,
    offset: Annotated[int, Query(description="Images to pass over; `cursor` is quicker", ge=0, le=2**31)] = 0,
    limit: Annotated[int, Query(description="Most images on the page", ge=0, le=MOST_IMAGES)] = 10,
) -> ImagePage:
    """A page of the gallery. Images that come or go meanwhile shift no page that is asked for by cursor."""
    # counting walks all that match, which costs more than the page: once is enough
    total = app.images.count(wanted) if cursor is None else None
    if limit == 0:
        return ImagePage(items=[], limit=0, offset=offset, total=total, next_cursor=cursor)
    page = app.images.list(wanted, after=cursor, offset=offset, limit=limit)
    return ImagePage(items=page.items, limit=limit, offset=offset, total=total, next_cursor=page.next)


@router.get("/names")
def list_image_names(app: App, wanted: Wanted) -> ImageNameList:
    """The names of all images that match, in order: what a list is drawn from that fetches what comes into view."""
    names = app.images.names(wanted)
    return ImageNameList(
        image_names=names.image_names, starred_count=names.starred_count, total_count=names.total_count
    )


@router.post("/images_by_names")
def list_images_by_names(app: App, image_names: ImageNamesBody) -> list[ImageDTO]:
    """The images of these names, in the order asked for; those that do not exist are left out."""
    return list(app.images.get_many(image_names))


@router.get("/i/{image_name}", responses=problem_responses(404))
def get_image(app: App, image_name: NameParameter) -> ImageDTO:
    """What is known of an image."""
    return app.images.get(image_name)


@router.get("/i/{image_name}/metadata", responses=problem_responses(404))
def get_image_metadata(app: App, image_name: NameParameter) -> dict[str, Any] | None:
    """The facts that an image was saved with; null when there are none."""
    return app.images.metadata(image_name)


@router.get("/i/{image_name}/workflow", responses=problem_responses(404))
def get_image_workflow(app: App, image_name: NameParameter) -> ImageDocuments:
    """The workflow and the graph that an image was made with, as far as they are known."""
    documents = app.images.documents(image_name)
    return ImageDocuments(workflow=_as_text(documents.workflow), graph=_as_text(documents.graph))


@router.get("/i/{image_name}/urls", responses=problem_responses(404))
def get_image_urls(app: App, image_name: NameParameter) -> ImageUrls:
    """Where an image and its thumbnail are served."""
    image = app.images.get(image_name)
    return ImageUrls(image_name=image.image_name, image_url=image.image_url, thumbnail_url=image.thumbnail_url)


@router.patch("/i/{image_name}", responses=problem_responses(404))
def update_image(app: App, image_name: NameParameter, changes: ImageChanges) -> ImageDTO:
    """Change what is known of an image; keys that are left out stay as they are."""
    return app.images.update(image_name, changes)


@router.delete("/i/{image_name}", responses=problem_responses(404))
def delete_image(app: App, image_name: NameParameter) -> DeletedImages:
    """Delete an image with its file and its thumbnail."""
    image = app.images.get(image_name)
    return DeletedImages(affected_boards=_boards([image]), deleted_images=list(app.images.delete([image_name])))


@router.post("/delete")
def delete_images(app: App, image_names: ImageNamesBody) -> DeletedImages:
    """Delete images; those that do not exist are passed over."""
    boards = _boards(app.images.get_many(image_names))
    return DeletedImages(affected_boards=boards, deleted_images=list(app.images.delete(image_names)))


@router.post("/star")
def star_images(app: App, image_names: ImageNamesBody) -> StarredImages:
    """Star images; those that do not exist are passed over."""
    names = list(app.images.set_starred(image_names, starred=True))
    return StarredImages(affected_boards=_boards(app.images.get_many(names)), starred_images=names)


@router.post("/unstar")
def unstar_images(app: App, image_names: ImageNamesBody) -> UnstarredImages:
    """Take the star from images; those that do not exist are passed over."""
    names = list(app.images.set_starred(image_names, starred=False))
    return UnstarredImages(affected_boards=_boards(app.images.get_many(names)), unstarred_images=names)


def _boards(images: Sequence[ImageDTO]) -> list[str]:
    return sorted({image.board_id or UNCATEGORIZED for image in images})


def _as_text(document: Any) -> str | None:
    return None if document is None else json.dumps(document, ensure_ascii=False)
