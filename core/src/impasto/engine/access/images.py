"""`WireImages`: the image library as a running node sees it; the library itself is the server's.

Pictures are encoded and decoded here, in the worker, so that the server only moves bytes.
"""

from typing import TYPE_CHECKING

from impasto.engine.protocol import Request
from impasto.engine.wire import Wire
from impasto.errors import UnreadableImageError
from impasto.storage.pictures import decode, encode_png
from impasto_sdk.context import ImageRecord
from impasto_sdk.errors import InvalidInputError
from impasto_sdk.fields import BoardField, ImageField, ImageOutput, MetadataField
from impasto_sdk.node import BaseInvocation

if TYPE_CHECKING:  # it enters the core by way of storage only
    from PIL.Image import Image

__all__ = ["WireImages"]


class WireImages:
    """An `ImageAccess`. `node` gives what a save does not say: metadata, board, whether it is intermediate.

    The name of each image that is saved is added to `saved`.
    """

    def __init__(self, wire: Wire, node: BaseInvocation, saved: list[str]) -> None:
        self._wire = wire
        self._node = node
        self._saved = saved

    def load(self, image: ImageField, mode: str | None = None) -> "Image":
        """See `ImageAccess.load`."""
        picture = decode(self.load_bytes(image))
        return picture if mode is None or picture.mode == mode else picture.convert(mode)

    def save(
        self,
        image: "Image",
        *,
        category: str = "general",
        metadata: MetadataField | None = None,
        board: BoardField | None = None,
        is_intermediate: bool | None = None,
    ) -> ImageOutput:
        """See `ImageAccess.save`."""
        return self._save(encode_png(image), category, metadata, board, is_intermediate, embed=True)

    def load_bytes(self, image: ImageField) -> bytes:
        """See `ImageAccess.load_bytes`."""
        return self._wire.request(Request.IMAGE_LOAD, {"name": image.image_name}).parts[0]

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
        """See `ImageAccess.save_bytes`."""
        try:
            return self._save(data, category, metadata, board, is_intermediate, embed=embed)
        except UnreadableImageError as error:
            raise InvalidInputError("data", data[:16], error.problem, "PNG, JPEG and WebP are taken") from error

    def record(self, image: ImageField) -> ImageRecord:
        """See `ImageAccess.record`."""
        answer = self._wire.request(Request.IMAGE_RECORD, {"name": image.image_name})
        return ImageRecord.model_validate(answer.body["record"])

    def _save(
        self,
        data: bytes,
        category: str,
        metadata: MetadataField | None,
        board: BoardField | None,
        is_intermediate: bool | None,
        *,
        embed: bool,
    ) -> ImageOutput:
        metadata = metadata or getattr(self._node, "metadata", None)
        board = board or getattr(self._node, "board", None)
        answer = self._wire.request(
            Request.IMAGE_SAVE,
            {
                "node_id": self._node.id,
                "category": category,
                "metadata": metadata.model_dump(mode="json") if metadata else None,
                "board_id": board.board_id if board else None,
                "is_intermediate": self._node.is_intermediate if is_intermediate is None else is_intermediate,
                "embed": embed,
            },
            [data],
        )
        body = answer.body
        self._saved.append(body["image_name"])
        return ImageOutput(image=ImageField(image_name=body["image_name"]), width=body["width"], height=body["height"])
