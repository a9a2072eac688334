"""Answers of the Gemini API as it gives them, for a `StandIn` that speaks its wire format; a context that asks it. ::

    with StandIn() as service:
        service.answers(pictures(signed_picture()), exhausted("27s"), blocked_prompt("SAFETY"))
        run_node(GeminiImageGeneration(model=gemini_model("gemini-2.5-flash-image"), …), gemini_context(service.url))

Shapes are those of ``GenerateContentResponse`` (https://ai.google.dev/api/generate-content) and of Google's errors
(https://google.aip.dev/193), recorded with what a request does not depend on left in.
"""

import base64
from collections.abc import Sequence
from typing import Any

from impasto_gemini.provider import GeminiProvider
from impasto_sdk.fields import ModelIdentifierField
from impasto_sdk.models import ModelRecord
from impasto_sdk.testing import FakeContext
from support.provider_contexts import provider_context, records_of
from support.stand_in import Reply

__all__ = [
    "GEMINI_KEY",
    "blocked_prompt",
    "exhausted",
    "failure",
    "gemini_context",
    "gemini_model",
    "gemini_records",
    "image_part",
    "model_list",
    "parts",
    "pictures",
    "refused_key",
    "withheld",
    "words_only",
]

#: A key of the form that the service gives out. It opens nothing.
GEMINI_KEY = "AIzaSyD-stand-in-key-which-opens-nothing"
_RESPONSE_ID = "mVIDaa7XLfyD_uMP0ZuMoQE"
_TYPES = {b"\x89PNG": "image/png", b"\xff\xd8\xff\xeb": "image/jpeg", b"RIFF": "image/webp"}


def gemini_records() -> dict[str, ModelRecord]:
    """The records of the provider's models, by the id that the service knows."""
    return records_of(GeminiProvider)


def gemini_model(model_id: str) -> ModelIdentifierField:
    """What a node's `model` is to be for one of them."""
    return gemini_records()[model_id].identifier()


def gemini_context(url: str, *, api_key: str | None = GEMINI_KEY, places: int = 4) -> FakeContext:
    """A context with all of the provider's models and a key, whose Gemini API is at `url`."""
    return provider_context(GeminiProvider, url, api_key=api_key, places=places)


def image_part(data: bytes, **more: Any) -> dict[str, Any]:
    """A picture among the parts of an answer; ``thought=True``: a draft."""
    media_type = next(media for magic, media in _TYPES.items() if data.startswith(magic))
    return {"inlineData": {"mimeType": media_type, "data": base64.b64encode(data).decode()}, **more}


def pictures(*data: bytes, tokens: int = 1290, prompt_tokens: int = 8) -> Reply:
    """An answer with pictures. `tokens`: of each."""
    return parts(*map(image_part, data), tokens=tokens * len(data), prompt_tokens=prompt_tokens)


def parts(
    *found: dict[str, Any], tokens: int = 1290, words: int = 0, thoughts: int = 0, prompt_tokens: int = 8
) -> Reply:
    """An answer with these parts. `tokens` are of pictures, `words` and `thoughts` come on top."""
    usage: dict[str, Any] = {
        "promptTokenCount": prompt_tokens,
        "candidatesTokenCount": tokens + words,
        "totalTokenCount": prompt_tokens + tokens + words + thoughts,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": prompt_tokens}],
        "candidatesTokensDetails": [{"modality": "IMAGE", "tokenCount": tokens}],
    }
    if thoughts:
        usage["thoughtsTokenCount"] = thoughts
    return _answer(
        {"content": {"parts": list(found), "role": "model"}, "finishReason": "STOP", "index": 0}, usageMetadata=usage
    )


def words_only(text: str, finish_reason: str = "STOP") -> Reply:
    """An answer without a picture, in which the model says something."""
    return _answer(
        {"content": {"parts": [{"text": text}], "role": "model"}, "finishReason": finish_reason, "index": 0},
        usageMetadata={"promptTokenCount": 8, "candidatesTokenCount": 21, "totalTokenCount": 29},
    )


def withheld(finish_reason: str, message: str | None = None, harms: Sequence[str] = ()) -> Reply:
    """An answer whose picture the service's rules keep back."""
    candidate: dict[str, Any] = {"content": {}, "finishReason": finish_reason, "index": 0}
    if message is not None:
        candidate["finishMessage"] = message
    if harms:
        candidate["safetyRatings"] = [_rating(harm) for harm in harms]
    return _answer(candidate, usageMetadata={"promptTokenCount": 8, "totalTokenCount": 8})


def blocked_prompt(reason: str, harms: Sequence[str] = ()) -> Reply:
    """An answer to a prompt that the service's rules refuse: no candidates."""
    feedback: dict[str, Any] = {"blockReason": reason}
    if harms:
        feedback["safetyRatings"] = [_rating(harm) for harm in harms]
    return _answer(promptFeedback=feedback, usageMetadata={"promptTokenCount": 8, "totalTokenCount": 8})


def failure(code: int, status: str, message: str, *details: dict[str, Any], **headers: str) -> Reply:
    """An error's document; names of details are those behind ``google.rpc.``."""
    error: dict[str, Any] = {"code": code, "message": message, "status": status}
    if details:
        error["details"] = list(details)
    return Reply.json({"error": error}, code, **headers)


def refused_key(message: str = "API key not valid. Please pass a valid API key.") -> Reply:
    """What a wrong key is answered with: a bad request."""
    info = {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": "API_KEY_INVALID",
        "domain": "googleapis.com",
        "metadata": {"service": "generativelanguage.googleapis.com"},
    }
    return failure(400, "INVALID_ARGUMENT", message, info)


def exhausted(
    retry_delay: str | None = None,
    *,
    quota: str = "GenerateRequestsPerMinutePerProjectPerModel",
    value: str = "10",
    **headers: str,
) -> Reply:
    """Too many requests: which quota, and in how long to ask again."""
    details: list[dict[str, Any]] = [
        {
            "@type": "type.googleapis.com/google.rpc.QuotaFailure",
            "violations": [
                {
                    "quotaMetric": "generativelanguage.googleapis.com/generate_content_paid_tier_requests",
                    "quotaId": quota,
                    "quotaDimensions": {"location": "global", "model": "gemini-2.5-flash-preview-image"},
                    "quotaValue": value,
                }
            ],
        },
        {
            "@type": "type.googleapis.com/google.rpc.Help",
            "links": [
                {"description": "Learn more about quotas", "url": "https://ai.google.dev/gemini-api/docs/rate-limits"}
            ],
        },
    ]
    if retry_delay is not None:
        details.append({"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": retry_delay})
    message = "You exceeded your current quota, please check your plan and billing details."
    return failure(429, "RESOURCE_EXHAUSTED", message, *details, **headers)


def model_list() -> Reply:
    """The models that a key may use, cut to one."""
    return Reply.json(
        {
            "models": [
                {
                    "name": "models/gemini-2.5-flash-image",
                    "version": "2.0",
                    "displayName": "Nano Banana",
                    "inputTokenLimit": 32768,
                    "outputTokenLimit": 32768,
                    "supportedGenerationMethods": ["generateContent", "countTokens", "batchGenerateContent"],
                }
            ]
        }
    )


def _answer(*candidates: dict[str, Any], **more: Any) -> Reply:
    document = {**more, "modelVersion": "gemini-2.5-flash-image", "responseId": _RESPONSE_ID}
    if candidates:
        document["candidates"] = list(candidates)
    return Reply.json(document)


def _rating(harm: str) -> dict[str, Any]:
    return {"category": harm, "probability": "HIGH", "blocked": True}
