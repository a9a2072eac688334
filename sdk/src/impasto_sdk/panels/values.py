"""`PanelValues`: the values that `build_graph` is given, as a mapping with typed getters.

They have passed `check`: what is required is there, and what is there has its field's type. A getter is for
a key that the panel has; for one that is absent, hidden or switched off it gives None, or raises `PanelValuesError`
when it was asked to insist.
"""

from collections.abc import Iterator, Mapping

from impasto_sdk.errors import PanelProblem, PanelValuesError
from impasto_sdk.fields import ColorField, ImageField, JsonValue, ModelIdentifierField

__all__ = ["PanelValues"]


class PanelValues(Mapping[str, JsonValue]):
    """Effective values of a panel, of a section or of one item; read only.

    ``values["steps"]`` gives the JSON value and raises `KeyError` when it is absent. The getters below raise
    `PanelValuesError`, naming panel and key, for a value that is absent or null; their ``*_or_none`` forms give None.
    """

    def __init__(self, panel: str, values: Mapping[str, JsonValue], path: str = "") -> None:
        self.panel = panel
        self._values = values
        self._path = path

    def __getitem__(self, key: str) -> JsonValue:
        return self._values[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"PanelValues({self.panel!r}, {dict(self._values)!r})"

    def text(self, key: str) -> str:
        """The text of `key`; empty when it is absent."""
        return str(self._values.get(key) or "")

    def integer(self, key: str) -> int:
        """The whole number of `key`."""
        return int(self._needed(key))

    def number(self, key: str) -> float:
        """The number of `key`."""
        return float(self._needed(key))

    def boolean(self, key: str) -> bool:
        """Whether `key` is true; absent is false."""
        return bool(self._values.get(key))

    def size(self, key: str) -> tuple[int, int]:
        """Width and height of `key`, in pixels."""
        value = self._needed(key)
        return int(value["width"]), int(value["height"])

    def seed(self, key: str) -> int:
        """The number that the seed field `key` came to."""
        value = self._needed(key)
        if value.get("value") is None:
            raise self._missing(key, "the seed has no value yet; draw it before the graph is built")
        return int(value["value"])

    def model(self, key: str) -> ModelIdentifierField:
        """The model of `key`."""
        return ModelIdentifierField.model_validate(self._needed(key))

    def model_or_none(self, key: str) -> ModelIdentifierField | None:
        """The model of `key`, or None when none was chosen."""
        return self.model(key) if self._values.get(key) else None

    def image(self, key: str) -> ImageField:
        """The image or mask of `key`."""
        return ImageField.model_validate(self._needed(key))

    def image_or_none(self, key: str) -> ImageField | None:
        """The image or mask of `key`, or None when there is none."""
        return self.image(key) if self._values.get(key) else None

    def images(self, key: str) -> list[ImageField]:
        """The images of `key`; none when it is absent."""
        return [ImageField.model_validate(image) for image in self._values.get(key) or ()]

    def colour(self, key: str) -> ColorField:
        """The colour of `key`."""
        digits = str(self._needed(key)).removeprefix("#")
        red, green, blue, alpha = bytes.fromhex(digits if len(digits) == 8 else digits + "ff")
        return ColorField(r=red, g=green, b=blue, a=alpha)

    def section(self, section_id: str) -> "PanelValues":
        """The values of a contributed section that does not repeat; empty when it is hidden or off."""
        return PanelValues(self.panel, self._values.get(section_id) or {}, f"{self._path}/{section_id}")

    def items_of(self, section_id: str) -> list["PanelValues"]:
        """The items of a section that repeats; none when it is hidden."""
        items = self._values.get(section_id) or ()
        return [PanelValues(self.panel, item, f"{self._path}/{section_id}/{n}") for n, item in enumerate(items)]

    def _needed(self, key: str) -> JsonValue:
        value = self._values.get(key)
        if value is None:
            raise self._missing(key, f"there is no value; there are {', '.join(self._values) or 'none'}")
        return value

    def _missing(self, key: str, problem: str) -> PanelValuesError:
        return PanelValuesError(self.panel, [PanelProblem(f"{self._path}/{key}", problem)])
