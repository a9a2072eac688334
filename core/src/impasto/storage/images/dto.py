"""What the image library says of images, what it is asked for, and what may be changed.

Names follow InvokeAI's, and every null is present.
"""

from dataclasses import dataclass
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict

from impasto_sdk.fields import JsonValue

__all__ = [
    "CATEGORIES",
    "ORIGINS",
    "UNCATEGORIZED",
    "ImageCategory",
    "ImageChanges",
    "ImageDTO",
    "ImageDocuments",
    "ImageNames",
    "ImageOrigin",
    "ImagePage",
    "ImageQuery",
]

#: What an image is for. The gallery shows ``general``; the others are what images are made from.
ImageCategory = Literal["general", "mask", "control", "user", "other"]
#: Made here, or brought from outside.
ImageOrigin = Literal["internal", "external"]
CATEGORIES: tuple[str, ...] = get_args(ImageCategory)
ORIGINS: tuple[str, ...] = get_args(ImageOrigin)
#: Asked for as a board: images that are on none.
UNCATEGORIZED = "none"


class ImageDTO(BaseModel):
    """An image as clients see it. Addresses are relative to the server's root."""

    model_config = ConfigDict(frozen=True)

    image_name: str
    image_url: str
    thumbnail_url: str
    image_origin: str
    image_category: str
    width: int
    height: int
    created_at: str
    updated_at: str
    deleted_at: str | None
    is_intermediate: bool
    session_id: str | None
    node_id: str | None
    starred: bool
    has_workflow: bool
    board_id: str | None


class ImageChanges(BaseModel):
    """What may be changed of an image; what is left out stays as it is."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    image_category: ImageCategory = "general"
    session_id: str | None = None
    is_intermediate: bool = False
    starred: bool = False
    board_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageQuery:
    """Which images, and in which order. What is None does not matter."""

    #: One of these.
    categories: tuple[ImageCategory, ...] | None = None
    image_origin: ImageOrigin | None = None
    #: Whether it is a step on the way.
    is_intermediate: bool | None = None
    #: On this board; ``none``: on no board.
    board_id: str | None = None
    #: Words of the metadata, each by its beginning, or the day, e.g. ``2026-03-01``.
    search_term: str | None = None
    #: Starred images before the others.
    starred_first: bool = True
    #: Newest before oldest, or the other way round.
    newest_first: bool = True


@dataclass(frozen=True, slots=True)
class ImagePage:
    """Some images in order."""

    items: list[ImageDTO]
    #: What to ask for the next page with; None: there is none.
    next: str | None


@dataclass(frozen=True, slots=True)
class ImageNames:
    """The names of all images of a query, in order: what a virtual list is drawn from."""

    image_names: list[str]
    starred_count: int
    total_count: int


@dataclass(frozen=True, slots=True)
class ImageDocuments:
    """What an image was made with, as documents."""

    graph: JsonValue
    workflow: JsonValue
