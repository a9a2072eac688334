"""`cost_usd`: what a request has cost, worked out from the tokens that the service counted. Pure.

Prices are those of the paid tier, standard, of https://ai.google.dev/gemini-api/docs/pricing as of 2026-09-05. They are
an estimate: an account may have other terms.
"""

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["PRICES", "Prices", "TokenCounts", "cost_usd"]


@dataclass(frozen=True, slots=True)
class Prices:
    """US dollars for a million tokens."""

    #: Of the prompt, pictures in it included.
    prompt: float
    #: Of words that come back, thoughts included.
    words: float
    #: Of pictures that come back.
    images: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenCounts:
    """Tokens of one request, as the service counted them."""

    prompt: int
    #: What came back, pictures included, thoughts not.
    answer: int
    #: Those of `answer` that are pictures; None: the service does not say.
    images: int | None
    thoughts: int


_FLASH_2_5 = Prices(prompt=0.30, words=2.50, images=30.0)
_PRO_3 = Prices(prompt=2.00, words=12.00, images=120.0)
_FLASH_3_1 = Prices(prompt=0.50, words=3.00, images=60.0)

#: By model id.
PRICES: Mapping[str, Prices] = {
    "gemini-2.5-flash-image": _FLASH_2_5,
    "gemini-3-pro-image-preview": _PRO_3,
    "gemini-3-pro-image": _PRO_3,
    "gemini-3.1-flash-image-preview": _FLASH_3_1,
    "gemini-3.1-flash-image": _FLASH_3_1,
}


def cost_usd(model: str, counts: TokenCounts) -> float | None:
    """US dollars for a request with these counts; None for a model whose prices are not known here."""
    prices = PRICES.get(model)
    if prices is None:
        return None
    # pictures are all that is asked for, so that an answer without a breakdown is taken for pictures
    images = counts.answer if counts.images is None else counts.images
    words = counts.answer - images + counts.thoughts
    total = counts.prompt * prices.prompt + words * prices.words + images * prices.images
    return round(total / 1_000_000, 6)
