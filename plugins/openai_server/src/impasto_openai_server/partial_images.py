"""`PartialImages`: which of the many previews of a picture are sent, so that a few show the way. Pure."""

__all__ = ["PartialImages"]


class PartialImages:
    """Picks previews: of n, the first that is 1/(n + 1) of the way, the first that is 2/(n + 1), and so on."""

    def __init__(self, count: int) -> None:
        """`count`: how many for each picture."""
        self._count = count
        self._sent: dict[int, int] = {}

    def place(self, picture: int, share: float) -> int | None:
        """The place from 0 that a preview of a picture has among those that are sent; None: it is not sent.

        `share`: how far the picture is, 0 to 1. Where many are missed because the picture came quickly, the next one
        takes the next place all the same, so that places have no gaps.
        """
        sent = self._sent.get(picture, 0)
        if sent >= self._count or share * (self._count + 1) < sent + 1:
            return None
        self._sent[picture] = sent + 1
        return sent
