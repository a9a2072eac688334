"""Cut a picture into tiles, one after the other.

The node yields: what follows works on the first tile while the rest of the picture is still uncut, and only one tile is
held in memory beside the picture.
"""

from collections.abc import Generator, Sequence

from impasto_image.pixels import workable
from impasto_sdk.context import InvocationContext
from impasto_sdk.errors import InvalidInputError
from impasto_sdk.fields import ImageCollectionOutput, ImageField, InputField
from impasto_sdk.node import BaseInvocation, WithBoard, WithMetadata, invocation

__all__ = ["MAX_TILES", "ImageTiles"]

#: Into so many tiles a picture is cut at most; more is a slip of the keyboard.
MAX_TILES = 10_000


@invocation(
    "image_tiles", title="Cut Image into Tiles", category="image", tags=["image", "tile", "crop"], version="1.0.0"
)
class ImageTiles(BaseInvocation, WithMetadata, WithBoard):
    """Cut a picture into tiles, row by row from the top left. Neighbours overlap, and together they cover all of it.

    All tiles are of one size; the last of a row or column ends where the picture does, and overlaps more to that end. A
    side of the picture that is shorter than a tile is taken whole.
    """

    image: ImageField = InputField(description="The image to cut")
    tile_width: int = InputField(512, gt=0, description="Width of a tile in pixels")
    tile_height: int = InputField(512, gt=0, description="Height of a tile in pixels")
    overlap: int = InputField(64, ge=0, description="Pixels that neighbours have in common, at least")

    def invoke(self, context: InvocationContext) -> Generator[ImageField, None, ImageCollectionOutput]:
        """Yields each tile as soon as it is saved.

        Raises `ImageNotFoundError`, or `InvalidInputError` for an overlap as large as a tile, or for too many tiles.
        """
        picture = workable(context.images.load(self.image))
        width, height = min(self.tile_width, picture.width), min(self.tile_height, picture.height)
        columns = self._starts(picture.width, width)
        rows = self._starts(picture.height, height)
        total = len(columns) * len(rows)
        if total > MAX_TILES:
            field = "tile_width" if width <= height else "tile_height"
            raise InvalidInputError(
                field, getattr(self, field), f"makes {total} tiles", f"use larger ones; {MAX_TILES} is the most"
            )
        tiles: list[ImageField] = []
        for y in rows:
            for x in columns:
                context.raise_if_cancelled()
                context.progress(len(tiles) / total, f"Tile {len(tiles) + 1} of {total}")
                tiles.append(context.images.save(picture.crop((x, y, x + width, y + height))).image)
                yield tiles[-1]
        return ImageCollectionOutput(collection=tiles)

    def _starts(self, length: int, tile: int) -> Sequence[int]:
        """Where the tiles of a row or column begin: a stride apart, the last so that it ends with the picture."""
        if length == tile:
            return [0]  # one tile has no neighbour, so no overlap to speak of
        stride = tile - self.overlap
        if stride < 1:
            raise InvalidInputError(
                "overlap", self.overlap, f"is no less than a tile of {tile} pixels", f"use {tile - 1} or less"
            )
        return [*range(0, length - tile, stride), length - tile]
