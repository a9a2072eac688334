"""`FakeImages`: an image library in memory, which encodes and decodes as the real one does."""

import io
from collections.abc import Mapping
from dataclasses import dataclass

from PIL import Image

from impasto_sdk.context import ImageRecord
from impasto_sdk.errors import ImageNotFoundError, InvalidInputError
from impasto_sdk.fields import BoardField, ImageField, ImageOutput, JsonValue, MetadataField
from impasto_sdk.node import BaseInvocation

__all__ = ["FakeImages", "SavedImage"]

#: The file formats that a library takes, with their endings.
_ENDINGS: Mapping[str, str] = {"PNG": "png", "JPEG": "jpg", "WEBP": "webp"}


@dataclass(frozen=True, slots=True)
class SavedImage:
    """A picture in the library: what is known of it, and its file."""

    record: ImageRecord
    data: bytes

    @property
    def field(self) -> ImageField:
        """The value that refers to it on an edge."""
        return ImageField(image_name=self.record.image_name)

    @property
    def picture(self) -> Image.Image:
        """The decoded picture; a new one each time, so that no node changes another's."""
        with Image.open(io.BytesIO(self.data)) as picture:
            return picture.copy()


class FakeImages:
    """The `ImageAccess` of a `FakeContext`. Put pictures in with `add`; find what a node saved in `saved`.

    Names count up (``image-1.png``, ``image-2.png`` …), so that two runs give the same output.
    """

    def __init__(self) -> None:
        #: What nodes saved, in order; pictures that were added beforehand are not among them.
        self.saved: list[SavedImage] = []
        #: The running node, whose metadata, board and `is_intermediate` are the defaults of a save.
        self.node: BaseInvocation | None = None
        self._images: dict[str, SavedImage] = {}

    def add(self, image: Image.Image | bytes, *, metadata: dict[str, JsonValue] | None = None) -> ImageField:
        """Put a picture, or an encoded one, into the library before a node runs."""
        data = image if isinstance(image, bytes) else _encode(image)
        return self._keep(data, ImageRecord(image_name="", width=0, height=0, metadata=metadata)).field

    def load(self, image: ImageField, mode: str | None = None) -> Image.Image:
        """See `ImageAccess.load`."""
        picture = self._find(image).picture
        return picture if mode is None or picture.mode == mode else picture.convert(mode)

    def load_bytes(self, image: ImageField) -> bytes:
        """See `ImageAccess.load_bytes`."""
        return self._find(image).data

    def record(self, image: ImageField) -> ImageRecord:
        """See `ImageAccess.record`."""
        return self._find(image).record

    def save(
        self,
        image: Image.Image,
        *,
        category: str = "general",
        metadata: MetadataField | None = None,
        board: BoardField | None = None,
        is_intermediate: bool | None = None,
    ) -> ImageOutput:
        """See `ImageAccess.save`."""
        return self.save_bytes(
            _encode(image), category=category, metadata=metadata, board=board, is_intermediate=is_intermediate
        )

    def save_bytes(
        self,
        data: bytes,
        *,
        category: str = "general",
        metadata: MetadataField | None = None,
        board: BoardField | None = None,
        is_intermediate: bool | None = None,
        embed: bool = True,
    ) -> ImageOutput:
        """See `ImageAccess.save_bytes`. Here nothing is written into a file in any case."""
        metadata = metadata or getattr(self.node, "metadata", None)
        board = board or getattr(self.node, "board", None)
        if is_intermediate is None:
            is_intermediate = self.node is not None and self.node.is_intermediate
        kept = self._keep(
            data,
            ImageRecord(
                image_name="",
                width=0,
                height=0,
                image_category=category,
                is_intermediate=is_intermediate,
                board_id=board.board_id if board else None,
                metadata=metadata.root if metadata else None,
            ),
        )
        self.saved.append(kept)
        return ImageOutput(image=kept.field, width=kept.record.width, height=kept.record.height)

    def _keep(self, data: bytes, record: ImageRecord) -> SavedImage:
        """Store a file under a name of its own; size and name of `record` are filled in."""
        try:
            with Image.open(io.BytesIO(data), formats=list(_ENDINGS)) as picture:
                width, height = picture.size
                ending = _ENDINGS[picture.format or "PNG"]
        except OSError as error:
            raise InvalidInputError("data", data[:16], "the bytes are no PNG, JPEG or WebP") from error
        name = f"image-{len(self._images) + 1}.{ending}"
        kept = SavedImage(record.model_copy(update={"image_name": name, "width": width, "height": height}), data)
        self._images[name] = kept
        return kept

    def _find(self, image: ImageField) -> SavedImage:
        try:
            return self._images[image.image_name]
        except KeyError:
            held = ", ".join(self._images) or "none"
            raise ImageNotFoundError(image.image_name, f"this context holds {held}") from None


def _encode(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format="PNG")
    return buffer.getvalue()
