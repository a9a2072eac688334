"""The README tells of the models, sizes, options and prices that there are."""

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from support.documentation import node_table

import impasto_gemini
from impasto_gemini.models import MODELS
from impasto_gemini.node import GeminiImageGeneration
from impasto_gemini.options import GeminiOptions
from impasto_gemini.prices import PRICES
from impasto_gemini.sizes import EXTREME_RATIOS, GEMINI_2_5_SIZES, GEMINI_3_RATIOS
from impasto_sdk.providers import ExternalModel

README = (Path(impasto_gemini.__file__).parents[2] / "README.md").read_text("utf-8")
#: Tokens of one picture, from the service's own tables.
TOKENS = {
    "gemini-2.5": {None: 1290},
    "gemini-3-pro": {"1K": 1120, "2K": 1120, "4K": 2000},
    "gemini-3.1-flash": {"512": 747, "1K": 1120, "2K": 1680, "4K": 2520},
}


def price(model: ExternalModel) -> str:
    tokens = next(counts for family, counts in TOKENS.items() if model.id.startswith(family))
    dollars = [(f"${count * PRICES[model.id].images / 1_000_000:.3f}", size) for size, count in tokens.items()]
    by_price = [(cost, [size for _, size in same]) for cost, same in groupby(dollars, key=lambda one: one[0])]
    return ", ".join(
        cost if sizes == [None] else f"{cost} in {' and '.join(map(str, sizes))}" for cost, sizes in by_price
    )


def model_rows() -> Iterator[str]:
    for model in MODELS:
        able = model.capabilities
        assert able.modes == {"txt2img", "img2img"}
        sizes = ", ".join(able.image_sizes) or "one for each ratio"
        options = ", ".join(f"`{name}`" for name in model.option_names(GeminiOptions.model_fields))
        yield (
            f"| {model.name} | `{model.id}` | words, image | {able.max_input_images} | {sizes} | {options} "
            f"| {price(model)} |"
        )


def size_rows() -> Iterator[str]:
    for ratio, (width, height) in GEMINI_2_5_SIZES.items():
        other = "{} × {}".format(*GEMINI_3_RATIOS[ratio])
        yield f"| {ratio} | {width} × {height} | {other} |"
    for ratio, (width, height) in EXTREME_RATIOS.items():
        yield f"| {ratio} | – | {width} × {height} (3.1 Flash) |"


def test_the_table_of_models_is_up_to_date() -> None:
    assert "\n".join(model_rows()) in README


def test_the_table_of_sizes_is_up_to_date() -> None:
    assert "\n".join(size_rows()) in README


def test_the_table_of_nodes_is_up_to_date() -> None:
    assert node_table([GeminiImageGeneration]) in README


def test_every_option_is_told_with_its_description() -> None:
    for name, info in GeminiOptions.model_fields.items():
        row = next(line for line in README.splitlines() if line.startswith(f"| `{name}` |"))
        assert row.endswith(f"| {info.description} |")
