"""The image library: `/api/v1/images/…`. Paths and payloads are InvokeAI's, but pages go by keyset."""

import json
from typing import Annotated, Any, Literal

from fastapi import Body, File, Form, Query, Response, UploadFile
from fastapi.responses import FileResponse
from pydantic import BaseModel, ConfigDict, Field

from impasto.api.parameters import App, NameParameter
from impasto.api.problems import ProblemError, ProblemItem, problem, problem_responses
from impasto.api.router import Router
from impasto.storage.images import ImageDTO, ImageFilter
from impasto_sdk.fields import JsonValue

__all__ = ["router"]

router = Router("/api/v1/images", "images")

ImageCategory = Literal["general", "mask", "control", "user", "other"]
#: Names are random and files never change, so whoever has one need never ask again.
FOREVER = {"Cache-Control": "private, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}
#: Most names that one request may change.
MOST_NAMES = 10_000

ImageNames = Annotated[list[str], Body(embed=True, max_length=MOST_NAMES, description="Names of images")]


class ImagePage(BaseModel):
    """A page of the gallery."""

    items: list[ImageDTO]
    limit: int
    offset: int = Field(default=0, description="Always 0: pages go on with `next_cursor`")
    total: int = Field(description="How many images match, on all pages")
    next_cursor: str | None = Field(description="Send it as `cursor` for the next page; null on the last")


class ImageNameList(BaseModel):
    """Names of images, in order of the gallery."""

    image_names: list[str]
    starred_count: int
    total_count: int


class ImageUrls(BaseModel):
    """Where an image is served, relative to the server's address."""

    image_name: str
    image_url: str
    thumbnail_url: str


class ImageChanges(BaseModel):
    """What to change; keys that are left out stay as they are."""

    model_config = ConfigDict(extra="forbid")

    starred: bool | None = None
    is_intermediate: bool | None = None
    image_category: ImageCategory | None = None
    session_id: str | None = None


class DeletedImages(BaseModel):
    """What was deleted."""

    affected_boards: list[str]
    deleted_images: list[str]


class StarredImages(BaseModel):
    """What was starred."""

    affected_boards: list[str]
    starred_images: list[str]


class UnstarredImages(BaseModel):
    """What was unstarred."""

    affected_boards: list[str]
    unstarred_images: list[str]
