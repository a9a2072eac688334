"""The image library: pictures as files, what is known of them as rows, and both kept in step.

Workers encode and decode pictures with `impasto.storage.pictures`, which knows no database, and do not come in here.
"""

from impasto.storage.images.dto import ImageChanges, ImageDocuments, ImageDTO, ImageNames, ImagePage, ImageQuery
from impasto.storage.images.library import ImageLibrary
from impasto.storage.images.upkeep import Tidied

__all__ = [
    "ImageChanges",
    "ImageDTO",
    "ImageDocuments",
    "ImageLibrary",
    "ImageNames",
    "ImagePage",
    "ImageQuery",
    "Tidied",
]
