"""What is on a picture: the colours and the place of one object on a plain background."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

#: The colours the starter model was trained with, as RGB.
COLOURS = {
    "red": (220, 40, 40), "orange": (245, 140, 30), "yellow": (245, 215, 50), "green": (50, 165, 70),
    "cyan": (60, 200, 215), "blue": (45, 85, 215), "purple": (135, 60, 185), "pink": (245, 140, 185),
    "brown": (125, 80, 45), "black": (25, 25, 28), "gray": (135, 138, 142), "white": (245, 245, 245),
}  # fmt: skip


@dataclass(frozen=True)
class Seen:
    """What was found on a picture."""

    object_colour: str
    background_colour: str
    #: Centre of the object, 0 to 1 from the left and from the top.
    x: float
    y: float


def look(picture: Image.Image) -> Seen:
    """The object is whatever differs from the median colour of the picture's rim."""
    small = np.asarray(picture.convert("RGB").resize((64, 64), Image.Resampling.BOX)).astype(float)
    rim = np.concatenate(
        [small[:4].reshape(-1, 3), small[-4:].reshape(-1, 3), small[:, :4].reshape(-1, 3), small[:, -4:].reshape(-1, 3)]
    )
    background = np.median(rim, 0)
    distance = np.abs(small - background).sum(2)
    mask = distance > max(60, 0.5 * distance.max())
    assert mask.any(), "the picture is one plain colour"
    rows, columns = np.nonzero(mask)
    return Seen(
        object_colour=_nearest(np.median(small[mask], 0)),
        background_colour=_nearest(background),
        x=float(columns.mean() / 63),
        y=float(rows.mean() / 63),
    )


def _nearest(rgb: np.ndarray) -> str:
    return min(COLOURS, key=lambda name: sum((a - b) ** 2 for a, b in zip(COLOURS[name], rgb, strict=True)))
