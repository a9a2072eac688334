"""What a request cost, from the tokens or the pictures that it came to and OpenAI's published prices. Pure.

Prices in US dollars, looked up on 22 November 2026. GPT Image 1 and 1 Mini: their pages at
https://developers.openai.com/api/docs/models. GPT Image 1.5 and DALL·E 3: as price tables of others quote OpenAI's, for
its own page of the one was not at hand, and that of the other names no price since the model was shut down.
Discounts (cached input, batches) are not taken into account: the service does not say which tokens they apply to.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from impasto_openai.usage import TokenUsage

__all__ = ["PICTURE_PRICES", "TOKEN_PRICES", "TokenPrices", "cost_of_pictures", "cost_of_tokens"]

_MILLION = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenPrices:
    """Dollars for a million tokens."""

    text_input: float
    image_input: float
    image_output: float
    #: None: the model is not said to write any.
    text_output: float | None = None


#: By model.
TOKEN_PRICES: Mapping[str, TokenPrices] = {
    "gpt-image-1": TokenPrices(text_input=5.00, image_input=10.00, image_output=40.00),
    "gpt-image-1.5": TokenPrices(text_input=5.00, image_input=8.00, image_output=32.00, text_output=10.00),
    "gpt-image-1-mini": TokenPrices(text_input=2.00, image_input=2.50, image_output=8.00),
}
#: Dollars for one picture, by model, the service's word for the quality, and size.
PICTURE_PRICES: Mapping[tuple[str, str, str], float] = {
    ("dall-e-3", "standard", "1024x1024"): 0.04,
    ("dall-e-3", "standard", "1792x1024"): 0.08,
    ("dall-e-3", "standard", "1024x1792"): 0.08,
    ("dall-e-3", "hd", "1024x1024"): 0.08,
    ("dall-e-3", "hd", "1792x1024"): 0.12,
    ("dall-e-3", "hd", "1024x1792"): 0.12,
}


def cost_of_tokens(model: str, usage: TokenUsage) -> float | None:
    """Dollars for a request of a model that is paid by tokens; None when a price, or what kind they are, is unknown."""
    prices = TOKEN_PRICES.get(model)
    if prices is None or usage.text_input is None or usage.image_input is None:
        return None
    if usage.text_output and prices.text_output is None:
        return None
    dollars = (
        usage.text_input * prices.text_input
        + usage.image_input * prices.image_input
        + usage.image_output * prices.image_output
        + usage.text_output * (prices.text_output or 0.0)
    ) / _MILLION
    return round(dollars, 6)


def cost_of_pictures(model: str, quality: str, size: str, count: int) -> float | None:
    """Dollars for `count` pictures of a model that is paid by the picture; None when the price is unknown."""
    price = PICTURE_PRICES.get((model, quality, size))
    return None if price is None else round(price * count, 6)
