"""What is kept with a picture of an external service, and which picture of its node it is. Pure.

All names begin with ``external_``; they go into the picture's metadata, beside what any node writes there.
"""

import json
from collections.abc import Mapping
from typing import Any

from impasto_sdk.fields import JsonValue
from impasto_sdk.providers.request import ExternalGenerationRequest, ExternalGenerationResult, ExternalImage

__all__ = ["copied_facts", "facts_of", "number_of"]

PREFIX = "external_"


def facts_of(
    provider_id: str,
    asked: ExternalGenerationRequest,
    sent: ExternalGenerationRequest,
    result: ExternalGenerationResult,
    image: ExternalImage,
    number: int,
) -> dict[str, JsonValue]:
    """The facts of picture `number` of a node that `asked` for pictures, which came back for the request `sent`.

    The sizes say what was requested and what was sent instead; ``external_request`` is of the whole request, which may
    have given several pictures.
    """
    seed = image.seed if image.seed is not None else sent.seed
    facts: dict[str, JsonValue] = {
        "provider": provider_id,
        "model": sent.model,
        "number": number,
        "options": dict(sent.provider_options),
        "size": {
            "requested": {"width": asked.width, "height": asked.height, "image_size": asked.image_size},
            "sent": {
                "width": sent.width,
                "height": sent.height,
                "aspect_ratio": sent.aspect_ratio,
                "image_size": sent.image_size,
            },
            "changed": (asked.width, asked.height) != (sent.width, sent.height),
        },
        "request": {
            "id": result.request_id,
            "images": len(result.images),
            "input_tokens": result.input_tokens,
            "output_tokens": result.output_tokens,
            "cost_usd": result.cost_usd,
        },
        "seed": seed,
        "revised_prompt": image.revised_prompt,
        "details": dict(result.metadata) or None,
    }
    if asked.seed is not None and seed is None:
        facts["notice"] = f"seed = {asked.seed} was not sent: the model takes none"
    return _as_json({f"{PREFIX}{name}": fact for name, fact in facts.items() if fact is not None})


def _as_json(facts: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """The same, with a text for what JSON and UTF-8 cannot hold: no picture is lost for what is said of it."""
    text = json.dumps(facts, default=str, skipkeys=True, ensure_ascii=False).encode(errors="replace")
    made: dict[str, JsonValue] = json.loads(text, parse_constant=str)
    return made


def copied_facts(facts: Mapping[str, Any], image_name: str) -> dict[str, JsonValue]:
    """The facts of a picture that is saved once more, from those of the first one, whose name is `image_name`."""
    kept = {name: fact for name, fact in facts.items() if name.startswith(PREFIX)}
    return {**kept, f"{PREFIX}copy_of": image_name}


def number_of(facts: Mapping[str, Any] | None) -> int | None:
    """Which picture of its node one is, from 0; None when its facts do not say so."""
    number = (facts or {}).get(f"{PREFIX}number")
    return number if isinstance(number, int) else None
