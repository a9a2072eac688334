"""The README lists the node, the models, the options and the prices that there are."""

from pathlib import Path
from typing import get_args

from support.documentation import node_table

import impasto_openai
from impasto_openai.models import MODELS
from impasto_openai.node import OpenAIImageGeneration
from impasto_openai.options import OpenAIOptions
from impasto_openai.prices import PICTURE_PRICES, TOKEN_PRICES
from impasto_openai.provider import OpenAIProvider
from impasto_sdk.providers.capabilities import MODES

README = (Path(impasto_openai.__file__).parents[2] / "README.md").read_text("utf-8")


def model_table() -> str:
    rows = [
        "| Model | Modes | Sizes | Pictures in one request | Images sent along | Prompt |",
        "|---|---|---|--:|--:|--:|",
    ]
    for model in MODELS:
        able = model.capabilities
        modes = ", ".join(f"`{mode}`" for mode in MODES if mode in able.modes)
        sizes = ", ".join(f"{preset.width}×{preset.height}" for preset in able.presets)
        rows.append(
            f"| {model.name}, `{model.id}` | {modes} | {sizes} | {able.max_images_per_request} | "
            f"{able.max_input_images or 0} | {able.max_prompt_length:,} |"
        )
    return "\n".join(rows)


def option_rows() -> list[str]:
    """How each option's row begins: its name, its values, its default, and the models that take it."""
    rows = []
    for name, info in OpenAIOptions.model_fields.items():
        literals = [value for part in (info.annotation, *get_args(info.annotation)) for value in get_args(part)]
        words = [value for value in literals if isinstance(value, str)]
        values = ", ".join(f"`{word}`" for word in words) or " to ".join(
            str(bound) for item in info.metadata for bound in (getattr(item, "ge", None), getattr(item, "le", None))
            if bound is not None
        )  # fmt: skip
        default = "not set" if info.default is None else f"`{info.default}`"
        takers = [model.name for model in MODELS if name in (model.options or ())]
        rows.append(f"| `{name}` | {values} | {default} | {_names(takers)} |")
    return rows


def price_table() -> str:
    rows = [
        "| Dollars for a million tokens | Words in | Images in | Pictures out | Words out |",
        "|---|--:|--:|--:|--:|",
    ]
    for model, prices in TOKEN_PRICES.items():
        words_out = "–" if prices.text_output is None else f"{prices.text_output:.2f}"
        dollars = (prices.text_input, prices.image_input, prices.image_output)
        rows.append(f"| `{model}` | {' | '.join(f'{one:.2f}' for one in dollars)} | {words_out} |")
    return "\n".join(rows)


def _names(takers: list[str]) -> str:
    return "all" if len(takers) == len(MODELS) else ", ".join(takers)


def test_the_node_is_listed() -> None:
    assert node_table([OpenAIImageGeneration]) in README


def test_the_table_of_models_is_up_to_date() -> None:
    assert model_table() in README


def test_the_table_of_options_is_up_to_date() -> None:
    for row in option_rows():
        assert row in README


def test_the_prices_are_those_that_are_counted_with() -> None:
    assert price_table() in README
    for (_, quality, size), dollars in PICTURE_PRICES.items():
        assert f"| `{quality}` | {size.replace('x', '×')} | {dollars:.2f} |" in README


def test_where_keys_come_from_and_where_the_service_is_are_said() -> None:
    assert OpenAIProvider.default_base_url in README
    assert "https://platform.openai.com/api-keys" in README
