"""The hooks of impasto-starter: one model, offered to every new installation."""

from collections.abc import Sequence
from pathlib import Path

from impasto_sdk.hookspecs import hookimpl
from impasto_sdk.models import StarterModel
from impasto_starter.vocabulary import BACKGROUNDS, COLOURS, SHAPES

__all__ = ["MODEL_FOLDER", "register_starter_models"]

#: The diffusers folder with the weights.
MODEL_FOLDER = Path(__file__).parent / "model"

_DESCRIPTION = (
    "Draws one or two shapes on a plain background, 128 × 128 pixels, 25 MB, Apache-2.0. "
    f"Shapes: {', '.join(SHAPES)}. Colours: {', '.join(COLOURS)}. Backgrounds: {', '.join(BACKGROUNDS)}. "
    "Write 'a red star on a blue background', or 'a red star to the left of a green ring on a white background'; "
    "guidance 4 to 6, 20 to 30 steps."
)


@hookimpl
def register_starter_models() -> Sequence[StarterModel]:
    """The model in this package, registered in place by the first start: no download and no question."""
    return [
        StarterModel(
            id="impasto-starter",
            name="Impasto starter",
            description=_DESCRIPTION,
            source=str(MODEL_FOLDER),
            base="sd-1",
            type="main",
            format="diffusers",
            install_at_first_start=True,
        )
    ]
