"""The words that the starter model learned. Others it has never seen.

The training scripts draw with the same lists, and a test holds the two together. The plugin makes its description of
them; a program that wants prompts the model can draw may take them from here.
"""

__all__ = ["BACKGROUNDS", "COLOURS", "PLACES", "RELATIONS", "SHAPES", "SIZES"]

#: Colours of shapes.
COLOURS = (
    "red",
    "orange",
    "yellow",
    "green",
    "cyan",
    "blue",
    "purple",
    "pink",
    "brown",
    "black",
    "gray",
    "white",
)
#: What it draws.
SHAPES = ("circle", "square", "triangle", "star", "heart", "ring", "diamond", "cross", "hexagon", "moon")
#: Colours of backgrounds: ``on a … background``.
BACKGROUNDS = ("white", "black", "gray", "yellow", "blue", "green", "pink", "cyan")
#: Sizes of a single shape, before its colour; without one it is in between.
SIZES = ("small", "large")
#: Where a single shape lies; without one it lies in the middle.
PLACES = ("on the left", "on the right", "at the top", "at the bottom")
#: How two shapes lie to each other.
RELATIONS = ("and", "to the left of", "to the right of", "above", "below")
